"""Recoveries: the entries of a room's log after a position, if the log still goes on from there.

Many are read together: those that want nearby entries of one room share them, and all rooms are in one statement. So
each sees the room's row and its entries as they were at one moment.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chat import models
from chat.domain.events import Kind
from chat.domain.recoveries import LogPart, Range, Recovery, RecoveryRequest, merged
from chat.domain.rooms import Room
from chat.errors import ChatError
from chat.storage import deletions, history, permissions, quotes
from chat.storage.database import reads_long

RANGES_PER_STATEMENT = 100  # SQLite puts at most 500 SELECTs into one statement
COLUMNS = ", ".join(f'message."{field.column}"' for field in models.Message._meta.concrete_fields)
# One row for each entry, or one without an entry. Offsets have no holes, so their ends bound the rows, and PostgreSQL
# needs no more than the index on room and offset.
SELECT_RANGE = f"""
    SELECT {{number}} AS number, room.last_offset, room.pruned_to, room.restricted, {COLUMNS}
    FROM chat_room AS room
    LEFT JOIN chat_message AS message ON message.room_id = room.id AND message."offset" BETWEEN %s AND %s
    WHERE room.name = %s
"""


@dataclass(slots=True)
class RoomLog(LogPart):
    """A part of a room's log, and whether it has to be looked up who may hear the room."""

    restricted: bool = False


@reads_long
def recover_all(requests: Sequence[RecoveryRequest]) -> list[Recovery | ChatError]:
    """A recovery for each of `requests`, in their order; Banned or NotAMember in the place of one that is forbidden.

    A statement for each hundred ranges; if there are any, one for what replies quote, and one for the messages that
    edits and reactions change; one for permissions if a room is restricted, and one for the ends of logs that have to
    be started over.
    """
    logs = _read(requests)
    found = [logs[request.log].recovery(request) for request in requests]
    refused = {request.log for request, recovery in zip(requests, found, strict=True) if recovery is None}
    heads = history.heads(refused) if refused else {}
    # Asked last: a person who was removed meanwhile is told nothing. Where a room was restricted meanwhile, a notice
    # tells of it.
    problems = permissions.problems_of(
        (request.log, request.person)
        for request, recovery in zip(requests, found, strict=True)
        if request.person is not None and (logs[request.log].restricted or _has_notice(recovery))
    )
    return [
        (request.person and problems.get((request.log, request.person)))
        or recovery
        or Recovery(None, request.after, heads[request.log].position)
        for request, recovery in zip(requests, found, strict=True)
    ]


def _has_notice(recovery: Recovery | None) -> bool:
    return any(event.kind is Kind.NOTICE for event in (recovery and recovery.events) or ())


def _read(requests: Iterable[RecoveryRequest]) -> dict[Room, RoomLog]:
    """The parts of each room's log that the requests need."""
    ranges: dict[Room, list[Range]] = defaultdict(list)
    for request in requests:
        ranges[request.log].append(request.range)
    return read({room: merged(several) for room, several in ranges.items()})


@reads_long
def read(ranges: Mapping[Room, Sequence[Range]]) -> dict[Room, RoomLog]:
    """The entries of each room in some ranges, which don't overlap. A room that doesn't exist yet has none."""
    logs = {room: RoomLog(restricted=room.is_direct) for room in ranges}
    selects = [(room, one) for room, several in ranges.items() for one in several]
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
