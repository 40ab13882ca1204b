"""Listeners: the local consumers of rooms, whom the hub gives what it hears."""

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Set
from typing import Protocol

from django.utils.translation import gettext_lazy as _

from chat import metrics
from chat.delivery.backlog import Backlog
from chat.delivery.reads import Reads
from chat.domain import events
from chat.domain.events import USUAL_KINDS, Event, Kind
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.presence import LiveKind, LiveState
from chat.domain.rooms import Room
from chat.errors import SlowListener
from chat.storage.recoveries import Recovery, RecoveryRequest

logger = logging.getLogger(__name__)

PAGE_SIZE = 100  # messages that are read at once, of what a listener has missed

CatchUp = Callable[[Room], Awaitable[Position]]
"""Has the hub read what it has missed of a room. Returns where it is then."""


class RoomListener(Protocol):
    """The interface of listeners, as the hub and its feeds use it."""

    @property
    def rooms(self) -> frozenset[Room]: ...

    @property
    def person(self) -> Person | None: ...

    @property
    def positions(self) -> Mapping[str, int]:
        """The last offset that was heard, by the room's group."""

    def joined(self, room: Room, position: Position, catch_up: CatchUp) -> None: ...

    def put(self, event: Event) -> None: ...

    def end(self, error: Exception) -> None: ...


class Listener:
    """A consumer of one or more rooms, which gets each event once, in order, from its own position on.

    `after` says for some of the rooms how far they have been heard. Later entries come first; if they can't be
    brought, an event of kind START_OVER. That may come at any time later, too: what comes after it follows the
    position that it has, and not what came before. Entries that this release doesn't know are passed over.

    `person` is who listens: where not everybody may be, they are looked up. None is the site itself, which hears all.
    Of other `kinds` than those it takes, a listener hears nothing, except that it has to start over.

    A listener may ask for live states of its rooms: `live_kinds`, from when it has recovered on.
    """

    live_kinds: frozenset[LiveKind] = frozenset()
    is_here = True  # whether the person counts as being in the rooms
    arrived = False  # whether the presence of its rooms counts it
    on_end: Callable[["Listener", Exception], None] | None = None  # called as soon as it hears nothing more

    def __init__(
        self,
        rooms: Iterable[Room],
        after: Mapping[Room, Position] | None = None,
        person: Person | None = None,
        kinds: Set[Kind] = USUAL_KINDS,
    ) -> None:
        self.rooms = frozenset(rooms)
        self.person = person
        self.kinds = kinds
        self.after = {room: position for room, position in (after or {}).items() if room in self.rooms}
        # The last offset that was taken, by the room's group: each delivery asks, and a text has its hash at hand.
        self.positions: dict[str, int] = {}
        self._live_from: dict[Room, Position] = {}  # where the past ends that has to be read, and the present begins
        self._resumed: set[Room] = set()  # rooms of which a part of the past has been read
        self._held: Backlog | None = Backlog()  # what comes while the past is being read
        self._context = contextvars.copy_context()  # its own tasks are its connection's doing, not of whoever posts
        self._held_states: dict[tuple[Room, LiveKind], LiveState] | None = None  # the last ones; while it recovers
        self._ended_by: Exception | None = None  # what happened meanwhile, so that it can't go on to the present

    def joined(self, room: Room, position: Position, catch_up: CatchUp) -> None:
        """The hub calls this: what comes after `position` in `room` is put to this listener from here on."""
        self.positions.setdefault(room.group, position.offset)
        self._live_from[room] = position
        self._catch_up = catch_up

    @property
    def heard(self) -> dict[Room, Position]:
        """How far the client has heard each room, once the listener has joined and before it recovers."""
        return self._live_from | self.after

    def put(self, event: Event) -> None:
        """The hub calls this, for each room in the order of the offsets and without holes."""
        if event.kind is Kind.START_OVER:
            self._start_over(event)
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
            self._skip_what_is_heard()
            requests = self._next_page()
            recoveries = await asyncio.gather(*map(Reads.here().missed, requests))
            missed: list[Event] = []
            for request, recovery in zip(requests, recoveries, strict=True):
                missed += await self._take_recovery(request, recovery)
            if missed:
                return missed
        return []

    def _skip_what_is_heard(self) -> None:
        """Leaves out the rooms of which the hub has heard as far as the client, in the same log."""
        for room, after in list(self.after.items()):
            if after.id is not None and after == self._live_from[room]:
                self.positions[room.group] = after.offset
                self._finish(room, "caught_up")

    def _next_page(self) -> list[RecoveryRequest]:
        """Asks for the next entries of as many rooms as go into a page."""
        requests: list[RecoveryRequest] = []
        left = PAGE_SIZE
        for room, after in self.after.items():
            size = min(PAGE_SIZE, max(0, self._live_from[room].offset - after.offset))
            if requests and size > left:
                break
            left -= size
            resumed = room in self._resumed
            requests.append(RecoveryRequest(room=room, after=after, size=size, resumed=resumed, person=self.person))
        return requests

    async def _take_recovery(self, request: RecoveryRequest, recovery: Recovery) -> list[Event]:
        """The events of a recovery that are still to be heard. Raises as `check` does."""
        room, end = request.room, self._live_from[request.room]
        caught_up = None if recovery.leads_to(end) else await self._catch_up(room)
        self.check()
        if self.after.get(room) is not request.after:
            return []  # meanwhile the room has started over
        if caught_up is None:
            return self._take_missed(room, recovery)
        if recovery.events is None or caught_up == end:
            return self._give_up(room, caught_up)
        self._live_from[room] = caught_up  # the hub had heard less than the client; now it hasn't
        return []

    def _finish(self, room: Room, outcome: str) -> None:
        del self.after[room]
        metrics.RECOVERIES.labels(outcome).inc()

    def _take_missed(self, room: Room, recovery: Recovery) -> list[Event]:
        """Goes on to the end of what was read. Returns what is to be heard of it."""
        self.positions[room.group] = recovery.last.offset
        if recovery.last.offset < self._live_from[room].offset:
            self.after[room] = recovery.last
            self._resumed.add(room)
        else:
            self._finish(room, "caught_up")
        return [event for event in recovery.events or () if self._hears(event)]

    def _give_up(self, room: Room, position: Position) -> list[Event]:
        """Goes on from where the hub is, without what was missed. Returns what tells so."""
        self._finish(room, "start_over")
        self.positions[room.group] = position.offset
        return [events.start_over(room, position)]

    def _start_over(self, event: Event) -> None:
        """Forgets what the listener has of the room, and what it was still to have before `event`."""
        self.after.pop(event.room, None)
        self.positions[event.room.group] = event.offset or 0
        if self._held is not None:
            self._held.drop(event.room)

    def go_live(self) -> None:
        """From the past to the present, which overlap. Raises as `check` does."""
        self.check()
        held, self._held = self._held, None
        while held:
            self._pass_on(held.pop())
        states, self._held_states = self._held_states, None
        for state in (states or {}).values():
            self.show(state)

    def check(self) -> None:
        """Raises what the listener was ended with while it was reading the past."""
        if self._ended_by is not None:
            raise self._ended_by

    def _pass_on(self, event: Event) -> None:
        if event.offset is not None:
            group = event.room.group
            if event.offset <= self.positions.get(group, 0) and event.kind is not Kind.START_OVER:
                return
            self.positions[group] = event.offset
        if self._hears(event):
            self.take(event)

    def _hears(self, event: Event) -> bool:
        return event.known and (event.kind in self.kinds or event.kind is Kind.START_OVER)

    def update(self, state: LiveState) -> None:
        """The presence of a room calls this, with a state that takes the place of the one before."""
        if self._held is None:
            self.show(state)
        elif self._ended_by is None:
            self._held_states = self._held_states or {}
            self._held_states[state.room, state.kind] = state

    def show(self, state: LiveState) -> None:
        """Does with a live state what is to be done with it; doesn't wait for anybody."""

    def take(self, event: Event) -> None:
        """Does with the event what is to be done with it; doesn't wait for anybody."""
        raise NotImplementedError

    def cut_off(self) -> None:
        """Gives up on whoever takes less than is said, when no more events may wait."""
        metrics.SLOW_LISTENERS.inc()
        self._context.copy().run(logger.warning, "Cut off a listener that read too slowly")  # it may be in it already
        self.end(SlowListener(_("You were sent more than you took, and missed some of it. Please start over.")))

    def end(self, error: Exception) -> None:
        """From when this is called the listener takes nothing more, and whoever listens is told `error`."""
        if self.on_end is not None:
            self.on_end(self, error)
        if self._held is None:
            self.stop(error)
        elif self._ended_by is None:
            self._ended_by = error
            self._held.clear()

    def stop(self, error: Exception) -> None:
        """Ends a listener that has recovered."""
        raise NotImplementedError
