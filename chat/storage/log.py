"""A room's log, in the database: what was said there, under offsets 1, 2, 3 … without holes.

Messages are appended here; `chat.storage.entries` writes what happens to them and to their room, and
`chat.storage.history` reads the log. It is synchronous, like the database; from the event loop, one goes through
`chat.storage.database.in_database`, one hop for each function.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from uuid import uuid4

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain.events import Event, Quote
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import ChatError, NoSuchMessage, NotAMember
from chat.file_errors import NOT_ATTACHABLE, NoSuchFile
from chat.storage import attachments, history, mentions, permissions, push_due, quotes, readings, statements
from chat.storage.database import writes
from chat.storage.drafts import Draft, Drafts, Identity
from chat.storage.permissions import Permission
from chat.storage.posting_limits import PostingLimits
from chat.storage.statements import NewMessage, Place

NO_REPLY = _(
    "Nobody can reply to {offset}: it is deleted, no longer kept, or no message. Send yours without the reply."
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An appended message: its event as it is stored, and whether it had been stored before.

    `gained_by` has the ids of the people whose own room its room has become by it: members of a direct room.
    """

    event: Event
    repeated: bool
    gained_by: tuple[str, ...] = ()


@writes
def append(drafts: Sequence[Draft]) -> list[Entry | ChatError]:
    """Stores each draft under its room's next offset. Returns one result for each, in the order of the drafts.

    The result is the draft's entry, or the first one if it was stored before. Where nothing was stored, it is an error:
    Banned or NotAMember if the sender may not be in the room, ReadOnly or SlowMode if they may not post there, or not
    yet, NoSuchMessage if there is nothing to reply to, NoSuchFile if one to attach isn't the sender's, or isn't free.

    A direct room, which has to be there, becomes one of all its members' own rooms.
    """
    numbered = dict(enumerate(drafts))
    plain = {number: draft for number, draft in numbered.items() if draft.is_plain}
    done: dict[int, Entry | ChatError] = {**_append_at_once(plain)} if plain else {}
    if len(plain) < len(numbered):
        done |= _refused_without_room(numbered)
    if left := {number: draft for number, draft in numbered.items() if number not in done}:
        done |= _append_after_a_look(left)
    return [done[number] for number in numbered]


def _append_at_once(drafts: Drafts) -> dict[int, Entry]:
    """Stores the drafts for rooms that anybody may post in; none, if one of them was stored before."""
    # On PostgreSQL it is one statement: around that a transaction would only be three round trips more.
    alone = connection.vendor == "postgresql" and not connection.in_atomic_block
    try:
        with nullcontext() if alone else transaction.atomic():
            return _store(drafts, {}, restricted_too=False)
    except IntegrityError:
        return {}


def _append_after_a_look(drafts: Drafts) -> dict[int, Entry | ChatError]:
    """Locks the rooms, looks which drafts were stored before and which aren't allowed, and stores the others.

    Replies are quoted while the rooms are locked: so nothing is deleted between that and their being stored.
    """
    done: dict[int, Entry | ChatError] = {}
    new: dict[int, Draft] = {}
    first: dict[Identity, int] = {}  # the numbers of new drafts that have client ids
    again: dict[int, int] = {}  # the numbers of their retries, and whose retries they are
    with transaction.atomic():
        places = statements.take_offsets({draft.room: 0 for draft in drafts.values()})
        stored = _stored_before(drafts.values(), places)
        permitted = _permissions(drafts.values(), places)
        limits = PostingLimits(permitted, {room: place.room_id for room, place in places.items()})
        quoted = quotes.find((draft.room, draft.reply_to) for draft in drafts.values() if draft.reply_to is not None)
        free = attachments.find_free(drafts.values())
        for number, draft in drafts.items():
            permission = None if draft.trusted else permitted.get((draft.room, draft.person))
            if permission and (problem := permissions.problem_with(draft.room, permission)):
                done[number] = problem
            elif draft.identity in stored:
                done[number] = Entry(stored[draft.identity], repeated=True)
            elif draft.client_id is not None and draft.identity in first:
                again[number] = first[draft.identity]
            elif draft.reply_to is not None and (draft.room, draft.reply_to) not in quoted:
                done[number] = NoSuchMessage(NO_REPLY, offset=draft.reply_to)
            elif permission and (limit := limits.problem_with(draft.room, draft.person)):
                done[number] = limit
            elif (files := attachments.take(draft, free)) is None:
                done[number] = NoSuchFile(NOT_ATTACHABLE)
            else:
                if permission:
                    limits.note(draft.room, draft.person)
                new[number] = replace(draft, attachments=files) if files else draft
                first[draft.identity] = number
        entries = _store(new, quoted, restricted_too=True) if new else {}
        limits.record()
        _record_mentions(new, entries, places)
        _attach(new, entries, places)
        _record_pushes(new, entries, places)
        _enter_direct_rooms(entries)
    return done | entries | {number: Entry(entries[of].event, repeated=True) for number, of in again.items()}


def _record_mentions(drafts: Drafts, entries: Mapping[int, Entry], places: Mapping[Room, Place]) -> None:
    calling = {
        (places[draft.room].room_id, entries[number].event.offset or 0): draft
        for number, draft in drafts.items()
        if draft.mentions
    }
    if calling:
        mentions.record(
            {place: draft.mentions for place, draft in calling.items()},
            by={place: draft.person for place, draft in calling.items()},
        )


def _attach(drafts: Drafts, entries: Mapping[int, Entry], places: Mapping[Room, Place]) -> None:
    for number, draft in drafts.items():
        if draft.attachments:
            attachments.attach(draft.attachments, places[draft.room].room_id, entries[number].event.offset or 0)


def _record_pushes(drafts: Drafts, entries: Mapping[int, Entry], places: Mapping[Room, Place]) -> None:
    """The messages of which people may have to be told on their devices."""
    telling = [
        (places[draft.room].room_id, entries[number].event.offset or 0)
        for number, draft in drafts.items()
        if draft.mentions or draft.room.is_direct
    ]
    if telling and settings.CHAT_PUSH:
        push_due.record(telling)


def _enter_direct_rooms(entries: dict[int, Entry]) -> None:
    """Makes direct rooms in which something is said their members' own, for whom that is unread."""
    first: dict[Room, int] = {}  # the number of the first entry of each
    for number, entry in entries.items():
        if entry.event.room.is_direct:
            first.setdefault(entry.event.room, number)
    for room, number in sorted(first.items(), key=lambda item: item[0].name):
        gained_by = readings.enter_members(room, read_offset=(entries[number].event.offset or 1) - 1)
        entries[number] = replace(entries[number], gained_by=tuple(gained_by))


def _refused_without_room(drafts: Drafts) -> dict[int, ChatError]:
    """The errors of those that can't be in a room that isn't there. To refuse one must not make the room.

    They are replies where nothing was ever said, and all that is said in a direct room that nobody has opened.
    """
    needing = {number: draft for number, draft in drafts.items() if draft.reply_to is not None or draft.room.is_direct}
    if not needing:
        return {}
    names = {draft.room.name for draft in needing.values()}
    there = set(models.Room.objects.filter(name__in=names).values_list("name", flat=True))
    return {
        number: NotAMember(permissions.DIRECT_ONLY)
        if draft.room.is_direct
        else NoSuchMessage(NO_REPLY, offset=draft.reply_to)
        for number, draft in needing.items()
        if draft.room.name not in there
    }


def _stored_before(drafts: Iterable[Draft], places: Mapping[Room, Place]) -> dict[Identity, Event]:
    """The messages that have the identity of one of `drafts`. One query."""
    rooms = {place.room_id: room for room, place in places.items()}
    found = statements.stored_before(
        (places[draft.room].room_id, draft.sender, draft.client_id) for draft in drafts if draft.client_id is not None
    )
    messages = [(rooms[message.room_id], message) for message in found]
    events = quotes.with_quotes([history.as_event(message, room) for room, message in messages])
    return {
        (room, message.sender, message.client_id): event
        for (room, message), event in zip(messages, events, strict=True)
    }


def _permissions(drafts: Iterable[Draft], places: Mapping[Room, Place]) -> dict[tuple[Room, Person], Permission]:
    """The permissions of people in rooms that are restricted, or limit posts. One query, if there is such a room."""
    return permissions.by_pair((draft.room, draft.person) for draft in drafts if places[draft.room].is_checked)


def _store(drafts: Drafts, quoted: Mapping[quotes.Place, Quote], *, restricted_too: bool) -> dict[int, Entry]:
    """Stores `drafts`, and returns the entries of those that were. Raises IntegrityError if one was stored before.

    `quoted` has what the replies among them quote.
    """
    now = timezone.now()
    uids = {number: uuid4().hex for number in drafts}
    messages: dict[Room, list[NewMessage]] = defaultdict(list)
    for number, draft in drafts.items():
        messages[draft.room].append(draft.as_row(uids[number]))
    links = statements.insert(messages, now, restricted_too=restricted_too)
    return {
        number: Entry(draft.as_event(uids[number], links[uids[number]], now, quoted), repeated=False)
        for number, draft in drafts.items()
        if uids[number] in links
    }
