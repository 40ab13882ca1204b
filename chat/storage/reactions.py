"""Reactions to messages: a row for each person and emoji, and their sum in the message's row and in entries.

Each entry of kind `reaction` says all that there are to a message from then on. So the later one is right, wherever the
two come from, and reading the last is as good as reading all.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Min, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.domain.events import Event, Kind
from chat.domain.people import Person
from chat.domain.reactions import PEOPLE_NAMED, Reaction, ReactionRequest, Tally
from chat.domain.rooms import Room
from chat.errors import ChatError, NoSuchMessage, TooManyReactions
from chat.models import Message, MessageReaction
from chat.storage import entries, history, permissions
from chat.storage.database import reads_long, writes
from chat.storage.statements import Place


@dataclass(frozen=True, slots=True)
class Reacted:
    """The outcome of `react`. `entry` has the state now; if nothing `is_new`, it is the last one, or None.

    `problems` has, for each request, the error that it ran into, or None.
    """

    entry: Event | None
    is_new: bool
    problems: list[ChatError | None]


@writes
def react(room: Room, target: int, requests: Sequence[ReactionRequest], *, trusted: bool = False) -> Reacted:
    """Meets the requests, in their order, by one entry. As many statements for a thousand of them as for one.

    The problems may be Banned, NotAMember, NoSuchMessage and TooManyReactions. It is `trusted` where the site itself
    asks, for people who may not be in the room.
    """
    with transaction.atomic():
        place = entries.take_offset(room)
        problems = _problems(place, target, requests, trusted)
        tally = _tally(place, target, [request.person.id for request in requests])
        for number, request in enumerate(requests):
            if problems[number] is None:
                try:
                    tally.settle(request)
                except TooManyReactions as error:
                    problems[number] = error
        changes = tally.changes
        entry = _store(place, target, changes) if changes else _last_entry(room, target)
        transaction.set_rollback(not changes)
        return Reacted(entry, bool(changes), problems)


@reads_long
def own(person: Person, places: Collection[tuple[Room, int]]) -> set[tuple[Room, int, str]]:
    """The reactions of `person` to the messages at these rooms and offsets, each with its emoji. One query."""
    names, offsets = {room.name for room, _ in places}, {offset for _, offset in places}
    found = MessageReaction.objects.filter(person_id=person.id, room__name__in=names, offset__in=offsets)
    return {(Room(name), offset, emoji) for name, offset, emoji in found.values_list("room__name", "offset", "emoji")}


@reads_long
def own_of_page(events: Sequence[Event], person: Person) -> list[set[str]]:
    """The emoji with which `person` reacts to each of `events`. One query, none where the events name all people."""
    unnamed = {
        (event.room, event.offset)
        for event in events
        if event.offset is not None and any(reaction.has(person) is None for reaction in event.reactions)
    }
    found = own(person, unnamed) if unnamed else set()
    return [
        {one.emoji for one in event.reactions if one.has(person) or (event.room, event.offset, one.emoji) in found}
        for event in events
    ]


def _problems(place: Place, target: int, requests: Sequence[ReactionRequest], trusted: bool) -> list[ChatError | None]:
    """Why each request can't be met. A person who may not be in the room is told nothing of its messages."""
    missing = _problem_with(place.room, target)
    if trusted or not place.restricted:
        return [missing] * len(requests)
    refused = permissions.problems_of((place.room, request.person) for request in requests)
    return [refused[place.room, request.person] or missing for request in requests]


def _problem_with(room: Room, target: int) -> NoSuchMessage | None:
    try:
        message = history.message(room, target)
    except NoSuchMessage as error:
        return error
    if not message.deleted:
        return None
    return NoSuchMessage(_("That message is deleted, so nobody can react to it."))


def _tally(place: Place, target: int, person_ids: Sequence[str]) -> Tally:
    rows = _rows(place.room_id, target)
    counts = Counter(dict(rows.values_list("emoji").annotate(Count("id"))))
    own = set(rows.filter(person_id__in={*person_ids}).values_list("person_id", "emoji"))
    return Tally(counts, own)


def _store(place: Place, target: int, changes: Sequence[ReactionRequest]) -> Event:
    rows, now = _rows(place.room_id, target), timezone.now()
    MessageReaction.objects.bulk_create(
        MessageReaction(
            room_id=place.room_id,
            offset=target,
            emoji=request.emoji,
            person_id=request.person.id,
            person_name=request.person.name,
            at=now,
        )
        for request in changes
        if request.on
    )
    if gone := [Q(person_id=request.person.id, emoji=request.emoji) for request in changes if not request.on]:
        rows.filter(_any_of(gone)).delete()
    state = _state(rows)
    as_json = [reaction.as_json() for reaction in state] or None
    Message.objects.filter(room=place.room_id, offset=target).update(reactions=as_json)
    by, others = changes[-1].person, {request.person.id for request in changes[:-1]} - {changes[-1].person.id}
    text = f"{by.name}{' and others' if others else ''} reacted."
    return entries.write(place, kind=Kind.REACTION, text=text, by=by, target=target, reactions=state)


def _state(rows: QuerySet[MessageReaction]) -> list[Reaction]:
    """The sum of a message's rows. One query, of at most PEOPLE_NAMED rows for each emoji."""
    emoji: Any = {"partition_by": [F("emoji")]}
    named = (
        rows.annotate(
            first=Window(Min("id"), **emoji),
            count=Window(Count("id"), **emoji),
            number=Window(RowNumber(), order_by="id", **emoji),
        )
        .filter(number__lte=PEOPLE_NAMED)
        .order_by("first", "number")
        .values_list("emoji", "count", "person_id", "person_name")
    )
    found: dict[str, tuple[int, list[Person]]] = {}
    for one, count, person_id, person_name in named:
        found.setdefault(one, (count, []))[1].append(Person(id=person_id, name=person_name))
    return [Reaction(one, count, tuple(some)) for one, (count, some) in found.items()]


def _last_entry(room: Room, target: int) -> Event | None:
    last = history.rows(room).filter(target=target, kind=Kind.REACTION).order_by("-offset").first()
    return history.as_event(last, room) if last else None


def _rows(room_id: int, target: int) -> QuerySet[MessageReaction]:
    return MessageReaction.objects.filter(room=room_id, offset=target)


def _any_of(conditions: Sequence[Q]) -> Q:
    found = Q()
    for condition in conditions:
        found |= condition
    return found
