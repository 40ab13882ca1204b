"""Pushes that are due: which messages people have to be told of, and which pushes are to be tried again.

Nothing is written per reader. A message that mentions somebody, or stands in a direct room, has one row, written in the
transaction that stores it, so a process that is killed right after that loses nothing. A room of which some people
want to be told every message has one row as well, for how far they are told; nothing is written when somebody posts.

A process takes what is due by moving its time on by LEASE. Once it is done with it, it says so by `finish`; if it is
killed, another process takes it after that. So a push may be sent twice then, and replaces itself.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import F, Model, OuterRef, QuerySet, Subquery
from django.utils import timezone

from chat import models
from chat.domain.alerts import Reason
from chat.domain.rooms import Room
from chat.models import Involvement
from chat.storage.database import reads_long, writes
from chat.storage.leases import lease

DELAY = timedelta(seconds=2)  # from a message to the push: for more messages, and for people who are looking
LEASE = timedelta(seconds=90)
TAKEN_MAX = 200  # rows of each kind that are taken together
# One statement. A site on which nobody has a subscription stores nothing.
RECORD = """
    INSERT INTO chat_duemessage (room_id, "offset", due_at)
    SELECT column1, column2, %s FROM (VALUES {places}) AS place WHERE EXISTS (SELECT 1 FROM chat_pushsubscription)
    ON CONFLICT (room_id, "offset") DO NOTHING
"""

AnyModel = TypeVar("AnyModel", bound=Model)


@dataclass(frozen=True, slots=True)
class Retry:
    """A device that is to be told again of a message in a room. `attempts` is how often it was tried."""

    id: int
    subscription_id: int
    person_id: str
    room: Room
    offset: int
    reason: Reason
    attempts: int


@dataclass(frozen=True, slots=True)
class Progress:
    """The entries of a room after `after`, up to `last`: some people are told of every message among them."""

    after: int
    last: int


@dataclass(frozen=True, slots=True)
class Due:
    """The work that one process has taken. `messages` has the offsets of messages that mention somebody, or are direct.

    `every` has the rooms of which some people want to be told all. `busy` are the rooms, among those that were asked
    for, that another process works on just now.
    """

    messages: Mapping[Room, Sequence[int]] = field(default_factory=dict)
    every: Mapping[Room, Progress] = field(default_factory=dict)
    retries: Sequence[Retry] = ()
    busy: frozenset[Room] = frozenset()
    message_ids: Sequence[int] = ()

    def __bool__(self) -> bool:
        return bool(self.message_ids or self.every or self.retries)


def record(places: Collection[tuple[int, int]]) -> None:
    """The messages at these rooms' ids and offsets are due, unless nobody has a subscription. One statement."""
    due_at = connection.ops.adapt_datetimefield_value(timezone.now() + DELAY)
    statement = RECORD.format(places=", ".join(["(%s, %s)"] * len(places)))
    with connection.cursor() as cursor:
        cursor.execute(statement, [due_at, *(value for place in places for value in place)])


@reads_long
def next_due() -> datetime | None:
    """The time of what is due next, if anything is."""
    times = [
        model.objects.order_by("due_at").values_list("due_at", flat=True).first()
        for model in (models.DueMessage, models.DueRetry)
    ]
    known = [time for time in times if time is not None]
    return min(known, default=None)


@writes
def take(*, spoken_in: Mapping[Room, int], sweep: bool = False) -> Due:
    """Takes what is due. `spoken_in` has rooms in which something was said, each with the first offset of that.

    With `sweep`, rooms are found that were left behind by a process that is gone.
    """
    if not sweep and not models.PushSubscription.objects.exists():
        return Due()
    taken = _take_messages()
    every, busy = _take_rooms(spoken_in, sweep)
    return Due(
        messages=_by_room((row.room, row.offset) for row in taken),
        every=every,
        retries=_take_retries(),
        busy=busy,
        message_ids=[row.pk for row in taken],
    )


def _take_messages() -> list[models.DueMessage]:
    due = models.DueMessage.objects.filter(due_at__lte=timezone.now())
    rows = _lease(due.order_by("due_at", "pk"))
    rooms = models.Room.objects.in_bulk({row.room_id for row in rows})
    for row in rows:
        row.room = rooms.get(row.room_id) or models.Room(pk=row.room_id, name="")  # it was deleted meanwhile
    return rows


def _by_room(places: Iterable[tuple[models.Room, int]]) -> dict[Room, list[int]]:
    found: dict[Room, list[int]] = defaultdict(list)
    for room, offset in places:
        if room.name:
            found[Room(room.name)].append(offset)
    return found


def _take_retries() -> list[Retry]:
    due = models.DueRetry.objects.filter(due_at__lte=timezone.now()).order_by("due_at", "pk")
    rows = _lease(due)
    rooms = models.Room.objects.in_bulk({row.room_id for row in rows})
    subscriptions = models.PushSubscription.objects.filter(pk__in={row.subscription_id for row in rows})
    owners = dict(subscriptions.values_list("pk", "person_id"))
    return [
        Retry(
            id=row.pk,
            subscription_id=row.subscription_id,
            person_id=owners[row.subscription_id],
            room=Room(rooms[row.room_id].name),
            offset=row.offset,
            reason=Reason(row.reason),
            attempts=row.attempts,
        )
        for row in rows
        if row.room_id in rooms and row.subscription_id in owners
    ]


def _lease(due: QuerySet[AnyModel]) -> list[AnyModel]:
    return lease(due, most=TAKEN_MAX, due_at=timezone.now() + LEASE)


def _take_rooms(spoken_in: Mapping[Room, int], sweep: bool) -> tuple[dict[Room, Progress], frozenset[Room]]:
    """The rooms that have more than people are told of, who want to be told of all."""
    wanted = models.Reading.objects.filter(
        pushes_all=True, involvement=Involvement.ALL, room_name__in=[room.name for room in spoken_in]
    )
    names = {*wanted.values_list("room_name", flat=True).distinct()} if spoken_in else set()
    if names:
        begin = {name: spoken_in[Room(name)] - 1 for name in names}
        models.PushedRoom.objects.bulk_create(
            [models.PushedRoom(room_name=name, offset=begin[name], due_at=timezone.now()) for name in sorted(names)],
            ignore_conflicts=True,
        )
    if not names and not sweep:
        return {}, frozenset()
    last = models.Room.objects.filter(name=OuterRef("room_name")).values("last_offset")[:1]
    behind = models.PushedRoom.objects.annotate(last=Subquery(last)).filter(last__isnull=False)
    behind = behind.exclude(last=F("offset")).order_by("due_at")
    if not sweep:
        behind = behind.filter(room_name__in=names)
    rows = _lease(behind.filter(due_at__lte=timezone.now()))
    found = {Room(row.room_name): Progress(row.offset, row.last) for row in rows}  # type: ignore[attr-defined]
    busy = {*behind.filter(due_at__gt=timezone.now()).values_list("room_name", flat=True)} if names else set()
    return found, frozenset(Room(name) for name in names & busy if Room(name) not in found)


@writes
def renew(*, due: Due) -> None:
    """Keeps what this process has taken for another LEASE."""
    until = timezone.now() + LEASE
    models.DueMessage.objects.filter(pk__in=due.message_ids).update(due_at=until)
    models.DueRetry.objects.filter(pk__in=[retry.id for retry in due.retries]).update(due_at=until)
    models.PushedRoom.objects.filter(room_name__in=[room.name for room in due.every]).update(due_at=until)


@dataclass(frozen=True, slots=True)
class Failure:
    """A push that failed for now, and is due again at `due_at`."""

    subscription_id: int
    room: Room
    offset: int
    reason: Reason
    attempts: int
    due_at: datetime


@writes
def finish(*, due: Due, failures: Sequence[Failure] = ()) -> None:
    """Everybody is told of what was taken, but for the `failures`."""
    with transaction.atomic():
        models.DueRetry.objects.filter(pk__in=[retry.id for retry in due.retries]).delete()
        _retry_later(failures)
        models.DueMessage.objects.filter(pk__in=due.message_ids).delete()
        for room, progress in due.every.items():
            told = models.PushedRoom.objects.filter(room_name=room.name, offset=progress.after)
            told.update(offset=progress.last, due_at=timezone.now())


def _retry_later(failures: Sequence[Failure]) -> None:
    rooms = dict(models.Room.objects.filter(name__in={one.room.name for one in failures}).values_list("name", "pk"))
    ids = {one.subscription_id for one in failures}
    here = {*models.PushSubscription.objects.filter(pk__in=ids).values_list("pk", flat=True)}
    latest = {(one.subscription_id, rooms[one.room.name]): one for one in failures if one.room.name in rooms}
    models.DueRetry.objects.bulk_create(
        [
            models.DueRetry(
                subscription_id=one.subscription_id,
                room_id=room_id,
                offset=one.offset,
                reason=one.reason,
                attempts=one.attempts,
                due_at=one.due_at,
            )
            for (_, room_id), one in latest.items()
            if one.subscription_id in here
        ],
        update_conflicts=True,
        unique_fields=["subscription", "room"],
        update_fields=["offset", "reason", "attempts", "due_at"],
    )
