"""One room's listeners in one process: how far they have heard it, and what each of them is given next."""

import asyncio
import time
from dataclasses import dataclass, field

from chat import metrics
from chat.delivery.listener import Listener
from chat.domain import events
from chat.domain.events import Change, Event, Kind
from chat.domain.rooms import Room
from chat.errors import Banned, ChatError, Removed
from chat.storage.history import Head

EXCLUDING: dict[Change | None, type[ChatError]] = {Change.REMOVED: Removed, Change.BANNED: Banned}


@dataclass(eq=False)
class Feed:
    """One room's listeners in this process, how far they have heard it, and whether the process is in its group."""

    room: Room
    listeners: set[Listener] = field(default_factory=set)
    position: int | None = None  # the last offset that the listeners were given; None until the database was asked
    locating: asyncio.Task[dict[Room, Head]] | None = None
    restricted: bool = False  # whether who comes has to be looked up
    needs_recheck: bool = False  # some listeners may be excluded by now; until that is known, none hears anything
    joined: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    reading: asyncio.Task[None] | None = None
    behind: bool = False  # something was heard that came too early

    @property
    def in_step(self) -> bool:
        """Whether the process is in the group, somebody listens, and neither is about to change."""
        return self.joined and bool(self.listeners) and not self.lock.locked()

    def has_heard(self, offset: object) -> bool:
        return self.position is not None and type(offset) is int and 0 < offset <= self.position

    def take(self, event: Event) -> bool:
        """Gives the event to the listeners, unless they have heard it. False if they have to hear others first."""
        if event.offset is not None:
            if self.needs_recheck or self.position is None or event.offset > self.position + 1:
                return False
            if event.offset <= self.position:
                return True
            self.position = event.offset
            if event.kind is Kind.NOTICE:
                self.give_notice(event, event.offset)
                return True
        if not self.needs_recheck:  # what is not stored is lost
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
        if event.change in {Change.BANNED, Change.CLOSED}:
            self.restricted = True
        self.needs_recheck = event.change is Change.CLOSED

    def start_over(self, position: int) -> None:
        """Goes on after `position`: what is between it and the last one can't be had any more."""
        self.position = position
        self.restricted = self.needs_recheck = True  # for all one knows: there may have been notices in it
        self.give(events.start_over(self.room, position))
