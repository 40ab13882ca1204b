"""One room's listeners in one process: how far they have heard it, and what each of them is given next."""

import asyncio
import time
from dataclasses import dataclass, field

from chat import metrics
from chat.delivery.listener import Listener
from chat.delivery.recent_ids import RecentIds
from chat.domain import events
from chat.domain.events import Change, Event, Kind
from chat.domain.positions import Position
from chat.domain.rooms import Room
from chat.errors import Banned, ChatError, Removed
from chat.storage.history import Head

EXCLUDING: dict[Change | None, type[ChatError]] = {Change.REMOVED: Removed, Change.BANNED: Banned}


@dataclass(eq=False)
class Feed:
    """One room's listeners in this process, how far they have heard it, and whether the process is in its group."""

    room: Room
    recent_ids: RecentIds  # of the entries that this process has given to listeners
    listeners: set[Listener] = field(default_factory=set)
    position: Position | None = None  # the last entry that the listeners were given; None until the database was asked
    locating: asyncio.Task[dict[Room, Head]] | None = None
    restricted: bool = False  # whether who comes has to be looked up
    needs_recheck: bool = False  # some listeners may be excluded by now; until that is known, none hears anything
    joined: bool = False  # or was never told to have left
    leaving: bool = False  # whether it was tried to leave, and failed
    syncing: asyncio.Task[None] | None = None
    reading: asyncio.Task[None] | None = None
    behind: bool = False  # the database has to be read
    hint: Event | None = None  # the first entry that was heard and couldn't be given

    @property
    def in_step(self) -> bool:
        """Whether the process is in the room's group exactly if somebody listens."""
        return self.joined == bool(self.listeners)

    def take(self, event: Event) -> bool:
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
        self.position = event.position
        self.recent_ids.add(event.id)
        if event.kind is Kind.NOTICE:
            self.give_notice(event, event.offset)
        else:
            self.give(event)
        return True

    def give(self, event: Event) -> None:
        for listener in self.listeners:
            listener.put(event)
        metrics.EVENTS.inc()
        metrics.DELIVERIES.inc(len(self.listeners))
        if event.sent_at:
            metrics.LATENCY.observe(max(0.0, time.time() - event.sent_at.timestamp()))

    def give_notice(self, event: Event, offset: int) -> None:
        """Gives a notice to everybody, after which whoever it excludes hears nothing more."""
        excluded = []
        if event.change in EXCLUDING:
            # Who has read beyond the notice has been looked up since, and may be here again.
            named = [one for one in self.listeners if one.person and one.person.id == event.subject]
            excluded = [one for one in named if one.positions.get(self.room, 0) < offset]
        self.give(event)
        for listener in excluded:
            listener.end(EXCLUDING[event.change](event.message))
        if event.change in {Change.BANNED, Change.CLOSED} or not event.known:
            self.restricted = True
        self.needs_recheck = event.change is Change.CLOSED or not event.known

    def is_in_step_with(self, end: Position, since: Position) -> bool:
        """Whether there is nothing to read where the log ended at `end`, and nothing that went back.

        `since` is where the listeners were before that was looked up. They may have heard more meanwhile.
        """
        if self.position is None or end in {since, self.position}:
            return True
        if end == Position(self.position.offset):  # the last entry is no longer kept, or on its way to be set back
            return True
        return since.offset < end.offset < self.position.offset

    def is_past(self, end: Position) -> bool:
        return self.position is not None and self.position.offset > end.offset

    def heard_too_early(self, event: Event) -> None:
        """Remembers an entry that couldn't be given: it is to be heard, even if the listeners have to start over."""
        if event.offset is not None and (self.hint is None or event.offset < (self.hint.offset or 0)):
            self.hint = event

    def start_over(self, position: Position) -> None:
        """Goes on after `position`: what is between it and the last one can't be had, or never was in this log."""
        self.position = position
        self.restricted = self.needs_recheck = True  # for all one knows: there may have been notices in it
        self.give(events.start_over(self.room, position))
