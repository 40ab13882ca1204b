"""A room's history, in the database: what is kept of its log, for whoever may read it.

Synchronous, like the database; from the event loop, one goes through `chat.storage.database.in_database`, one hop for
each function. Where `person` is None, it is the site itself that reads.
"""

import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, F, QuerySet, Subquery, Sum
from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain.events import STORED_KINDS, Change, Event, Kind, NewRole, Origin, Quote, is_known
from chat.domain.files import Attachment
from chat.domain.links import Link
from chat.domain.logs import Head
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.reactions import Reaction
from chat.domain.rooms import Room, folded
from chat.domain.texts import is_storable
from chat.errors import ChatError, InvalidPosition, NoSuchMessage
from chat.storage import permissions
from chat.storage.database import reads_long

TALLY_MAX = 100_000
LAST_MAX = 1000  # entries at the end of a room's log that are searched for its last message
MESSAGE_COLUMNS = ", ".join(f'message."{field.column}"' for field in models.Message._meta.concrete_fields)
LAST_MESSAGES = f"""
    SELECT {{columns}}, room.name AS room_name FROM chat_room AS room
    JOIN chat_message AS message ON message.id = (
        SELECT last.id FROM chat_message AS last
        WHERE last.room_id = room.id AND last."offset" > room.last_offset - {LAST_MAX}
            AND last.kind = 'message' AND last.deletion IS NULL
        ORDER BY last."offset" DESC LIMIT 1
    )
    WHERE room.name IN ({{names}})
"""
SELECT_HEADS = """
    SELECT room.name, room.last_offset, room.restricted, room.read_only, message.id, message.uid
    FROM chat_room AS room
    LEFT JOIN chat_message AS message ON message.room_id = room.id AND message."offset" = room.last_offset
    WHERE room.name {named}
"""


def check_offset(given: object) -> int:
    """An offset as clients give it: a number, or its digits. Raises InvalidPosition."""
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 20:
        given = int(given)
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 2**63:
        return given
    raise InvalidPosition(_("An offset has to be a whole number, 0 or more."))


def check_position(offset: object, id: object = None) -> Position:
    """A position as clients give it: an offset and, if they have it, that entry's id. Raises InvalidPosition."""
    return Position(check_offset(offset), id if isinstance(id, str) and id else None)


@dataclass(frozen=True, slots=True)
class Tally:
    """How much is kept, and how much of that is `recent`, of which no more than TALLY_MAX are counted."""

    rooms: int
    entries: int
    recent: int

    @property
    def is_recent_cut(self) -> bool:
        return self.recent == TALLY_MAX


def heads(rooms: Iterable[Room]) -> dict[Room, Head]:
    """Where each room's log ends. One query, with one parameter however many rooms: it is asked for a thousand."""
    by_name = {room.name: room for room in rooms}
    if not by_name:
        return {}
    is_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(
            SELECT_HEADS.format(named="= ANY(%s)" if is_postgresql else "IN (SELECT value FROM json_each(%s))"),
            [list(by_name) if is_postgresql else json.dumps(list(by_name))],
        )
        found = cursor.fetchall()
    return {room: Head(restricted=room.is_direct) for room in by_name.values()} | {
        by_name[name]: Head(
            Position(offset, models.entry_id(pk, uid) if pk else None), bool(restricted), bool(read_only)
        )
        for name, offset, restricted, read_only, pk, uid in found
    }


def end(room: Room, *, person: Person | None) -> Position:
    """The position at the end of the room's log. Raises Banned or NotAMember."""
    found = ends([room], person=person)[room]
    if isinstance(found, ChatError):
        raise found
    return found


def ends(rooms: Iterable[Room], *, person: Person | None) -> dict[Room, Position | ChatError]:
    """The position at the end of each room's log, or Banned or NotAMember in its place. Two queries."""
    found = heads(rooms)
    problems = permissions.problems(found, person)
    return {room: problems[room] or head.position for room, head in found.items()}


@reads_long
def names(*, person: Person, size: int, after: str | None = None, matching: str = "") -> list[str]:
    """The names of the next `size` rooms after the one called `after`, in the order of their names.

    Those that have `matching` in them, as `chat.storage.directory` has it. A private room is known to its members only.
    """
    if not is_storable(matching):
        return []
    found = models.Room.objects.filter(permissions.visible_to(person)).order_by("name").values_list("name", flat=True)
    found = found.filter(search_name__contains=folded(matching)) if matching else found
    return list((found.filter(name__gt=after) if after is not None else found)[:size])


@reads_long
def last_messages(rooms: Iterable[Room], *, person: Person | None) -> dict[Room, Event | ChatError | None]:
    """The last message of each room that isn't deleted, among its last LAST_MAX entries, or None.

    Banned or NotAMember in the place of what may not be read. Two queries.
    """
    by_name = {room.name: room for room in rooms}
    statement = LAST_MESSAGES.format(columns=MESSAGE_COLUMNS, names=", ".join(["%s"] * len(by_name)))
    rows: Iterable[Any] = models.Message.objects.raw(statement, list(by_name)) if by_name else ()
    found = {row.room_name: row for row in rows}
    problems = permissions.problems(by_name.values(), person)
    return {
        room: problems[room] or (as_event(found[name], room) if name in found else None)
        for name, room in by_name.items()
    }


@reads_long
def tally(since: datetime) -> Tally:
    """Counts what is kept; `recent` is what came after `since`. Its cost doesn't grow with the rows that are kept."""
    rooms = models.Room.objects.aggregate(count=Count("id"), kept=Sum(F("last_offset") - F("pruned_to")))
    newest = models.Message.objects.order_by("-id").values_list("sent_at", flat=True)[:TALLY_MAX]
    recent = sum(1 for _ in itertools.takewhile(lambda sent_at: sent_at > since, newest.iterator()))
    return Tally(rooms=rooms["count"], entries=rooms["kept"] or 0, recent=recent)


def find(room: Room, offset: int) -> Event | None:
    """The entry at `offset`, if there is one and it is kept."""
    found = rows(room).filter(offset=offset).first()
    return as_event(found, room) if found else None


def message(room: Room, offset: int) -> Event:
    """The message at `offset`, deleted or not. Raises NoSuchMessage."""
    return as_event(message_row(room, offset), room)


def message_row(room: Room, offset: int) -> models.Message:
    """The row of the message at `offset`, deleted or not. Raises NoSuchMessage."""
    found = rows(room).filter(offset=offset, kind=Kind.MESSAGE).first()
    if found is None:
        raise NoSuchMessage(_("There is no message {offset} here."), offset=offset)
    return found


def deletion_of(room: Room, target: int) -> Event:
    """The entry that has deleted the message at the offset `target`. It is kept for longer than that is."""
    deletion = rows(room).filter(offset=target).values("deletion")[:1]
    return as_event(rows(room).get(offset=Subquery(deletion)), room)


def lately_heard(room: Room, among: int) -> list[Person]:
    """The people who spoke within the last so many entries, the last one first."""
    # Entries of other kinds count: else as many would be passed over as a crowd that edits and reacts can make.
    last = rows(room).order_by("-offset").values_list("kind", "person_id", "person_name")[:among]
    said: dict[str, str] = {}  # the last name of each
    for kind, person_id, name in last:
        if kind == Kind.MESSAGE:
            said.setdefault(person_id, name)
    return [Person(id=person_id, name=name) for person_id, name in said.items()]


def last_name(room: Room, person: Person, after: int) -> Person:
    """`person`, by the name that their last entry after the offset `after` has, if there is one."""
    found = rows(room).filter(offset__gt=after, person_id=person.id).order_by("-offset")
    name = found.values_list("person_name", flat=True).first()
    return replace(person, name=name) if name else person


def rows(room: Room) -> QuerySet[models.Message]:
    # Not by a join, after which PostgreSQL takes all messages of the room and sorts them.
    return models.Message.objects.filter(room=models.Room.objects.filter(name=room.name)[:1])


def as_event(message: models.Message, room: Room, *, previous: str | None = None) -> Event:
    """The event that a row tells of. If it is a reply, `chat.storage.quotes` has the rest of what it quotes."""
    known = is_known(message.kind, message.change)
    # An instance of the release before leaves the columns that it doesn't know to the messages that it deletes.
    gone = message.deletion is not None
    return Event(
        room=room,
        message=message.text,
        id=message.entry_id,
        offset=message.offset,
        client_id=message.client_id,
        person=Person(id=message.person_id, name=message.person_name) if message.person_id else None,
        sent_at=message.sent_at,
        origin=Origin(process=message.process, thread=message.thread),
        kind=Kind(message.kind) if message.kind in [*STORED_KINDS] else Kind.MESSAGE,
        target=message.target,
        deleted=gone,
        subject=message.subject or None,
        change=Change(message.change) if message.change and known else None,
        role=NewRole(message.role) if message.role in [*NewRole] else None,
        known=known,
        previous=previous,
        edited_at=message.edited_at,
        reply_to=Quote(message.reply_to) if message.reply_to else None,
        mentions=() if gone else Person.all_from_json(message.mentions),
        reactions=() if gone else Reaction.all_from_json(message.reactions),
        attachments=() if gone else Attachment.all_from_json(message.attachments),
        links=() if gone else Link.all_from_json(message.links),
    )
