"""Listeners: the local consumers of logs, whom the hub gives what it hears."""

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Set
from typing import Any, Generic, Protocol

from django.utils.translation import gettext_lazy as _

from chat import metrics
from chat.delivery.backlog import Backlog
from chat.delivery.source import EventT, LogT, source_of, usual_kinds
from chat.domain.logs import Identity
from chat.domain.positions import Position
from chat.domain.recoveries import Recovery, RecoveryRequest
from chat.errors import SlowListener

logger = logging.getLogger(__name__)

PAGE_SIZE = 100  # entries that are read at once, of what a listener has missed

CatchUp = Callable[[Any], Awaitable[Position]]
"""Has the hub read what it has missed of a log. Returns where it is then."""


class LogListener(Protocol):
    """The interface of listeners, as the hub and its feeds use it."""

    @property
    def logs(self) -> frozenset[Any]: ...

    @property
    def person(self) -> Identity | None: ...

    @property
    def positions(self) -> Mapping[str, int]:
        """The last offset that was heard, by the log's group."""

    def joined(self, log: Any, position: Position, catch_up: CatchUp) -> None: ...

    def put(self, event: Any) -> None: ...

    def end(self, error: Exception) -> None: ...


class Listener(Generic[LogT, EventT]):
    """A consumer of one or more logs of one source, which gets each event once, in order, from its own position on.

    `after` says for some of the logs how far they have been heard. Later entries come first; if they can't be brought,
    an event that `starts_over`. That may come at any time later, too: what comes after it follows the position that it
    has, and not what came before. Entries that this release doesn't know are passed over.

    `person` is the one who listens, and is looked up where not everybody may. None is the site itself, which hears all.
    Of other `kinds` than those it takes, a listener hears nothing, except that it has to start over; without any named,
    it takes the source's usual ones. They aren't known to be all: `kinds` is None then.

    A listener may ask for live states of its logs, from when it has recovered on: states of `live_kinds`, each of which
    takes the place of the one before.
    """

    live_kinds: frozenset[Hashable] = frozenset()
    is_here = True  # whether the person counts as being there
    arrived = False  # whether the source's attendance counts it
    on_end: "Callable[[Listener[Any, Any], Exception], None] | None" = None  # called as soon as it hears nothing more

    def __init__(
        self,
        logs: Iterable[LogT],
        after: Mapping[LogT, Position] | None = None,
        person: Any = None,
        kinds: Set[Any] | None = None,
    ) -> None:
        self.logs = frozenset(logs)
        for log in self.logs:
            _ = log.group  # an app's that fails does so here, and not half-way through joining or leaving
        self.person = person
        usual = usual_kinds(self.logs)
        self.kinds = usual if kinds is None else kinds
        self.after = {log: position for log, position in (after or {}).items() if log in self.logs}
        # The last offset that was taken, by the log's group: each delivery asks, and a text has its hash at hand.
        self.positions: dict[str, int] = {}
        self._live_from: dict[LogT, Position] = {}  # where the past ends that has to be read, and the present begins
        self._resumed: set[LogT] = set()  # logs of which a part of the past has been read
        self._held: Backlog | None = Backlog()  # what comes while the past is being read
        self._context = contextvars.copy_context()  # its own tasks are its connection's doing, not a poster's
        self._held_states: dict[tuple[Any, Hashable], Any] | None = None  # the last ones; while it recovers
        self._ended_by: Exception | None = None  # what happened meanwhile, so that it can't go on to the present

    def joined(self, log: LogT, position: Position, catch_up: CatchUp) -> None:
        """The hub calls this: what comes after `position` in `log` is put to this listener from here on."""
        self.positions.setdefault(log.group, position.offset)
        self._live_from[log] = position
        self._catch_up = catch_up

    @property
    def heard(self) -> dict[LogT, Position]:
        """How far the client has heard each log, once the listener has joined and before it recovers."""
        return self._live_from | self.after

    def put(self, event: EventT) -> None:
        """The hub calls this, for each log in the order of the offsets and without holes."""
        if self._held is None:
            self._pass_on(event)
            return
        if event.starts_over:
            self._start_over(event)
        if self._ended_by is None and not self._held.add(event):
            self.cut_off()

    async def read_missed(self) -> list[EventT]:
        """Some of what was missed, log by log; nothing once all has been read.

        No more than a page of it is in memory at once, however much somebody has missed who doesn't read it.

        Raises Unavailable, what the source refuses the person with, and as `check` does.
        """
        while self.after:
            self._skip_what_is_heard()
            requests = self._next_page()
            recoveries = await asyncio.gather(*(source_of(request.log).reads.missed(request) for request in requests))
            missed: list[EventT] = []
            for request, recovery in zip(requests, recoveries, strict=True):
                missed += await self._take_recovery(request, recovery)
            if missed:
                return missed
        return []

    def _skip_what_is_heard(self) -> None:
        """Leaves out the logs of which the hub has heard as far as the client."""
        for log, after in list(self.after.items()):
            if after.id is not None and after == self._live_from[log]:
                self.positions[log.group] = after.offset
                self._finish(log, "caught_up")

    def _next_page(self) -> list[RecoveryRequest]:
        """Asks for the next entries of as many logs as go into a page."""
        requests: list[RecoveryRequest] = []
        left = PAGE_SIZE
        for log, after in self.after.items():
            size = min(PAGE_SIZE, max(0, self._live_from[log].offset - after.offset))
            if requests and size > left:
                break
            left -= size
            resumed = log in self._resumed
            requests.append(RecoveryRequest(log=log, after=after, size=size, resumed=resumed, person=self.person))
        return requests

    async def _take_recovery(self, request: RecoveryRequest, recovery: Recovery) -> list[EventT]:
        """The events of a recovery that are still to be heard. Raises as `check` does."""
        log, end = request.log, self._live_from[request.log]
        caught_up = None if recovery.leads_to(end) else await self._catch_up(log)
        self.check()
        if self.after.get(log) is not request.after:
            return []  # meanwhile the log has started over
        if caught_up is None:
            return self._take_missed(log, recovery)
        if recovery.events is None or caught_up == end:
            return self._give_up(log, caught_up)
        self._live_from[log] = caught_up  # the hub had heard less than the client; now it hasn't
        return []

    def _finish(self, log: LogT, outcome: str) -> None:
        del self.after[log]
        metrics.RECOVERIES.labels(outcome).inc()

    def _take_missed(self, log: LogT, recovery: Recovery) -> list[EventT]:
        """Goes on to the end of what was read. Returns what is to be heard of it."""
        self.positions[log.group] = recovery.last.offset
        if recovery.last.offset < self._live_from[log].offset:
            self.after[log] = recovery.last
            self._resumed.add(log)
        else:
            self._finish(log, "caught_up")
        return [event for event in recovery.events or () if self._hears(event)]

    def _give_up(self, log: LogT, position: Position) -> list[EventT]:
        """Goes on from where the hub is, without what was missed. Returns what tells so."""
        self._finish(log, "start_over")
        self.positions[log.group] = position.offset
        return [source_of(log).start_over(log, position)]

    def _start_over(self, event: Any) -> None:
        """Forgets what the listener has of the log, and what it was still to have before `event`."""
        self.after.pop(event.log, None)
        self.positions[event.log.group] = event.offset or 0
        if self._held is not None:
            self._held.drop(event.log)

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

    def _pass_on(self, event: EventT) -> None:
        if event.offset is not None:
            group = event.log.group
            if event.offset <= self.positions.get(group, 0) and not event.starts_over:
                return
            self.positions[group] = event.offset
        if self._hears(event):
            self.take(event)

    def _hears(self, event: EventT) -> bool:
        return event.known and (self.kinds is None or event.kind in self.kinds or event.starts_over)

    def update(self, state: Any) -> None:
        """An app's attendance calls this, with a state of a log and a kind that takes the place of the one before."""
        if self._held is None:
            self.show(state)
        elif self._ended_by is None:
            self._held_states = self._held_states or {}
            self._held_states[state.log, state.kind] = state

    def show(self, state: Any) -> None:
        """Does with a live state what is to be done with it; doesn't wait for anybody."""

    def take(self, event: EventT) -> None:
        """Does with the event what is to be done with it; doesn't wait for anybody."""
        raise NotImplementedError

    def cut_off(self) -> None:
        """Ends it: it takes less than is told, and no more events may wait."""
        metrics.SLOW_LISTENERS.inc()
        self._context.copy().run(logger.warning, "Cut off a listener that read too slowly")  # it may be in it already
        self.end(SlowListener(_("You were sent more than you took, and missed some of it. Please start over.")))

    def end(self, error: Exception) -> None:
        """From when this is called the listener takes nothing more, and its client is told `error`."""
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
