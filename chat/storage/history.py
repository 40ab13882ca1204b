"""A room's history, in the database: what is kept of its log, for whoever may read it.

Synchronous, like the database; from the event loop, one goes through `chat.storage.database.in_database`, one hop for
each function. Where `person` is None, it is the site itself that reads.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.db.models import Count, F, QuerySet, Subquery, Sum

from chat import models
from chat.domain.events import Change, Event, Kind, NewRole, Origin
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import InvalidPosition
from chat.storage import permissions

PAGE_SIZE = 50  # messages
PAGE_MAX = 100
TALLY_MAX = 100_000


def check_offset(given: object) -> int:
    """An offset as clients give it: a number, or its digits. Raises InvalidPosition."""
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 20:
        given = int(given)
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 2**63:
        return given
    raise InvalidPosition("An offset has to be a whole number, 0 or more.")


@dataclass(frozen=True, slots=True)
class Head:
    """Where a room's log ends, and whether by then it has to be looked up who may be there."""

    offset: int = 0
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class Recovery:
    """What somebody has missed: `events`, or the first of them, up to `position`. None if that can't be told now."""

    events: list[Event] | None
    position: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How much is kept, and how much of that is `recent`, of which no more than TALLY_MAX are counted."""

    rooms: int
    entries: int
    recent: int


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a room's history in its order, and whether there is more on either side."""

    events: list[Event]
    has_earlier: bool
    has_later: bool


def heads(rooms: Iterable[Room]) -> dict[Room, Head]:
    """Where each room's log ends."""
    by_name = {room.name: room for room in rooms}
    found = models.Room.objects.filter(name__in=by_name).values_list("name", "last_offset", "restricted")
    return dict.fromkeys(by_name.values(), Head()) | {
        by_name[name]: Head(offset, restricted) for name, offset, restricted in found
    }


def last_offset(room: Room, *, person: Person | None) -> int:
    """The room's last offset; 0 where nothing was ever said. Raises Banned or NotAMember."""
    offset = heads([room])[room].offset
    permissions.check(room, person)
    return offset


def since(room: Room, after: int, limit: int) -> list[Event]:
    """The next `limit` messages after the offset `after`, in order."""
    return [as_event(message, room) for message in rows(room).filter(offset__gt=after).order_by("offset")[:limit]]


def recover(room: Room, after: int, size: int | None = None, *, person: Person | None) -> Recovery:
    """What somebody who was at `after` has missed, if it is all there and no more than CHAT_RECOVERY_MAX messages.

    Of that only the first `size`, if that is given. Raises Banned or NotAMember.
    """
    here = models.Room.objects.filter(name=room.name).first() or models.Room()
    recovery = _recover(room, after, size or settings.CHAT_RECOVERY_MAX, here.last_offset, here.pruned_to)
    # Asked last: whoever was removed meanwhile is told nothing. Where it began meanwhile, a notice tells of it.
    if here.restricted or any(event.kind is Kind.NOTICE for event in recovery.events or ()):
        permissions.check(room, person)
    return recovery


def _recover(room: Room, after: int, size: int, last: int, pruned_to: int) -> Recovery:
    if not pruned_to <= after <= last or last - after > settings.CHAT_RECOVERY_MAX:
        return Recovery(events=None, position=last)
    events = since(room, after, size)
    if last > after and (not events or events[0].offset != after + 1):
        return Recovery(events=None, position=last)  # pruned between the two reads
    return Recovery(events=events, position=max(last, events[-1].offset or 0) if events else last)


def page(
    room: Room, *, person: Person | None, size: int, after: int | None = None, before: int | None = None, from_end: bool
) -> Page:
    """At most `size` messages strictly between two offsets: the first of them, or the last.

    Raises Banned or NotAMember, if `person` is not the site itself (None).
    """
    found = rows(room)
    if after is not None:
        found = found.filter(offset__gt=after)
    if before is not None:
        found = found.filter(offset__lt=before)
    messages = list(found.order_by("-offset" if from_end else "offset")[: size + 1])
    permissions.check(room, person)  # now: whoever was removed while this was read, is told nothing
    more, messages = len(messages) > size, messages[:size]
    if from_end:
        messages.reverse()
    return Page(
        events=[as_event(message, room) for message in messages],
        has_earlier=more if from_end else bool(after),
        has_later=before is not None if from_end else more,
    )


def names(*, person: Person, size: int, after: str | None = None) -> list[str]:
    """The names of the next `size` rooms after the one called `after`, in the order of their names.

    A private room is known to its members only.
    """
    found = models.Room.objects.filter(permissions.visible_to(person)).order_by("name").values_list("name", flat=True)
    return list((found.filter(name__gt=after) if after is not None else found)[:size])


def tally(since: datetime) -> Tally:
    """What is kept; `recent` is what came after `since`. Quick, however much it is: it counts no rows of the past."""
    rooms = models.Room.objects.aggregate(count=Count("id"), kept=Sum(F("last_offset") - F("pruned_to")))
    newest = models.Message.objects.order_by("-id").values_list("sent_at", flat=True)[:TALLY_MAX]
    recent = sum(1 for _ in itertools.takewhile(lambda sent_at: sent_at > since, newest.iterator()))
    return Tally(rooms=rooms["count"], entries=rooms["kept"] or 0, recent=recent)


def find(room: Room, offset: int) -> Event | None:
    """The entry at `offset`, if there is one and it is kept."""
    found = rows(room).filter(offset=offset).first()
    return as_event(found, room) if found else None


def deletion_of(room: Room, target: int) -> Event:
    """The entry that has deleted the message at the offset `target`. It is kept for longer than that is."""
    deletion = rows(room).filter(offset=target).values("deletion")[:1]
    return as_event(rows(room).get(offset=Subquery(deletion)), room)


def lately_heard(room: Room, among: int) -> list[Person]:
    """Who has said something within the last so many entries, the last one first."""
    said = rows(room).filter(kind=Kind.MESSAGE).order_by("-offset").values_list("person_id", "person_name")
    return [Person(id=id, name=name) for id, name in dict(reversed(said[:among])).items()][::-1]


def last_name(room: Room, person: Person, after: int) -> Person:
    """`person`, by the name that their last entry after the offset `after` has, if there is one."""
    found = rows(room).filter(offset__gt=after, person_id=person.id).order_by("-offset")
    name = found.values_list("person_name", flat=True).first()
    return replace(person, name=name) if name else person


def rows(room: Room) -> QuerySet[models.Message]:
    # Not by a join, after which PostgreSQL takes all messages of the room and sorts them.
    return models.Message.objects.filter(room=models.Room.objects.filter(name=room.name)[:1])


def as_event(message: models.Message, room: Room) -> Event:
    return Event(
        room=room,
        message=message.text,
        id=str(message.pk),
        offset=message.offset,
        client_id=message.client_id,
        person=Person(id=message.person_id, name=message.person_name) if message.person_id else None,
        sent_at=message.sent_at,
        origin=Origin(process=message.process, thread=message.thread),
        kind=Kind(message.kind),
        target=message.target,
        deleted=message.deletion is not None,
        subject=message.subject or None,
        change=Change(message.change) if message.change else None,
        role=NewRole(message.role) if message.role else None,
    )
