"""A room's log, in the database: what was said there, under offsets 1, 2, 3 … without holes.

The only code that reads and writes messages. It is synchronous, like the database; from the event loop, one goes
through `chat.database.in_database`, one hop for each function.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, F, Min, QuerySet, Subquery, Sum
from django.utils import timezone

from chat import access, models
from chat.errors import ChatError, InvalidPosition
from chat.events import Access, Event, Kind, Origin
from chat.people import Person
from chat.rooms import Room

PAGE_SIZE = 50  # messages
PAGE_MAX = 100
PRUNE_SIZE = 5000
TALLY_MAX = 100_000

# One statement finds or makes the room's row, locks it until the transaction ends, and counts. Whoever comes next waits
# for that lock, so offsets have the order of the commits, and those that are rolled back are given to the next.
TAKE_OFFSETS = """
    INSERT INTO chat_room (name, last_offset, pruned_to) VALUES (%s, %s, 0)
    ON CONFLICT (name) DO UPDATE SET last_offset = chat_room.last_offset + excluded.last_offset
    RETURNING id, last_offset, restricted
"""
COLUMNS = "room_id offset text person_id person_name sender client_id sent_at process thread".split()
# What a client sends again conflicts with what it has sent before, and comes back in no row.
INSERT = f"""
    INSERT INTO chat_message ({", ".join(f'"{column}"' for column in COLUMNS)}) VALUES %s
    ON CONFLICT (room_id, sender, client_id) DO NOTHING
    RETURNING id, room_id, "offset"
"""
ROW = f"({', '.join(['%s'] * len(COLUMNS))})"


def check_offset(given: object) -> int:
    """An offset as clients give it: a number, or its digits. Raises InvalidPosition."""
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 20:
        given = int(given)
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 2**63:
        return given
    raise InvalidPosition("An offset has to be a whole number, 0 or more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message that isn't stored yet. `client_id` tells what one sender sends again from what is new.

    `trusted` is what the site itself says: it may say it in any room, whoever may be there.
    """

    room: Room
    text: str
    person: Person
    client_id: str | None = None
    origin: Origin = field(default_factory=Origin.here)
    trusted: bool = False

    @property
    def sender(self) -> str:
        return self.person.id if self.person.lasting else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What `append` did: the event as it is stored, and whether it had been stored before."""

    event: Event
    repeated: bool


@dataclass(frozen=True, slots=True)
class Place:
    """The room's next offset, held by the running transaction until it ends."""

    room: Room
    room_id: int
    offset: int


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


def append(drafts: Sequence[Draft]) -> list[Entry | ChatError]:
    """Stores each draft under its room's next offset; of one that was stored before, the first message comes back.

    All go into one transaction, which waits for the disk once. Where that can't be, each goes into one of its own; in
    the place of one whose sender may not be in its room, there is the error.
    """
    try:
        stored = _store(drafts)
    except ChatError:
        stored = None
    return [*stored] if stored else [_append(draft) for draft in drafts]


def _append(draft: Draft) -> Entry | ChatError:
    while True:
        try:
            stored = _store([draft])
        except ChatError as error:
            return error
        if stored:
            return stored[0]
        said_before = _messages(draft.room).filter(sender=draft.sender, client_id=draft.client_id)
        if first := said_before.first():
            return Entry(_event(first, draft.room), repeated=True)
        # Between the two it was pruned: so now it is new.


def _store(drafts: Sequence[Draft]) -> list[Entry] | None:
    """None, and nothing is stored, if one of them was stored before. Raises Banned or NotAMember for any of them."""
    now = timezone.now()
    places: dict[int, tuple[int, int]] = {}  # room's id and offset, by the draft's place in `drafts`
    with transaction.atomic(), connection.cursor() as cursor:
        # In the order of the names: who locks several rooms never waits for one who waits for them.
        for room, numbers in sorted(_by_room(drafts).items(), key=lambda item: item[0].name):
            cursor.execute(TAKE_OFFSETS, [room.name, len(numbers)])
            room_id, last, restricted = cursor.fetchone()
            if restricted:
                for person in {drafts[number].person for number in numbers if not drafts[number].trusted}:
                    access.check(room, person)
            offsets = range(last - len(numbers) + 1, last + 1)
            places |= {number: (room_id, offset) for number, offset in zip(numbers, offsets, strict=True)}
        rows = [_row(draft, *places[number], now) for number, draft in enumerate(drafts)]
        cursor.execute(INSERT % ", ".join([ROW] * len(rows)), [value for row in rows for value in row])
        ids = {(room_id, offset): id for id, room_id, offset in cursor.fetchall()}
        if len(ids) < len(drafts):
            transaction.set_rollback(True)
            return None
    return [
        Entry(_new_event(draft, ids[places[number]], places[number][1], now), repeated=False)
        for number, draft in enumerate(drafts)
    ]


def _by_room(drafts: Sequence[Draft]) -> dict[Room, list[int]]:
    numbers: dict[Room, list[int]] = {}
    for number, draft in enumerate(drafts):
        numbers.setdefault(draft.room, []).append(number)
    return numbers


def _row(draft: Draft, room_id: int, offset: int, now: datetime) -> tuple[Any, ...]:
    """A value for each of COLUMNS."""
    person, origin, sent_at = draft.person, draft.origin, connection.ops.adapt_datetimefield_value(now)
    said_by = (person.id, person.name, draft.sender, draft.client_id)
    return (room_id, offset, draft.text, *said_by, sent_at, origin.process, origin.thread)


def take_offset(room: Room) -> Place:
    """For an entry that the running transaction is going to `write`; until it ends, nobody else writes in this room."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_OFFSETS, [room.name, 1])
        room_id, offset, _ = cursor.fetchone()
    return Place(room, room_id, offset)


def write(
    place: Place,
    *,
    kind: Kind,
    text: str,
    by: Person | None,
    target: int | None = None,
    subject: str = "",
    change: Access | None = None,
) -> Event:
    """Stores what was done, at its place; `by` is None for what the site itself did."""
    origin = Origin.here()
    message = models.Message.objects.create(
        room_id=place.room_id,
        offset=place.offset,
        text=text,
        person_id=by.id if by else "",
        person_name=by.name if by else "",
        sent_at=timezone.now(),
        process=origin.process,
        thread=origin.thread,
        kind=kind,
        target=target,
        subject=subject,
        access=change or "",
    )
    return _event(message, place.room)


def find(room: Room, offset: int) -> Event | None:
    """The entry at `offset`, if there is one and it is kept."""
    found = _messages(room).filter(offset=offset).first()
    return _event(found, room) if found else None


def lately_heard(room: Room, among: int) -> list[Person]:
    """Who has said something within the last so many entries, the last one first."""
    said = _messages(room).filter(kind=Kind.MESSAGE).order_by("-offset").values_list("person_id", "person_name")
    return [Person(id=id, name=name) for id, name in dict(reversed(said[:among])).items()][::-1]


def last_name(place: Place, person: Person, among: int) -> Person:
    """`person`, by the name that the last of `among` entries of theirs has, if there is one."""
    recent = models.Message.objects.filter(room=place.room_id, offset__gt=place.offset - among)
    name = recent.filter(person_id=person.id).order_by("-offset").values_list("person_name", flat=True).first()
    return replace(person, name=name) if name else person


def blank(place: Place, target: int) -> None:
    """Makes the message at the offset `target` one without a text, which the entry at `place` deletes."""
    models.Message.objects.filter(room=place.room_id, offset=target).update(text="", deletion=place.offset)


def deletion_of(room: Room, target: int) -> Event:
    """The entry that has deleted the message at the offset `target`. It is kept for longer than that is."""
    deletion = _messages(room).filter(offset=target).values("deletion")[:1]
    return _event(_messages(room).get(offset=Subquery(deletion)), room)


def heads(rooms: Iterable[Room]) -> dict[Room, Head]:
    """Where each room's log ends."""
    by_name = {room.name: room for room in rooms}
    found = models.Room.objects.filter(name__in=by_name).values_list("name", "last_offset", "restricted")
    return dict.fromkeys(by_name.values(), Head()) | {
        by_name[name]: Head(offset, restricted) for name, offset, restricted in found
    }


def last_offset(room: Room, *, reader: Person | None) -> int:
    """The room's last offset; 0 where nothing was ever said. Raises Banned or NotAMember."""
    offset = heads([room])[room].offset
    access.check(room, reader)
    return offset


def since(room: Room, after: int, limit: int) -> list[Event]:
    """The next `limit` messages after the offset `after`, in order."""
    return _since(room, after, limit)


def recover(room: Room, after: int, size: int | None = None, *, reader: Person | None) -> Recovery:
    """What somebody who was at `after` has missed, if it is all there and no more than CHAT_RECOVERY_MAX messages.

    Of that only the first `size`, if that is given. Raises Banned or NotAMember.
    """
    here = models.Room.objects.filter(name=room.name).first() or models.Room()
    recovery = _recover(room, after, size or settings.CHAT_RECOVERY_MAX, here.last_offset, here.pruned_to)
    # Asked last: whoever was removed meanwhile is told nothing. Where it began meanwhile, a notice tells of it.
    if here.restricted or any(event.kind is Kind.NOTICE for event in recovery.events or ()):
        access.check(room, reader)
    return recovery


def _recover(room: Room, after: int, size: int, last: int, pruned_to: int) -> Recovery:
    if not pruned_to <= after <= last or last - after > settings.CHAT_RECOVERY_MAX:
        return Recovery(events=None, position=last)
    events = _since(room, after, size)
    if last > after and (not events or events[0].offset != after + 1):
        return Recovery(events=None, position=last)  # pruned between the two reads
    return Recovery(events=events, position=max(last, events[-1].offset or 0) if events else last)


def page(
    room: Room, *, reader: Person | None, size: int, after: int | None = None, before: int | None = None, from_end: bool
) -> Page:
    """At most `size` messages strictly between two offsets: the first of them, or the last.

    Raises Banned or NotAMember, if `reader` is not the site itself (None).
    """
    found = _messages(room)
    if after is not None:
        found = found.filter(offset__gt=after)
    if before is not None:
        found = found.filter(offset__lt=before)
    messages = list(found.order_by("-offset" if from_end else "offset")[: size + 1])
    access.check(room, reader)  # now: whoever was removed while this was read, is told nothing
    more, messages = len(messages) > size, messages[:size]
    if from_end:
        messages.reverse()
    return Page(
        events=[_event(message, room) for message in messages],
        has_earlier=more if from_end else bool(after),
        has_later=before is not None if from_end else more,
    )


def names(*, reader: Person, size: int, after: str | None = None) -> list[str]:
    """The names of the next `size` rooms after the one called `after`, in the order of their names.

    A private room is known to its members only.
    """
    found = models.Room.objects.filter(access.visible_to(reader)).order_by("name").values_list("name", flat=True)
    return list((found.filter(name__gt=after) if after is not None else found)[:size])


def tally(since: datetime) -> Tally:
    """What is kept; `recent` is what came after `since`. Quick, however much it is: it counts no rows of the past."""
    rooms = models.Room.objects.aggregate(count=Count("id"), kept=Sum(F("last_offset") - F("pruned_to")))
    newest = models.Message.objects.order_by("-id").values_list("sent_at", flat=True)[:TALLY_MAX]
    recent = sum(1 for _ in itertools.takewhile(lambda sent_at: sent_at > since, newest.iterator()))
    return Tally(rooms=rooms["count"], entries=rooms["kept"] or 0, recent=recent)


def prune(*, older_than: datetime | None = None, keep: int | None = None) -> int:
    """Deletes messages from before `older_than`, and all but the last `keep` of each room. Returns how many."""
    return sum(_prune_room(room_id, older_than, keep) for room_id in models.Room.objects.values_list("id", flat=True))


def _prune_room(room_id: int, older_than: datetime | None, keep: int | None) -> int:
    with transaction.atomic():
        room = models.Room.objects.select_for_update().get(id=room_id)
        ends = [room.pruned_to]
        if keep is not None:
            ends.append(room.last_offset - keep)
        if older_than is not None:
            young = room.messages.filter(sent_at__gte=older_than).aggregate(first=Min("offset"))["first"]
            ends.append(room.last_offset if young is None else young - 1)
        room.pruned_to = max(ends)
        room.save(update_fields=["pruned_to"])
    # From here on nobody recovers what is going; so it goes piece by piece, and nobody waits to post.
    deleted = 0
    while piece := list(
        room.messages.filter(offset__lte=room.pruned_to)
        .order_by("offset")
        .values_list("offset", flat=True)[:PRUNE_SIZE]
    ):
        deleted += room.messages.filter(offset__lte=piece[-1]).delete()[0]
    return deleted


def _messages(room: Room) -> QuerySet[models.Message]:
    # Not by a join, after which PostgreSQL takes all messages of the room and sorts them.
    return models.Message.objects.filter(room=models.Room.objects.filter(name=room.name)[:1])


def _since(room: Room, after: int, limit: int) -> list[Event]:
    return [_event(message, room) for message in _messages(room).filter(offset__gt=after).order_by("offset")[:limit]]


def _new_event(draft: Draft, id: int, offset: int, now: datetime) -> Event:
    return Event(
        room=draft.room,
        message=draft.text,
        id=str(id),
        offset=offset,
        client_id=draft.client_id,
        person=draft.person,
        sent_at=now,
        origin=draft.origin,
    )


def _event(message: models.Message, room: Room) -> Event:
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
        access=Access(message.access) if message.access else None,
    )
