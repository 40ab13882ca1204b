"""The statements that store messages: as many for hundreds of messages in as many rooms as for one.

On PostgreSQL it is one statement, in a transaction of its own. So it takes one round trip, and a room's lock is never
held while somebody waits for the network. SQLite knows no such statement, and has no network; there it is two.
"""

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, TypedDict

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from chat import models
from chat.domain.files import JsonAttachment
from chat.domain.people import JsonPerson
from chat.domain.rooms import Room, folded
from chat.storage import prepared


class NewMessage(TypedDict):
    """Columns of a message that is to be stored. Its room, its offset and its time come from elsewhere."""

    uid: str
    text: str
    person_id: str
    person_name: str
    sender: str
    client_id: str | None
    process: int
    thread: str
    reply_to: int | None
    mentions: list[JsonPerson] | None
    attachments: list[JsonAttachment] | None


@dataclass(frozen=True, slots=True)
class Place:
    """The room's next offset, held by the running transaction until it ends."""

    room: Room
    room_id: int
    offset: int
    restricted: bool
    limits_posts: bool = False
    """Whether it is read-only or in slow mode."""

    @property
    def is_checked(self) -> bool:
        """Whether the permission of each person who posts there has to be looked up."""
        return self.restricted or self.limits_posts


@dataclass(frozen=True, slots=True)
class Link:
    """The offset at which a message was stored, and the id of the entry before it, if there is one and it is kept."""

    offset: int
    previous: str | None


# Finds or makes the rooms' rows, adds to their last offsets, and locks them until the transaction ends. So offsets have
# the order of the commits, and those that are rolled back are given to the next. All name their rooms in the same
# order, here and below: nobody holds a room and waits for one who waits for that room. A room in which each
# post has to be looked up gives no row unless such rooms are meant too: a restricted one, or one that limits posts.
TAKE = """
    ON CONFLICT (name) DO UPDATE SET
        last_offset = chat_room.last_offset + excluded.last_offset,
        search_name = excluded.search_name,
        active_at = CASE WHEN excluded.last_offset > 0 AND excluded.active_at > chat_room.active_at
            THEN excluded.active_at ELSE chat_room.active_at END
        WHERE %s OR NOT (chat_room.restricted OR chat_room.read_only OR chat_room.slow_mode > 0)
"""
TAKE_OFFSETS = f"""
    INSERT INTO chat_room (name, last_offset, pruned_to, search_name, active_at) VALUES {{rooms}} {TAKE}
    RETURNING name, id, last_offset, restricted, read_only OR slow_mode > 0
"""
COLUMNS = [*NewMessage.__annotations__]
INSERT = f'INSERT INTO chat_message (room_id, "offset", sent_at, {", ".join(COLUMNS)})'
# The entry before, by a range of one offset and an order, so that PostgreSQL takes the index that has this order. By
# `=` it may take another one while the table is empty, keep that plan, and go through all messages of the room.
RETURNING = """
    RETURNING CAST(uid AS text), room_id, "offset", (
        SELECT COALESCE(CAST(previous.uid AS text), CAST(previous.id AS text)) FROM chat_message AS previous
        WHERE previous.room_id = chat_message.room_id
            AND previous."offset" >= chat_message."offset" - 1 AND previous."offset" < chat_message."offset"
        ORDER BY previous."offset" DESC LIMIT 1
    )
"""
INSERT_ROWS = f"{INSERT} VALUES {{messages}} {RETURNING}"
# `later` is the number of messages in the same room that come after this one.
TAKE_OFFSETS_AND_INSERT = f"""
    WITH room AS (
        INSERT INTO chat_room (name, last_offset, pruned_to, search_name, active_at)
        SELECT name, size, 0, search_name, CAST(active_at AS timestamptz)
        FROM json_to_recordset(%s) AS new (name text, size bigint, search_name text, active_at text)
        {TAKE}
        RETURNING id, name, last_offset
    )
    {INSERT}
    SELECT room.id, room.last_offset - later, %s, {", ".join(COLUMNS)}
    FROM json_to_recordset(%s) AS new (
        room text, later bigint, uid uuid, text text, person_id text, person_name text, sender text, client_id text,
        process bigint, thread text, reply_to bigint, mentions jsonb, attachments jsonb
    )
    JOIN room ON room.name = new.room
    {RETURNING}
"""
STORED_BEFORE = """
    SELECT message.* FROM (VALUES {identities}) AS identity  -- whose columns are called so by both databases
    JOIN chat_message AS message ON message.room_id = column1 AND message.sender = column2 AND client_id = column3
"""

Messages = Mapping[Room, Sequence[NewMessage]]
Inserted = list[tuple[str, int, int, str | None]]  # uid, room's id, offset, and the id of the entry before


def take_offsets(counts: Mapping[Room, int], *, restricted_too: bool = True) -> dict[Room, Place]:
    """Takes so many offsets in each room, and locks the rooms. Each place has the last offset that was taken."""
    rooms = {room.name: room for room in _in_order(counts)}
    statement = TAKE_OFFSETS.format(rooms=_rows(len(rooms), "%s, %s, 0, %s, %s"))
    now = connection.ops.adapt_datetimefield_value(_minute_of(timezone.now()))
    values = [value for name, room in rooms.items() for value in (name, counts[room], folded(name), now)]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, restricted_too])
        return {
            rooms[name]: Place(rooms[name], room_id, last_offset, bool(restricted), bool(limits_posts))
            for name, room_id, last_offset, restricted, limits_posts in cursor.fetchall()
        }


def insert(messages: Messages, sent_at: datetime, *, restricted_too: bool) -> dict[str, Link]:
    """Stores the messages of each room, in their order, at its next offsets. Returns their links by `uid`.

    Those of rooms that are restricted, or limit posts, are stored only if such rooms are meant too. Raises
    IntegrityError if one of the messages was stored before; then the transaction has to be undone.
    """
    insert_rows = _insert_at_once if connection.vendor == "postgresql" else _insert_at_places
    return _linked(insert_rows(messages, sent_at, restricted_too))


def stored_before(identities: Iterable[tuple[int, str, str]]) -> Iterable[models.Message]:
    """The messages that have one of these room's ids, senders and client ids. One query."""
    values = [*itertools.chain.from_iterable(identities)]
    if not values:
        return ()
    return models.Message.objects.raw(STORED_BEFORE.format(identities=_rows(len(values) // 3, "%s, %s, %s")), values)


def _insert_at_once(messages: Messages, sent_at: datetime, restricted_too: bool) -> Inserted:
    now = _minute_of(sent_at).isoformat()
    rooms = [
        {"name": room.name, "size": len(messages[room]), "search_name": folded(room.name), "active_at": now}
        for room in _in_order(messages)
    ]
    new = [
        {"room": room.name, "later": later, **message}
        for room, those in messages.items()
        for later, message in zip(reversed(range(len(those))), those, strict=True)
    ]
    return prepared.rows(TAKE_OFFSETS_AND_INSERT, [json.dumps(rooms), restricted_too, sent_at, json.dumps(new)])


def _insert_at_places(messages: Messages, sent_at: datetime, restricted_too: bool) -> Inserted:
    places = take_offsets({room: len(those) for room, those in messages.items()}, restricted_too=restricted_too)
    at = connection.ops.adapt_datetimefield_value(sent_at)
    rows: list[tuple[Any, ...]] = [
        (place.room_id, offset, at, *map(_as_value, message.values()))
        for room, place in places.items()
        for offset, message in enumerate(messages[room], place.offset - len(messages[room]) + 1)
    ]
    if not rows:
        return []
    statement = INSERT_ROWS.format(messages=_rows(len(rows), ", ".join(["%s"] * len(rows[0]))))
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in rows for value in row])
        inserted: Inserted = cursor.fetchall()
    return inserted


def _as_value(column: object) -> object:
    return json.dumps(column) if isinstance(column, list) else column


def _linked(inserted: Inserted) -> dict[str, Link]:
    # No statement sees what it inserts itself.
    ids = {(room_id, offset): models.without_hyphens(uid) for uid, room_id, offset, _ in inserted}
    before = {(room_id, offset): models.without_hyphens(id) for _, room_id, offset, id in inserted if id}
    unseen = [
        (room_id, offset - 1)
        for room_id, offset in ids
        if offset > 1 and (room_id, offset) not in before and (room_id, offset - 1) not in ids
    ]
    stored = ids | _ids(unseen)
    return {
        uid: Link(offset, before.get((room_id, offset)) or stored.get((room_id, offset - 1)))
        for (room_id, offset), uid in ids.items()
    }


def _ids(places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """The ids of the entries at these rooms' ids and offsets.

    For those that another process has stored after a statement began, and before the statement had the room's lock.
    """
    wanted = [Q(room=room_id, offset=offset) for room_id, offset in places]
    if not wanted:
        return {}
    found = models.Message.objects.filter(reduce(or_, wanted)).values_list("room_id", "offset", "id", "uid")
    return {(room_id, offset): models.entry_id(pk, uid) for room_id, offset, pk, uid in found}


def _minute_of(time: datetime) -> datetime:
    """By the minute, so that most posts leave a room's `active_at` and its index as they are: see models.Room."""
    return time.replace(second=0, microsecond=0)


def _in_order(rooms: Iterable[Room]) -> list[Room]:
    """By the code points of their names, whatever the database's collation."""
    return sorted(rooms, key=lambda room: room.name)


def _rows(count: int, row: str) -> str:
    return ", ".join([f"({row})"] * count)
