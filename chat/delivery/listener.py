"""Listeners: the local consumers of rooms, whom the hub gives what it hears."""

import contextvars
import logging
from collections.abc import Iterable, Mapping

from chat import metrics
from chat.delivery.backlog import Backlog
from chat.domain import events
from chat.domain.events import Event
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import SlowListener
from chat.storage import history
from chat.storage.database import in_database

logger = logging.getLogger(__name__)

PAGE_SIZE = 100  # messages that are read at once, of what a listener has missed


class Listener:
    """A consumer of one or more rooms, which gets each event once, in order, from its own position on.

    `after` says for some of the rooms up to which offset they have been heard. What was said since then comes first; if
    that can't be brought, an event of kind START_OVER.

    `person` is who listens: where not everybody may be, they are looked up. None is the site itself, which hears all.
    """

    def __init__(
        self, rooms: Iterable[Room], after: Mapping[Room, int] | None = None, person: Person | None = None
    ) -> None:
        self.rooms = frozenset(rooms)
        self.person = person
        self.after = {room: offset for room, offset in (after or {}).items() if room in self.rooms}
        self.positions: dict[Room, int] = {}  # the last offset that was taken, by room
        self._recovers_to: dict[Room, int] = {}  # where the past ends that has to be read, and the present begins
        self._held: Backlog | None = Backlog()  # what comes while the past is being read
        self._context = contextvars.copy_context()  # its own tasks are its connection's doing, not of whoever posts
        self._ended_by: Exception | None = None  # what happened meanwhile, so that it can't go on to the present

    def put(self, event: Event) -> None:
        """The hub calls this, for each room in the order of the offsets and without holes."""
        if self._held is None:
            self._pass_on(event)
        elif self._ended_by is not None:
            pass
        elif not self._held.add(event):
            self.cut_off()

    async def read_missed(self) -> list[Event]:
        """Some of what was missed, room by room; nothing once all has been read.

        No more than a page of it is in memory at once, however much somebody has missed who doesn't read it.

        Raises Unavailable, Banned, NotAMember, and as `check` does.
        """
        while self.after:
            room, after = next(iter(self.after.items()))
            recovery = await in_database(history.recover, room, after, PAGE_SIZE, person=self.person)
            missed = recovery.events
            if missed is None:
                missed, last = [events.start_over(room, recovery.position)], recovery.position
            else:
                last = missed[-1].offset or 0 if missed else after
            if last < self._recovers_to.setdefault(room, recovery.position):
                self.after[room] = last
            else:
                del self.after[room]
                metrics.RECOVERIES.labels("start_over" if recovery.events is None else "caught_up").inc()
            self.positions[room] = last
            self.check()
            if missed:
                return missed
        return []

    def go_live(self) -> None:
        """From the past to the present, which overlap. Raises as `check` does."""
        self.check()
        held, self._held = self._held, None
        while held:
            self._pass_on(held.pop())

    def check(self) -> None:
        """Raises what the listener was ended with while it was reading the past."""
        if self._ended_by is not None:
            raise self._ended_by

    def _pass_on(self, event: Event) -> None:
        if event.offset is not None:
            if event.offset <= self.positions.get(event.room, 0):
                return
            self.positions[event.room] = event.offset
        self.take(event)

    def take(self, event: Event) -> None:
        """Does with the event what is to be done with it; doesn't wait for anybody."""
        raise NotImplementedError

    def cut_off(self) -> None:
        """Gives up on whoever takes less than is said, when no more events may wait."""
        metrics.SLOW_LISTENERS.inc()
        self._context.copy().run(logger.warning, "Cut off a listener that read too slowly")  # it may be in it already
        self.end(SlowListener("You were sent more than you took, and missed some of it. Please start over."))

    def end(self, error: Exception) -> None:
        """From when this is called the listener takes nothing more, and whoever listens is told `error`."""
        if self._held is None:
            self.stop(error)
        elif self._ended_by is None:
            self._ended_by = error
            self._held.clear()

    def stop(self, error: Exception) -> None:
        """Ends a listener that has recovered."""
        raise NotImplementedError
