"""The ear of somebody who follows a room without listening to it: it counts what it hears, and keeps nothing of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from chat.delivery.listener import CatchUp
from chat.domain.events import Event, Kind
from chat.domain.mentions import EVERYBODY
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.rooms import Room
from chat.storage.own_rooms import UNREAD_MAX, OwnRoom

EARLY_MAX = 1000  # messages that are remembered while a count is under way


class Counting(Protocol):
    """The follower of a room, as its ear calls it."""

    @property
    def ignored_ids(self) -> frozenset[str]:
        """The ids of the people whom the person ignores: what they say doesn't count."""

    def counted(self, ear: "RoomEar") -> None:
        """`ear.own` has changed."""

    def recount(self, room: Room) -> None:
        """Counting what comes isn't enough: the room has to be read from the database."""

    def lose(self, ear: "RoomEar") -> None:
        """The person may not be in the room any more."""


class RoomEar:
    """Counts for one person what is unread in one room. The hub has it among the room's listeners."""

    __slots__ = ("_early", "_follower", "heard", "logs", "own", "person")

    def __init__(self, follower: Counting, person: Person, own: OwnRoom) -> None:
        self.logs = frozenset([own.room])
        self.person = person
        self.own = own
        self.heard = own.last_offset  # up to here all has been counted
        self._follower = follower
        # The messages that came since a count began, and whether each calls the person.
        self._early: list[tuple[int, bool]] | None = None

    @property
    def positions(self) -> Mapping[str, int]:
        return {self.own.room.group: self.heard}

    def joined(self, log: Room, position: Position, catch_up: CatchUp) -> None:
        if position.offset > self.heard:  # something was said since the room was read
            self.heard = position.offset
            self._follower.recount(log)

    def put(self, event: Event) -> None:
        if event.kind is Kind.START_OVER:
            self.heard = event.offset or 0
            self._follower.recount(self.own.room)
            return
        if event.offset is None or event.offset <= self.heard:
            return
        self.heard = event.offset
        if (
            event.kind is Kind.DELETION
            and self.own.unread
            or event.kind is Kind.EDIT
            and (self.own.mentions_unread or self._calls(event))
        ):
            self._follower.recount(self.own.room)
        elif event.kind is Kind.MESSAGE and self._counts(event):
            self._count(event.offset, self._calls(event))

    def end(self, error: Exception) -> None:
        self._follower.lose(self)

    def begin_recount(self) -> None:
        self._early = []

    def end_recount(self, own: OwnRoom) -> None:
        """Takes over what was read, and what came after that."""
        later = [calls for offset, calls in self._early or () if offset > own.last_offset]
        self._early = None
        self.own = _with_more(own, len(later), sum(later), max(self.heard, own.last_offset))

    def _counts(self, event: Event) -> bool:
        if not event.known or event.deleted:
            return False
        return event.person is None or event.person.id not in {self.person.id, *self._follower.ignored_ids}

    def _calls(self, event: Event) -> bool:
        return any(person.id in {self.person.id, EVERYBODY.id} for person in event.mentions)

    def _count(self, offset: int, calls: bool) -> None:
        if self._early is not None and len(self._early) < EARLY_MAX:
            self._early.append((offset, calls))
        before, self.own = self.own, _with_more(self.own, 1, int(calls), offset)
        if (before.unread, before.mentions_unread) != (self.own.unread, self.own.mentions_unread):
            self._follower.counted(self)


def _with_more(own: OwnRoom, messages: int, mentions: int, last_offset: int) -> OwnRoom:
    return replace(
        own,
        last_offset=last_offset,
        unread=min(own.unread + messages, UNREAD_MAX),
        mentions_unread=min(own.mentions_unread + mentions, UNREAD_MAX),
    )
