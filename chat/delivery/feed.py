"""One log's listeners in one process: how far they have heard it, and what each of them is given next."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from chat import metrics, tracing
from chat.delivery.detached_tasks import DetachedTasks
from chat.delivery.listener import LogListener
from chat.delivery.recent_ids import RecentIds
from chat.delivery.source import RECHECK, Effect, Exclusion, Source
from chat.domain.logs import Head, Log
from chat.domain.positions import Position
from chat.domain.recoveries import RecoveryRequest
from chat.errors import unforeseen

READ_SIZE = 500  # entries read at once, at most
READ_SIZE_MIN = 10  # entries read at once where it isn't known how many there are


@dataclass(eq=False)
class Feed:
    """One log's listeners in this process, and how far they have heard it."""

    log: Log
    source: Source
    recent_ids: RecentIds  # of the entries that this process has given to listeners
    unsettled: set["Feed"]  # the hub's, of feeds that its watch has to compare with their logs
    listeners: set[LogListener] = field(default_factory=set)
    position: Position | None = None  # the last entry that the listeners were given; None until the database was asked
    restricted: bool = False  # whether it has to be looked up if those who come may hear it
    read_only: bool = False  # whether it has to be looked up who may be heard with what isn't stored
    needs_recheck: bool = False  # some listeners may be excluded by now; until that is known, none hears anything
    reading: asyncio.Task[None] | None = None
    behind: bool = False  # the database has to be read
    known_end: int = 0  # the highest offset that the log is known to have come to
    hint: Any = None  # the first entry that was heard and couldn't be given

    def take(self, event: Any) -> bool:
        """Gives the event to the listeners, unless they have heard it. False if the database has to be read first."""
        if event.offset is None:
            if not self.needs_recheck:  # what is not stored is lost
                self.give(event)
            return True
        if self.needs_recheck or self.position is None:
            return False
        if event.offset <= self.position.offset:
            return event.id in self.recent_ids  # else it may be of a log that went back
        if event.id is None or not event.follows(self.position):
            return False
        effect = self._effect_of(event)
        self.position = event.position
        self.recent_ids.add(event.id)
        self.unsettled.add(self)  # a database that takes the place of this one may not have the entry
        if effect:
            self.give_with_effect(event, effect)
        else:
            self.give(event)
        return True

    def _effect_of(self, event: Any) -> Effect | None:
        """The change that an entry makes to who may hear the log. A source that fails to say may mean any."""
        try:
            return self.source.effect(event)
        except Exception as error:
            unforeseen(error)
            return RECHECK

    def give(self, event: Any) -> None:
        with tracing.step("event.deliver", listeners=len(self.listeners)):
            for listener in self.listeners:
                try:
                    listener.put(event)
                except Exception as error:  # its own affair, and not that of those who come after it
                    listener.end(unforeseen(error))
        metrics.EVENTS.inc()
        metrics.DELIVERIES.inc(len(self.listeners))
        if event.sent_at:
            metrics.LATENCY.observe(max(0.0, time.time() - event.sent_at.timestamp()))

    def give_with_effect(self, event: Any, effect: Effect) -> None:
        """Gives an entry to all listeners; those of the person it excludes hear nothing after it."""
        ending: list[tuple[LogListener, Exception]] = []
        if excluded := effect.excludes:
            # A listener that has read past the entry has been checked since, and may be here again.
            named = [one for one in self.listeners if one.person and one.person.id == excluded.person_id]
            behind = [one for one in named if one.positions.get(self.log.group, 0) < event.offset]
            ending = [(listener, _error_of(excluded)) for listener in behind]
        self.give(event)
        for listener, error in ending:
            listener.end(error)
        if effect.restricted is not None:
            self.restricted = effect.restricted
        if effect.read_only is not None:
            self.read_only = effect.read_only
        self.needs_recheck = effect.recheck

    def compare(self, head: Head, since: Position) -> None:
        """Has the log read, unless it is in step with where its log ended.

        `since` is where the listeners were before that was looked up. They may have heard more meanwhile.
        """
        if self.needs_recheck or not self._is_in_step_with(head.position, since):
            self.catch_up(head.position.offset)
        if not self.is_past(head.position):  # else an entry may have come since, which knows better
            self.restricted, self.read_only = head.restricted, head.read_only

    def _is_in_step_with(self, end: Position, since: Position) -> bool:
        """Whether there is nothing to read where the log ended at `end`, and nothing that went back."""
        if self.position is None or end in {since, self.position}:
            return True
        if end == Position(self.position.offset):  # the last entry is no longer kept, or on its way to be set back
            return True
        return since.offset < end.offset < self.position.offset

    def is_past(self, end: Position) -> bool:
        return self.position is not None and self.position.offset > end.offset

    def heard_too_early(self, event: Any) -> None:
        """Remembers an entry that couldn't be given: it is to be heard, even if the listeners have to start over."""
        if event.offset is not None and (self.hint is None or event.offset < (self.hint.offset or 0)):
            self.hint = event

    def start_over(self, position: Position) -> None:
        """Goes on after `position`: what is between it and the last one can't be had, or never was in this log."""
        event = self.source.start_over(self.log, position)  # first: if that fails, it is tried again
        self.position = position
        # For all one knows: entries in it may have changed who may hear the log.
        self.restricted = self.read_only = self.needs_recheck = True
        self.give(event)

    # From the database, what the layer didn't bring

    async def locate(self) -> Position:
        """The position from which the listeners hear; the database is asked until it is known."""
        if self.position is None:
            head = await self.source.reads.head(self.log)
            if self.position is None:  # nobody has been told another one meanwhile
                self.position, self.restricted, self.read_only = head.position, head.restricted, head.read_only
                if self.behind:
                    self.catch_up()
        return self.position

    def catch_up(self, end: int = 0) -> None:
        """Has what is missing read, up to the offset `end` if that is known, by one task at a time."""
        self.behind = True
        self.known_end = max(self.known_end, end)
        if self.reading is None and self.position is not None:
            self.reading = DetachedTasks.here().start(self._read())

    async def _read(self) -> None:
        try:
            while self.behind and self.listeners and self.position is not None:
                self.behind = False
                await self._recheck()
                await self._read_on(self.position)
        except Exception as error:
            self.behind = True
            unforeseen(error)
        finally:
            self.reading = None
            if self.behind:
                self.unsettled.add(self)

    async def _read_on(self, position: Position) -> None:
        """Gives what comes after `position` in the database. If that can't be had, the listeners start over."""
        size = max(READ_SIZE_MIN, min(self.known_end - position.offset, READ_SIZE))
        request = RecoveryRequest(log=self.log, after=position, size=size, resumed=True, person=None)
        found = await self.source.reads.following(request)
        hint, self.hint = self.hint, None
        self.known_end = found.end.offset
        if found.events is None:
            self.start_over(_position_before(hint, found.end))
            self.behind = True
            return
        if self.position is position:
            self.position = found.after
        for event in found.events:
            await self._recheck()
            if self.position and event.follows(self.position):
                metrics.REPAIRED.inc()
                self.take(event)
                await asyncio.sleep(0)  # to many listeners that takes long; others get their turn
        if self.position and self.position.offset < found.end.offset:
            self.behind = True

    async def _recheck(self) -> None:
        """Ends the listeners whose people may not hear the log any more, where no entry has named them."""
        if not self.needs_recheck:
            return
        # A listener that comes from here on is checked as it joins.
        present = {listener: listener.person for listener in self.listeners if listener.person}
        refused = await self.source.refused([(self.log, person) for person in present.values()])
        for listener, person in present.items():
            if error := refused.get((self.log, person)):
                listener.end(error)
        self.needs_recheck = False


def _error_of(excluded: Exclusion) -> Exception:
    try:
        return excluded.error()
    except Exception as error:
        return unforeseen(error)


def _position_before(hint: Any, end: Position) -> Position:
    """The position from which listeners start over: the end of the log, or before the hint's entry, to hear that."""
    if hint is None or hint.id is None or hint.offset is None or not 0 <= end.offset - hint.offset < READ_SIZE:
        return end
    return Position(hint.offset - 1, hint.previous)
