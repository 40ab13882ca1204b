"""Recoveries: the entries of a room's log after a position, if the log still goes on from there.

Many are read together: those that want nearby entries of one room share them, and all rooms are in one statement. So
each sees the room's row and its entries as they were at one moment.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from chat import models
from chat.domain.events import Event, Kind
from chat.domain.people import Person
from chat.domain.positions import START, Position
from chat.domain.rooms import Room
from chat.errors import ChatError
from chat.storage import deletions, history, permissions, quotes
from chat.storage.database import reads_long

ENTRIES_MAX = 1000  # in one call of `recover_all`, by `fitting`
RANGES_PER_STATEMENT = 100  # SQLite puts at most 500 SELECTs into one statement
OFFSET_MAX = 2**63 - 1
COLUMNS = ", ".join(f'message."{field.column}"' for field in models.Message._meta.concrete_fields)
# One row for each entry, or one without an entry. Offsets have no holes, so their ends bound the rows, and PostgreSQL
# needs no more than the index on room and offset.
SELECT_RANGE = f"""
    SELECT {{number}} AS number, room.last_offset, room.pruned_to, room.restricted, {COLUMNS}
    FROM chat_room AS room
    LEFT JOIN chat_message AS message ON message.room_id = room.id AND message."offset" BETWEEN %s AND %s
    WHERE room.name = %s
"""

Range = tuple[int, int]
"""The first and the last of some offsets that follow each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRequest:
    """Asks for the first `size` entries after `after`, for `person`; None is the site itself.

    They are refused if more than CHAT_RECOVERY_MAX were missed. `resumed` asks for the next part: then it doesn't
    matter how much was said since the first part was read.
    """

    room: Room
    after: Position
    size: int
    resumed: bool = False
    person: Person | None

    @property
    def range(self) -> Range:
        """The offsets to read. The first is that of the position itself, whose id has to be compared."""
        return self.after.offset, min(self.after.offset + self.size, OFFSET_MAX)


@dataclass(frozen=True, slots=True)
class Recovery:
    """The `events` after a position, or the first of them. None if the log doesn't go on from there.

    `after` is that position as the database has it: without an id, if the entry is no longer kept. `end` is where the
    log ends; its id is given where there are no events.
    """

    events: list[Event] | None
    after: Position
    end: Position

    @property
    def last(self) -> Position:
        """The position of a listener that has heard these events."""
        return (self.events[-1].position if self.events else None) or self.after

    def leads_to(self, position: Position) -> bool:
        """Whether these events end at `position`, in the same log, or are on the way there."""
        if self.events is None or self.last.offset > position.offset:
            return False
        if self.last.offset < position.offset:
            return bool(self.events)
        return position.id is None or self.last.id in {None, position.id}


@dataclass(slots=True)
class RoomLog:
    """A room's row, and the entries that were read, by their offsets."""

    last_offset: int
    pruned_to: int
    restricted: bool
    entries: dict[int, Event]

    def recovery(self, request: RecoveryRequest) -> Recovery | None:
        """None if what was asked for can't be had."""
        position = request.after
        if not request.resumed and self.last_offset - position.offset > settings.CHAT_RECOVERY_MAX:
            return None
        if not self._goes_on(position):
            return None
        following = map(self.entries.get, range(position.offset + 1, request.range[1] + 1))
        events = [event for event in itertools.takewhile(lambda event: event is not None, following) if event]
        if not events and request.size > 0 and self.last_offset > position.offset:
            return None
        at = self.entries.get(position.offset)
        return Recovery(events, replace(position, id=at.id if at else None), Position(self.last_offset))

    def _goes_on(self, position: Position) -> bool:
        """Whether the log is still the one of `position`, and what came after that is kept."""
        if not self.pruned_to <= position.offset <= self.last_offset:
            return False
        if position.id is None or position.offset == 0:
            return True
        at = self.entries.get(position.offset)
        # An entry that has been pruned proves nothing.
        return at.id == position.id if at is not None else position.offset == self.pruned_to


def fitting(requests: Sequence[RecoveryRequest]) -> list[int]:
    """The numbers of those to be read in one call: the first one, and each that needs few entries that others don't."""
    fit: list[int] = []
    ranges: dict[Room, list[Range]] = defaultdict(list)
    entries = 0
    for number, request in enumerate(requests):
        merged = _merged([*ranges[request.room], request.range])
        more = _length(merged) - _length(ranges[request.room])
        if fit and entries + more > ENTRIES_MAX:
            continue
        fit.append(number)
        ranges[request.room] = merged
        entries += more
    return fit


@reads_long
def recover_all(requests: Sequence[RecoveryRequest]) -> list[Recovery | ChatError]:
    """A recovery for each of `requests`, in their order; Banned or NotAMember in the place of one that is forbidden.

    A statement for each hundred ranges; if there are any, one for what replies quote, and one for the messages that
    edits and reactions change; one for permissions if a room is restricted, and one for the ends of logs that have to
    be started over.
    """
    logs = _read(requests)
    found = [logs[request.room].recovery(request) for request in requests]
    refused = {request.room for request, recovery in zip(requests, found, strict=True) if recovery is None}
    heads = history.heads(refused) if refused else {}
    # Asked last: a person who was removed meanwhile is told nothing. Where a room was restricted meanwhile, a notice
    # tells of it.
    problems = permissions.problems_of(
        (request.room, request.person)
        for request, recovery in zip(requests, found, strict=True)
        if request.person is not None and (logs[request.room].restricted or _has_notice(recovery))
    )
    return [
        (request.person and problems.get((request.room, request.person)))
        or recovery
        or Recovery(None, request.after, heads[request.room].position)
        for request, recovery in zip(requests, found, strict=True)
    ]


def _has_notice(recovery: Recovery | None) -> bool:
    return any(event.kind is Kind.NOTICE for event in (recovery and recovery.events) or ())


def _read(requests: Iterable[RecoveryRequest]) -> dict[Room, RoomLog]:
    """The parts of each room's log that the requests need. A room that doesn't exist yet has an empty one."""
    ranges: dict[Room, list[Range]] = defaultdict(list)
    for request in requests:
        ranges[request.room].append(request.range)
    logs = {room: RoomLog(START.offset, START.offset, room.is_direct, {}) for room in ranges}
    selects = [(room, one) for room, several in ranges.items() for one in _merged(several)]
    for first in range(0, len(selects), RANGES_PER_STATEMENT):
        _read_ranges(selects[first : first + RANGES_PER_STATEMENT], logs)
    _complete(logs)
    return logs


def _complete(logs: Mapping[Room, RoomLog]) -> None:
    """Fills in what the replies quote, and leaves out what changes say of deleted messages.

    A query for some hundreds of either, none where there are none.
    """
    incomplete = [
        (log, event) for log in logs.values() for event in log.entries.values() if event.reply_to or event.target
    ]
    events = deletions.without_deleted(quotes.with_quotes([event for _, event in incomplete]))
    for (log, _), event in zip(incomplete, events, strict=True):
        log.entries[event.offset or 0] = event


def _read_ranges(selects: Sequence[tuple[Room, Range]], logs: dict[Room, RoomLog]) -> None:
    """Puts what is stored of some rooms' ranges into their logs. One statement."""
    statement = " UNION ALL ".join(SELECT_RANGE.format(number=number) for number in range(len(selects)))
    parameters = [value for room, (first, last) in selects for value in (first, last, room.name)]
    found: Iterable[Any] = models.Message.objects.raw(statement, parameters)
    for row in sorted(found, key=lambda row: (row.number, row.offset or 0)):
        room = selects[row.number][0]
        log = logs[room]
        log.last_offset, log.pruned_to, log.restricted = row.last_offset, row.pruned_to, bool(row.restricted)
        if row.offset is not None:
            before = log.entries.get(row.offset - 1)
            log.entries[row.offset] = history.as_event(row, room, previous=before.id if before else None)


def _merged(ranges: Iterable[Range]) -> list[Range]:
    """The same offsets by ranges that don't overlap."""
    merged: list[Range] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _length(ranges: Iterable[Range]) -> int:
    return sum(last - first + 1 for first, last in ranges)
