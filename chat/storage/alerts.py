"""Alerts: whom to tell of what was said, and what to tell them, as of the moment when it is asked.

Asked per message and room, never per reader: from the rows of mentions, the members of a direct room, and the readings
of people who want to be told of every message. Of these only people with a subscription count. What they are told is
read then, with what they have read meanwhile, whom they ignore, and whether they may still be there.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from chat import models
from chat.domain.alerts import Alert, Reason
from chat.domain.events import Kind
from chat.domain.mentions import EVERYBODY
from chat.domain.people import USER, Person
from chat.domain.rooms import Room
from chat.models import Involvement
from chat.storage import own_rooms
from chat.storage.database import reads_long
from chat.storage.own_rooms import OwnRoom
from chat.storage.push_due import Due, Progress, Retry

MESSAGES_MAX = 50  # of a room, of which one alert can tell the newest
URGENCY = [Reason.MENTION, Reason.DIRECT, Reason.EVERY]  # of several reasons, the first one counts


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person who may have to be told of one of these messages of a room.

    `subscription_id` names one device, where it is that which wasn't reached before, at the last of `attempts`.
    """

    person_id: str
    room: Room
    reason: Reason
    offsets: tuple[int, ...]
    subscription_id: int | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    offset: int
    person_id: str


@reads_long
def candidates(due: Due) -> list[Candidate]:
    """The people who have subscriptions, and may have to be told of what is due: each once for a room."""
    found: dict[tuple[str, Room], Candidate] = {}
    for room, offsets in due.messages.items():
        for one in [*_mentioned(room, offsets), *_in_direct_room(room, offsets)]:
            found.setdefault((one.person_id, room), one)
    for room, progress in due.every.items():
        for one in _wanting_all(room, progress):
            found.setdefault((one.person_id, room), one)
    retried = [_again(retry) for retry in due.retries if (retry.person_id, retry.room) not in found]
    return [*found.values(), *retried]


def _mentioned(room: Room, offsets: Sequence[int]) -> Iterable[Candidate]:
    rows = models.Mention.objects.filter(room__name=room.name, offset__in=offsets).values_list("person_id", "offset")
    by_person: dict[str, set[int]] = defaultdict(set)
    for person_id, offset in rows:
        by_person[person_id].add(offset)
    everybody = by_person.pop(EVERYBODY.id, set())
    if everybody:
        for person_id in _subscribed_in(room):
            by_person[person_id] |= everybody
    for person_id in _subscribed(by_person):
        yield Candidate(person_id, room, Reason.MENTION, tuple(sorted(by_person[person_id])))


def _in_direct_room(room: Room, offsets: Sequence[int]) -> Iterable[Candidate]:
    if not room.is_direct:
        return
    ids = models.RoomMember.objects.filter(room__name=room.name).values_list("user_id", flat=True)
    for person_id in _subscribed(f"{USER}{id}" for id in ids):
        yield Candidate(person_id, room, Reason.DIRECT, tuple(offsets))


def _wanting_all(room: Room, progress: Progress) -> Iterable[Candidate]:
    messages = models.Message.objects.filter(
        room__name=room.name, offset__gt=progress.after, offset__lte=progress.last, kind=Kind.MESSAGE
    )
    offsets = tuple(sorted(messages.order_by("-offset").values_list("offset", flat=True)[:MESSAGES_MAX]))
    if not offsets:
        return
    wanting = models.Reading.objects.filter(room_name=room.name, pushes_all=True, involvement=Involvement.ALL)
    for person_id in wanting.filter(Exists(_subscriptions_of("person_id"))).values_list("person_id", flat=True):
        yield Candidate(person_id, room, Reason.EVERY, offsets)


def _again(retry: Retry) -> Candidate:
    return Candidate(
        retry.person_id, retry.room, retry.reason, (retry.offset,), retry.subscription_id, attempts=retry.attempts
    )


def _subscriptions_of(column: str) -> QuerySet[models.PushSubscription]:
    return models.PushSubscription.objects.filter(person_id=OuterRef(column))


def _subscribed(person_ids: Iterable[str]) -> list[str]:
    found = models.PushSubscription.objects.filter(person_id__in=[*person_ids])
    return [*found.order_by("person_id").values_list("person_id", flat=True).distinct()]


def _subscribed_in(room: Room) -> list[str]:
    """The people with subscriptions whose own room it is."""
    reading = models.Reading.objects.filter(person_id=OuterRef("person_id"), room_name=room.name)
    found = models.PushSubscription.objects.filter(Exists(reading))
    return [*found.values_list("person_id", flat=True).distinct()]


@reads_long
def alerts(candidates: Sequence[Candidate]) -> dict[Candidate, Alert]:
    """The news for each of these people, of whom those are left out whom there is nothing to tell.

    That is so where the room is none of theirs (any more), or they may not be there; where they muted it, want mentions
    alone, or have read it meanwhile; and where all of it is their own, deleted, or said by people whom they ignore.
    """
    pairs = {(one.room, Person(one.person_id, "")) for one in candidates}
    own = own_rooms.by_pair(pairs)
    said = _said(candidates)
    authors = {message.person_id for those in said.values() for message in those}
    ignored = _ignored({one.person_id for one in candidates}, authors)
    newest: dict[Candidate, int] = {}
    for one in candidates:
        reading = own.get((one.room, Person(one.person_id, "")))
        if reading is None or not _wants(one.reason, reading):
            continue
        of_others = [
            message.offset
            for message in said[one.room]
            if message.offset in one.offsets
            and message.offset > reading.read_offset
            and message.person_id != one.person_id
            and (one.person_id, message.person_id) not in ignored
        ]
        if of_others:
            newest[one] = max(of_others)
    messages = _messages({(one.room, offset) for one, offset in newest.items()})
    return {
        one: _alert(one, own[one.room, Person(one.person_id, "")], messages[one.room, offset])
        for one, offset in newest.items()
        if (one.room, offset) in messages
    }


def _wants(reason: Reason, reading: OwnRoom) -> bool:
    if reason is Reason.MENTION:
        return reading.involvement is not Involvement.NOTHING
    return reading.involvement is Involvement.ALL


def _said(candidates: Iterable[Candidate]) -> dict[Room, list[Said]]:
    """The messages at the candidates' offsets that are not deleted."""
    offsets: dict[Room, set[int]] = defaultdict(set)
    for one in candidates:
        offsets[one.room].update(one.offsets)
    return {
        room: [
            Said(*row)
            for row in models.Message.objects.filter(
                room__name=room.name, offset__in=those, kind=Kind.MESSAGE, deletion=None
            ).values_list("offset", "person_id")
        ]
        for room, those in offsets.items()
    }


def _messages(places: Collection[tuple[Room, int]]) -> Mapping[tuple[Room, int], models.Message]:
    offsets: dict[Room, set[int]] = defaultdict(set)
    for room, offset in places:
        offsets[room].add(offset)
    return {
        (room, message.offset): message
        for room, those in offsets.items()
        for message in models.Message.objects.filter(room__name=room.name, offset__in=those, deletion=None)
    }


def _ignored(person_ids: Collection[str], authors: Collection[str]) -> set[tuple[str, str]]:
    """Pairs of a person and an author whom the person ignores."""
    rows = models.IgnoredPerson.objects.filter(person_id__in=person_ids, ignored_id__in=authors)
    return {*rows.values_list("person_id", "ignored_id")}


def _alert(one: Candidate, own: OwnRoom, message: models.Message) -> Alert:
    return Alert(
        person=Person(one.person_id, ""),
        room=one.room,
        display_name=own.display_name,
        reason=one.reason,
        count=max(1, own.mentions_unread if one.reason is Reason.MENTION else own.unread),
        author=message.person_name,
        text=message.text,
        offset=message.offset,
        sent_at=message.sent_at,
    )
