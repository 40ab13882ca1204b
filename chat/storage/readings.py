"""Readings: how far people have read their rooms, and what they want to be told of there.

A person has a reading of a room from when they enter it, or are made a member, to when they leave it. Nothing is
written here when somebody posts. `chat.storage.own_rooms` reads them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Max, QuerySet, Sum
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone

from chat import models
from chat.domain import people
from chat.domain.people import GUEST, USER, Person
from chat.domain.rooms import Room
from chat.errors import ChatError
from chat.models import Involvement
from chat.storage import permissions
from chat.storage.database import reads_long, writes

OFFSET_MAX = 2**63 - 1
MARKS_PER_STATEMENT = 300  # of three values each; not every build of SQLite takes more than a thousand
# Nobody has read beyond the end. A person who enters has read all that was said before.
INSERT = """
    WITH given (person_id, room_name, read_offset) AS (VALUES {rows})
    INSERT INTO chat_reading (person_id, room_name, entered_at, read_offset)
    SELECT given.person_id, given.room_name, %s, CASE
        WHEN given.read_offset < room.last_offset THEN given.read_offset ELSE COALESCE(room.last_offset, 0)
    END
    FROM given LEFT JOIN chat_room AS room ON room.name = given.room_name
    WHERE TRUE
    ON CONFLICT (person_id, room_name) DO UPDATE SET {changes}
    RETURNING person_id, room_name
"""
READ = """read_offset = excluded.read_offset, changes = chat_reading.changes + 1
    WHERE excluded.read_offset > chat_reading.read_offset"""
ENTER = "entered_at = excluded.entered_at"
# In the order of the keys, as all readings are made: see `_insert`.
INSERT_MEMBERS = f"""
    INSERT INTO chat_reading (person_id, room_name, entered_at, read_offset)
    SELECT '{USER}' || CAST(member.user_id AS text), room.name, %s, %s
    FROM chat_room AS room JOIN chat_roommember AS member ON member.room_id = room.id
    WHERE room.name = %s ORDER BY 1
    ON CONFLICT (person_id, room_name) DO NOTHING
    RETURNING person_id
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """`person` has read `room` up to `offset`."""

    room: Room
    person: Person
    offset: int = OFFSET_MAX


class Digest(NamedTuple):
    """The state of all readings of a person: any change makes another."""

    rooms: int
    changes: int
    newest: int


@writes
def mark_read(marks: Sequence[Mark]) -> list[ChatError | None]:
    """Moves readings on to these offsets, if they aren't there yet, and makes those that are missing.

    Returns for each mark None or, in its place, Banned or NotAMember. Two statements for some hundreds of marks.
    """
    problems = permissions.problems_of((mark.room, mark.person) for mark in marks)
    furthest: dict[tuple[str, str], int] = {}
    for mark in marks:
        if problems[mark.room, mark.person] is None:
            key = mark.person.id, mark.room.name
            furthest[key] = max(mark.offset, furthest.get(key, 0))
    _insert(furthest, READ)
    return [problems[mark.room, mark.person] for mark in marks]


@writes
def enter(marks: Sequence[Mark]) -> None:
    """Makes these rooms the persons' own, read up to the offset of the mark, if they aren't yet."""
    _insert({(mark.person.id, mark.room.name): mark.offset for mark in marks}, ENTER)


def enter_members(room: Room, *, read_offset: int) -> list[str]:
    """Makes `room` the own room of all members of whom it isn't yet. Returns the ids of these."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(INSERT_MEMBERS, [now, read_offset, room.name])
        return [person_id for (person_id,) in cursor.fetchall()]


def _insert(offsets: Mapping[tuple[str, str], int], changes: str) -> None:
    """Inserts readings, in the order of their keys, so that no two of these wait for each other."""
    given = [(person_id, room_name, offsets[person_id, room_name]) for person_id, room_name in sorted(offsets)]
    typed = "(CAST(%s AS text), CAST(%s AS text), CAST(%s AS bigint))"
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    for first in range(0, len(given), MARKS_PER_STATEMENT):
        some = given[first : first + MARKS_PER_STATEMENT]
        rows = ", ".join([typed, *["(%s, %s, %s)"] * (len(some) - 1)])
        with connection.cursor() as cursor:
            cursor.execute(INSERT.format(rows=rows, changes=changes), [*(value for row in some for value in row), now])


@writes
def mark_unread(room: Room, person: Person, offset: int) -> None:
    """Takes the reading back to before `offset`, if it is further. Raises Banned or NotAMember."""
    permissions.check(room, person)
    enter([Mark(room, person)])
    _of(person, room).filter(read_offset__gte=offset).update(read_offset=max(0, offset - 1), changes=F("changes") + 1)


@writes
def set_involvement(room: Room, person: Person, involvement: Involvement) -> None:
    """Sets what `person` is told of, and makes the room one of theirs. Raises Banned or NotAMember."""
    permissions.check(room, person)
    enter([Mark(room, person)])
    _of(person, room).update(involvement=involvement, changes=F("changes") + 1)


@writes
def leave(room: Room, person: Person) -> None:
    """Makes the room none of the person's any more."""
    _of(person, room).delete()


@reads_long
def digests(person_ids: Collection[str]) -> dict[str, Digest]:
    """The digest of each person who has readings. One query."""
    rows = models.Reading.objects.filter(person_id__in=person_ids).values_list("person_id")
    found = rows.annotate(Count("pk"), Sum("changes"), Max("pk"))
    return {person_id: Digest(*digest) for person_id, *digest in found}


def prune_guests(older_than: datetime) -> int:
    """Deletes the readings of guests who have opened no room since `older_than`. Returns how many."""
    guests = models.Reading.objects.filter(person_id__startswith=GUEST).values("person_id")
    gone = guests.annotate(last=Max("entered_at")).filter(last__lt=older_than).values("person_id")
    deleted, _ = models.Reading.objects.filter(person_id__in=gone).delete()
    return deleted


@receiver(post_delete, sender=settings.AUTH_USER_MODEL)
def account_deleted(instance: Any, **_: Any) -> None:
    models.Reading.objects.filter(person_id=people.of_user(instance).id).delete()


def _of(person: Person, room: Room) -> QuerySet[models.Reading]:
    return models.Reading.objects.filter(person_id=person.id, room_name=room.name)
