"""Search: messages that a person may read and that have what is looked for, the newest first.

The order is that of the messages' primary keys: in it they came to the site. What a person may read is part of the
statement, so that rooms which are closed to them change neither what is found, nor how much, nor where a page ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from chat import models
from chat.domain.events import Event
from chat.domain.people import USER, Person
from chat.domain.rooms import Room, folded
from chat.domain.search import Query
from chat.domain.search_terms import joined
from chat.domain.texts import is_storable
from chat.storage import (
    accounts,
    history,
    quotes,
    search_feed,
    search_index,
    search_postgresql,
    search_sqlite,
    search_unindexed,
)
from chat.storage.database import reads_long
from chat.storage.history import MESSAGE_COLUMNS
from chat.storage.search_hits import Asked

KEY_MAX = 2**63 - 1
ROOMS_MAX = 100  # that are named in a statement; of people who may read more, each hit is looked up

SELECT_ROOMS = f"""
    SELECT room.id FROM chat_room AS room WHERE {Asked.READABLE} {{named}} LIMIT {ROOMS_MAX + 1}
"""
SELECT_CLOSED = f"""
    SELECT room.id FROM chat_room AS room WHERE room.restricted AND NOT {Asked.READABLE}
    ORDER BY room.last_offset DESC LIMIT {ROOMS_MAX}
"""
NAMED = "AND (room.name IN ({names}) OR room.search_name IN ({names}))"
SELECT_MESSAGES = f"""
    SELECT {MESSAGE_COLUMNS}, room.name AS room_name
    FROM chat_message AS message JOIN chat_room AS room ON room.id = message.room_id
    WHERE message.id IN ({{ids}}) AND message.kind = 'message' AND message.deletion IS NULL
    ORDER BY message.id DESC
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A message that was found, and its primary key, by which the page after it is asked for."""

    event: Event
    key: int


@dataclass(frozen=True, slots=True)
class Results:
    """A page of what was found for `query`, and whether there is more.

    `is_complete` is false while older messages aren't indexed yet, so that some may be missing.
    """

    query: Query
    found: list[Found]
    has_more: bool = False
    is_complete: bool = True


@reads_long
def find(query: Query, *, person: Person, size: int, after: int | None = None) -> Results:
    """The next `size` messages, the newest first, after the one with the key `after`.

    Days begin as they do where `person` is. A query that is empty finds nothing, as does one for a room that `person`
    may not read. At most twelve statements.
    """
    if query.is_empty:
        return Results(query, [])
    rooms = [_rooms(names, person) for names in query.rooms or [()]]
    if not all(rooms):
        return Results(query, [])
    zone = _zone_of(person) if query.before or query.after else UTC
    tags = [*(_people(names, person) for names in query.people), *(some.tags for some in rooms if some.tags)]
    asked = Asked(
        phrases=query.phrases,
        tags=tuple(tags),
        person=person,
        before=_begin(query.before, zone),
        after=_begin(query.after, zone),
        has_file=query.has_file,
        closed=_closed(person) if any(some.everywhere for some in rooms) else (),
    )
    before = KEY_MAX if after is None else after
    indexed = search_sqlite.keys if connection.vendor == "sqlite" else search_postgresql.keys
    keys = {*search_unindexed.keys(asked, size + 1, before), *indexed(asked, size + 1, before)}
    found = sorted(keys, reverse=True)
    return Results(
        query=query,
        found=_messages(found[:size]),
        has_more=len(found) > size,
        is_complete=len(found) > size or not search_feed.remaining(),
    )


@dataclass(frozen=True, slots=True)
class _Rooms:
    """The rooms to search: by their tags, or all that a person may read."""

    tags: tuple[str, ...] = ()
    everywhere: bool = False

    def __bool__(self) -> bool:
        return self.everywhere or bool(self.tags)


def _rooms(names: Sequence[str], person: Person) -> _Rooms:
    """Those rooms called so that `person` may read; if none is named, all. One statement; two for tokens of rooms."""
    only = None if person.grant is None else person.grant.rooms
    if only is not None:
        names = names or sorted(only)
        if not names:
            return _Rooms()
    values = Asked.readable_values(person)
    named = ""
    if names:
        known = [name for name in names if is_storable(name)] or [""]
        named = NAMED.format(names=", ".join(["%s"] * len(known)))
        values += [*known, *map(folded, known)]
    with connection.cursor() as cursor:
        cursor.execute(SELECT_ROOMS.format(named=named), values)
        ids = [id for (id,) in cursor.fetchall()]
    if only is not None:
        allowed = {*models.Room.objects.filter(name__in=only).values_list("pk", flat=True)}
        ids = [id for id in ids if id in allowed]
    if len(ids) > ROOMS_MAX and not names:
        return _Rooms(everywhere=True)
    return _Rooms(tuple(search_index.room_tag(id) for id in ids[:ROOMS_MAX]))


def _closed(person: Person) -> tuple[str, ...]:
    """The tags of the rooms that `person` may not read, those with the longest logs. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(SELECT_CLOSED, Asked.readable_values(person))
        return tuple(search_index.room_tag(id) for (id,) in cursor.fetchall())


def _people(names: Sequence[str], person: Person) -> tuple[str, ...]:
    """The tags of messages by people who are called so, or were when they wrote them; `me` is `person`, too."""
    tags = [search_index.name_tag(name) for name in names]
    for users in accounts.alike(name for name in names if is_storable(name)).values():
        called = {joined(name) for name in names}
        tags += [
            search_index.user_tag(f"{USER}{user.pk}")
            for user in users
            if called & {joined(user.get_username()), joined(accounts.display_name(user))}
        ]
    if "me" in names and not person.is_guest:
        tags.append(search_index.user_tag(person.id))
    return tuple(dict.fromkeys(tags))


def _begin(day: date | None, zone: tzinfo) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), zone).astimezone(UTC)


def _messages(keys: Sequence[int]) -> list[Found]:
    if not keys:
        return []
    statement = SELECT_MESSAGES.format(ids=", ".join(["%s"] * len(keys)))
    rows: list[Any] = list(models.Message.objects.raw(statement, list(keys)))
    events = quotes.with_quotes([history.as_event(row, Room(row.room_name)) for row in rows])
    return [Found(event, row.pk) for event, row in zip(events, rows, strict=True)]


def _zone_of(person: Person) -> tzinfo:
    """The time zone of the person's profile, or the site's. One query; none for guests."""
    if not person.is_guest:
        name = models.Profile.objects.filter(user=person.user_id).values_list("time_zone", flat=True).first()
        if name:
            return ZoneInfo(name)
    return UTC
