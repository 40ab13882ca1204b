"""A room's log, in the database: what was said there, under offsets 1, 2, 3 … without holes.

The only code that writes messages; `chat.storage.history` reads them. It is synchronous, like the database; from the
event loop, one goes through `chat.storage.database.in_database`, one hop for each function.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from chat import models
from chat.domain.events import Change, Event, Kind, NewRole, Origin, Quote
from chat.domain.people import Person
from chat.domain.reactions import Reaction
from chat.domain.rooms import Room
from chat.errors import ChatError, NoSuchMessage, NotAMember
from chat.storage import history, mentions, permissions, quotes, readings, statements
from chat.storage.database import writes
from chat.storage.statements import Link, NewMessage, Place

NO_REPLY = "Nobody can reply to {}: it is deleted, no longer kept, or no message. Send yours without the reply."


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message that isn't stored yet. `client_id` tells what one sender sends again from what is new.

    `trusted` is what the site itself says: it may say it in any room, whoever may be there. `reply_to` is the offset of
    the message that this one quotes, `mentions` are the people whom it calls.
    """

    room: Room
    text: str
    person: Person
    client_id: str | None = None
    reply_to: int | None = None
    mentions: tuple[Person, ...] = ()
    origin: Origin = field(default_factory=Origin.here)
    trusted: bool = False

    @property
    def sender(self) -> str:
        return self.person.id if self.person.lasting else ""

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to look up or to store beside the message."""
        return self.reply_to is None and not self.mentions and not self.room.is_direct

    @property
    def identity(self) -> "Identity":
        """The same for each retry, if there is a client id."""
        return self.room, self.sender, self.client_id


@dataclass(frozen=True, slots=True)
class Entry:
    """What `append` did: the event as it is stored, and whether it had been stored before.

    `gained_by` are the ids of people whose own room its room has become by it: of members of a direct room.
    """

    event: Event
    repeated: bool
    gained_by: tuple[str, ...] = ()


Drafts = Mapping[int, Draft]  # by their places in what is appended together
Identity = tuple[Room, str, str | None]  # of a message: its room, sender and client id


@writes
def append(drafts: Sequence[Draft]) -> list[Entry | ChatError]:
    """Stores each draft under its room's next offset. In the order of the drafts, returns for each

    its entry; the first one, if it was stored before; Banned or NotAMember, if its sender may not be in its room;
    NoSuchMessage, if there is nothing to reply to.

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
    """Stores the drafts for rooms that aren't restricted; none, if one of them was stored before."""
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
        problems = _problems(drafts.values(), places)
        quoted = quotes.find((draft.room, draft.reply_to) for draft in drafts.values() if draft.reply_to is not None)
        for number, draft in drafts.items():
            problem = None if draft.trusted else problems.get((draft.room, draft.person))
            if problem:
                done[number] = problem
            elif draft.identity in stored:
                done[number] = Entry(stored[draft.identity], repeated=True)
            elif draft.client_id is not None and draft.identity in first:
                again[number] = first[draft.identity]
            elif draft.reply_to is not None and (draft.room, draft.reply_to) not in quoted:
                done[number] = NoSuchMessage(NO_REPLY.format(draft.reply_to))
            else:
                new[number] = draft
                first[draft.identity] = number
        entries = _store(new, quoted, restricted_too=True) if new else {}
        _record_mentions(new, entries, places)
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
        else NoSuchMessage(NO_REPLY.format(draft.reply_to))
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


def _problems(drafts: Iterable[Draft], places: Mapping[Room, Place]) -> dict[tuple[Room, Person], ChatError | None]:
    """The reasons why people may not be in rooms that are restricted. One query, none where no room is."""
    return permissions.problems_of((draft.room, draft.person) for draft in drafts if places[draft.room].restricted)


def _store(drafts: Drafts, quoted: Mapping[quotes.Place, Quote], *, restricted_too: bool) -> dict[int, Entry]:
    """Stores `drafts`, and returns the entries of those that were. Raises IntegrityError if one was stored before.

    `quoted` has what the replies among them quote.
    """
    now = timezone.now()
    uids = {number: uuid4().hex for number in drafts}
    messages: dict[Room, list[NewMessage]] = defaultdict(list)
    for number, draft in drafts.items():
        messages[draft.room].append(_new_message(draft, uids[number]))
    links = statements.insert(messages, now, restricted_too=restricted_too)
    return {
        number: Entry(_new_event(draft, uids[number], links[uids[number]], now, quoted), repeated=False)
        for number, draft in drafts.items()
        if uids[number] in links
    }


def _new_message(draft: Draft, uid: str) -> NewMessage:
    return NewMessage(
        uid=uid,
        text=draft.text,
        person_id=draft.person.id,
        person_name=draft.person.name,
        sender=draft.sender,
        client_id=draft.client_id,
        process=draft.origin.process,
        thread=draft.origin.thread,
        reply_to=draft.reply_to,
        mentions=[person.as_json() for person in draft.mentions] or None,
    )


def _new_event(draft: Draft, uid: str, link: Link, now: datetime, quoted: Mapping[quotes.Place, Quote]) -> Event:
    return Event(
        room=draft.room,
        message=draft.text,
        id=uid,
        offset=link.offset,
        client_id=draft.client_id,
        person=draft.person,
        sent_at=now,
        origin=draft.origin,
        reply_to=None if draft.reply_to is None else quoted[draft.room, draft.reply_to],
        mentions=draft.mentions,
        previous=link.previous,
    )


def take_offset(room: Room) -> Place:
    """For an entry that the running transaction is going to `write`; until it ends, nobody else writes in this room."""
    return statements.take_offsets({room: 1})[room]


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
    called: Sequence[Person] = (),
    reactions: Sequence[Reaction] = (),
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
        mentions=[person.as_json() for person in called] or None,
        reactions=[reaction.as_json() for reaction in reactions] or None,
    )
    before = history.find(place.room, place.offset - 1)
    return history.as_event(message, place.room, previous=before.id if before else None)


def blank(place: Place, target: int) -> None:
    """Makes the message at the offset `target` one without a text, which the entry at `place` deletes.

    All that later entries say of it goes too: texts that it got by edits, and the people who reacted to it.
    """
    message = models.Message.objects.filter(room=place.room_id, offset=target)
    changes = models.Message.objects.filter(room=place.room_id, target=target, kind__in=[Kind.EDIT, Kind.REACTION])
    gone: dict[str, Any] = {"text": "", "deletion": place.offset, "mentions": None, "reactions": None}
    message.update(original_text=None, edited_at=None, **gone)
    changes.update(**gone)
    mentions.forget(place.room_id, target)
    models.MessageReaction.objects.filter(room=place.room_id, offset=target).delete()
