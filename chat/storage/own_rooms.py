"""A person's own rooms: those that they have a reading of, with how much is unread.

How much is unread is counted where it is asked for, among the last ENTRIES_MAX entries of a log. So it takes no more
rows than that, however long the log is, and few more than UNREAD_MAX where most entries are messages.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from chat.domain.mentions import EVERYBODY
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.models import Involvement
from chat.storage import direct_rooms
from chat.storage.database import reads_long
from chat.storage.pairs import Pair, read_pairs

ROOMS_MAX = 200  # of a person's rooms, those that were active last, are shown and followed
UNREAD_MAX = 100  # messages; where this many are unread, there may be more
ENTRIES_MAX = 1000  # entries at the end of a log, among which messages are counted

# People who ignore nobody cost no more than the look at whether they do.
HEARD = """(NOT found.ignores OR NOT EXISTS (
    SELECT 1 FROM chat_ignoredperson AS one WHERE one.person_id = found.person_id AND one.ignored_id = {author}
))"""
# The messages of others after what was read, without those that are deleted, and those of people who are ignored.
# Offsets have no holes, so their ends bound the rows, whatever plan a database makes.
UNREAD = f"""
    SELECT COUNT(*) FROM (
        SELECT 1 FROM chat_message
        WHERE room_id = found.room_id AND "offset" > found.counted_from
            AND kind = 'message' AND deletion IS NULL AND person_id <> found.person_id
            AND {HEARD.format(author="chat_message.person_id")}
        LIMIT {UNREAD_MAX}
    ) AS unread
"""
MENTIONS_UNREAD = f"""
    SELECT COUNT(DISTINCT "offset") FROM (
        SELECT "offset" FROM chat_mention
        WHERE room_id = found.room_id AND person_id IN (found.person_id, '{EVERYBODY.id}')
            AND "offset" > found.read_offset AND caller_id <> found.person_id
            AND {HEARD.format(author="caller_id")}
        LIMIT {UNREAD_MAX}
    ) AS mentions_unread
"""
# A room is known to be open to a person without a look at members and bans, unless it is restricted.
READABLE = """(room.restricted IS NOT TRUE OR (
    (NOT room.is_private OR EXISTS (SELECT 1 FROM chat_roommember WHERE room_id = room.id AND user_id = {user_id}))
    AND NOT EXISTS (SELECT 1 FROM chat_ban WHERE room_id = room.id AND person_id = {person_id})
))"""
COLUMNS = f"""
    reading.person_id, reading.room_name, reading.read_offset, reading.involvement, room.id AS room_id,
    COALESCE(room.last_offset, 0) AS last_offset, COALESCE(last.sent_at, reading.entered_at) AS active_at,
    CASE WHEN reading.read_offset > room.last_offset - {ENTRIES_MAX} THEN reading.read_offset
        ELSE room.last_offset - {ENTRIES_MAX} END AS counted_from,
    EXISTS (SELECT 1 FROM chat_ignoredperson WHERE person_id = reading.person_id) AS ignores
"""
JOINS = """
    LEFT JOIN chat_room AS room ON room.name = reading.room_name
    LEFT JOIN chat_message AS last ON last.room_id = room.id AND last."offset" = room.last_offset
"""
FOUND = "found.room_name, found.read_offset, found.involvement, found.last_offset, found.active_at"
SELECT_OWN = f"""
    SELECT {FOUND}, ({UNREAD}), ({MENTIONS_UNREAD}) FROM (
        SELECT {COLUMNS} FROM chat_reading AS reading {JOINS}
        WHERE reading.person_id = %s AND {READABLE.format(user_id="%s", person_id="%s")} {{after}}
        ORDER BY active_at DESC, reading.room_name LIMIT %s
    ) AS found
    ORDER BY found.active_at DESC, found.room_name
"""
ACTIVE_AT = "COALESCE(last.sent_at, reading.entered_at)"
AFTER = f"AND ({ACTIVE_AT} < %s OR ({ACTIVE_AT} = %s AND reading.room_name > %s))"
SELECT_PAIRS = f"""
    WITH pair (number, room_name, user_id, person_id) AS (VALUES {{pairs}})
    SELECT found.number, {FOUND}, ({UNREAD}), ({MENTIONS_UNREAD}) FROM (
        SELECT {COLUMNS}, pair.number FROM pair
        JOIN chat_reading AS reading ON reading.person_id = pair.person_id AND reading.room_name = pair.room_name
        {JOINS}
        WHERE {READABLE.format(user_id="pair.user_id", person_id="pair.person_id")}
    ) AS found
"""


@dataclass(frozen=True, slots=True)
class OwnRoom:
    """One of a person's rooms, as they have read it. `unread` is the number of messages, up to UNREAD_MAX.

    So is `mentions_unread`, of those that call the person, or the whole room.

    `last_offset` is where the log ended when they were counted. `active_at` is the time of the last entry, or of when
    the person entered, where nothing is kept.
    """

    room: Room
    read_offset: int
    involvement: Involvement
    last_offset: int
    active_at: datetime
    unread: int
    mentions_unread: int = 0
    others: tuple[Person, ...] = ()
    """Of a direct room: its members without the person, by name."""

    @property
    def display_name(self) -> str:
        """The name of the room as the person is shown it."""
        return direct_rooms.display_name(self.room, self.others)


@reads_long
def own_rooms(person: Person, *, size: int, after: OwnRoom | tuple[datetime, str] | None = None) -> list[OwnRoom]:
    """The next `size` rooms of `person` that they may enter, the last active one first.

    One statement, and one for the people of direct rooms.

    `after` is the last one of the page before, or its `active_at` and name.
    """
    if isinstance(after, OwnRoom):
        after = after.active_at, after.room.name
    values: list[Any] = [person.id, person.user_id, person.id]
    if after is not None:
        at = connection.ops.adapt_datetimefield_value(after[0])
        values += [at, at, after[1]]
    statement = SELECT_OWN.format(after="" if after is None else AFTER)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, size])
        found = {(own.room, person): own for own in (_own_room(*row) for row in cursor.fetchall())}
    return [*_with_others(found).values()]


@reads_long
def by_pair(pairs: Iterable[Pair]) -> dict[Pair, OwnRoom]:
    """The reading of each person of the room beside them; nothing for a room that is not theirs, or closed to them.

    One statement for some hundreds of pairs, and one for the people of direct rooms.
    """
    return _with_others({pair: _own_room(*row) for pair, row in read_pairs(SELECT_PAIRS, pairs)})


def _with_others(found: dict[Pair, OwnRoom]) -> dict[Pair, OwnRoom]:
    """The same, with the other members of the direct rooms among them. One query, if there is any."""
    others = direct_rooms.others(found)
    return {pair: replace(own, others=others[pair]) if pair in others else own for pair, own in found.items()}


def _own_room(
    name: str,
    read_offset: int,
    involvement: str,
    last_offset: int,
    active_at: datetime | str,
    unread: int,
    mentions_unread: int,
) -> OwnRoom:
    if isinstance(active_at, str):  # SQLite has no type for it
        active_at = datetime.fromisoformat(active_at)
    at = active_at if active_at.tzinfo else active_at.replace(tzinfo=UTC)
    return OwnRoom(Room(name), read_offset, Involvement(involvement), last_offset, at, unread, mentions_unread)
