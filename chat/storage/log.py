"""A room's log, in the database: what was said there, under offsets 1, 2, 3 … without holes.

The only code that writes messages; `chat.storage.history` reads them. It is synchronous, like the database; from the
event loop, one goes through `chat.storage.database.in_database`, one hop for each function.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone

from chat import models
from chat.domain.events import Change, Event, Kind, NewRole, Origin
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import ChatError
from chat.storage import history, permissions

PRUNE_SIZE = 5000

# One statement finds or makes the room's row, locks it until the transaction ends, and counts. Whoever comes next waits
# for that lock, so offsets have the order of the commits, and those that are rolled back are given to the next.
TAKE_OFFSETS = """
    INSERT INTO chat_room (name, last_offset, pruned_to) VALUES (%s, %s, 0)
    ON CONFLICT (name) DO UPDATE SET last_offset = chat_room.last_offset + excluded.last_offset
    RETURNING id, last_offset, restricted
"""
COLUMNS = "room_id offset text person_id person_name sender client_id sent_at process thread".split()
# A message that is sent again conflicts with the first one, and comes back in no row. The entry before is looked up
# here, and not by TAKE_OFFSETS, which began before the lock was there and wouldn't see it.
INSERT = f"""
    INSERT INTO chat_message ({", ".join(f'"{column}"' for column in COLUMNS)}) VALUES %s
    ON CONFLICT (room_id, sender, client_id) DO NOTHING
    RETURNING room_id, "offset", CAST(uid AS text), (
        SELECT COALESCE(CAST(previous.uid AS text), CAST(previous.id AS text)) FROM chat_message AS previous
        WHERE previous.room_id = chat_message.room_id AND previous."offset" = chat_message."offset" - 1
    )
"""
ROW = f"({', '.join(['%s'] * len(COLUMNS))})"


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
        said_before = history.rows(draft.room).filter(sender=draft.sender, client_id=draft.client_id)
        if first := said_before.first():
            return Entry(history.as_event(first, draft.room), repeated=True)
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
                    permissions.check(room, person)
            offsets = range(last - len(numbers) + 1, last + 1)
            places |= {number: (room_id, offset) for number, offset in zip(numbers, offsets, strict=True)}
        rows = [_row(draft, *places[number], now) for number, draft in enumerate(drafts)]
        cursor.execute(INSERT % ", ".join([ROW] * len(rows)), [value for row in rows for value in row])
        inserted = cursor.fetchall()
        if len(inserted) < len(drafts):
            transaction.set_rollback(True)
            return None
    links = _linked(inserted)
    return [
        Entry(_new_event(draft, places[number][1], links[places[number]], now), repeated=False)
        for number, draft in enumerate(drafts)
    ]


def _linked(inserted: list[tuple[int, int, str, str | None]]) -> dict[tuple[int, int], tuple[str, str | None]]:
    """The id of each new entry and of the one before it, by room's id and offset."""
    # As models.Message.entry_id has them: PostgreSQL writes a UUID with hyphens.
    ids = {(room_id, offset): uid.replace("-", "") for room_id, offset, uid, _ in inserted}
    # A statement needn't see what it inserts itself.
    stored = {(room_id, offset): before.replace("-", "") for room_id, offset, _, before in inserted if before}
    return {
        (room_id, offset): (id, ids.get((room_id, offset - 1)) or stored.get((room_id, offset)))
        for (room_id, offset), id in ids.items()
    }


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
    change: Change | None = None,
    role: NewRole | None = None,
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
        change=change or "",
        role=role or "",
    )
    before = history.find(place.room, place.offset - 1)
    return history.as_event(message, place.room, previous=before.id if before else None)


def blank(place: Place, target: int) -> None:
    """Makes the message at the offset `target` one without a text, which the entry at `place` deletes."""
    models.Message.objects.filter(room=place.room_id, offset=target).update(text="", deletion=place.offset)


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


def _new_event(draft: Draft, offset: int, ids: tuple[str, str | None], now: datetime) -> Event:
    id, previous = ids
    return Event(
        room=draft.room,
        message=draft.text,
        id=id,
        offset=offset,
        client_id=draft.client_id,
        person=draft.person,
        sent_at=now,
        origin=draft.origin,
        previous=previous,
    )
