"""Reports: people who find that the moderators of a room should look at a message.

A person has one report of a message. Only moderators and owners are told of reports; they are no entries of the log.
Deleting the message, and dismissing, deletes its reports.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain import people
from chat.domain.events import Event
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import ChatError, NoSuchMessage, NotAllowed
from chat.models import Verb
from chat.storage import audit, history, permissions
from chat.storage.database import reads_long, writes
from chat.storage.permissions import Permission

MODERATORS = _("Only the owners and moderators of the room can see what was reported.")


@dataclass(frozen=True, slots=True)
class Report:
    """A person's report of the message at `offset`, which is None if it was pruned while this was read."""

    number: int
    offset: int
    reporter: Person
    reason: str
    at: datetime
    message: Event | None


@writes
def report(room: Room, offset: int, reason: str, *, by: Person) -> None:
    """Reports the message at `offset`; once more, it gives the report another reason.

    Raises NoSuchMessage, NotAllowed, Banned or NotAMember.
    """
    with transaction.atomic():
        # So that the message isn't deleted between the look and the report.
        here = models.Room.objects.select_for_update().filter(name=room.name).first()
        permissions.check(room, by)
        if here is None:
            raise NoSuchMessage(_("There is no message {offset} here."), offset=offset)
        message = history.message(room, offset)
        if message.deleted:
            raise NoSuchMessage(_("That message is deleted, so there is nothing to report."))
        if message.person is not None and message.person.id == by.id:
            raise NotAllowed(_("You can’t report what you said yourself. You can delete it."))
        here.reports.update_or_create(
            offset=offset,
            person_id=by.id,
            defaults={"reason": reason, "person_name": by.name},
            create_defaults={"reason": reason, "person_name": by.name, "at": timezone.now()},
        )


@writes
def dismiss(room: Room, offset: int, *, by: Person | None) -> None:
    """Finds nothing wrong with the message at `offset`: its reports are gone.

    Raises NotAllowed, Banned or NotAMember.
    """
    if problem := _problems([room], by)[room]:
        raise problem
    with transaction.atomic():
        dismissed, _rows = models.Report.objects.filter(room__name=room.name, offset=offset).delete()
        if dismissed:
            audit.record(by, Verb.REPORTS_DISMISSED, room=room, offset=offset, reports=dismissed)


@reads_long
def report_pages(
    rooms: Collection[Room], *, person: Person | None, size: int, after: int | None = None
) -> dict[Room, list[Report] | ChatError]:
    """The last `size` reports in each room before the one numbered `after`, the last one first.

    Banned, NotAMember or NotAllowed in the place of those that may not be seen. Three queries.
    """
    rows = _open(room.name for room in rooms).select_related("room")
    rows = rows if after is None else rows.filter(pk__lt=after)
    if len(rooms) == 1:
        found = list(rows.order_by("-pk")[:size])  # without numbering all that come after them
    else:
        place = Window(RowNumber(), partition_by=F("room_id"), order_by="-pk")
        found = list(rows.annotate(place=place).filter(place__lte=size).order_by("place"))
    messages = _messages(found)
    by_name: dict[str, list[Report]] = {room.name: [] for room in rooms}
    for row in found:
        by_name[row.room.name].append(_report(row, messages.get((row.room_id, row.offset))))
    problems = _problems(rooms, person)  # asked last, as always
    return {room: problems[room] or by_name[room.name] for room in rooms}


@reads_long
def counts(rooms: Collection[Room], *, person: Person | None) -> dict[Room, int | ChatError]:
    """How many messages are reported in each room.

    Banned, NotAMember or NotAllowed in the place of those that may not be seen. Two queries.
    """
    found = _counts(room.name for room in rooms)
    problems = _problems(rooms, person)
    return {room: problems[room] or found.get(room.name, 0) for room in rooms}


@reads_long
def open_counts(pairs: Iterable[tuple[Room, Person]]) -> dict[tuple[Room, Person], int | None]:
    """How many messages are reported in each room; None for a person who isn't to know. Two queries."""
    distinct = list(dict.fromkeys(pairs))
    found = _counts(room.name for room, _ in distinct)
    permitted = permissions.by_pair(distinct)
    return {pair: found.get(pair[0].name, 0) if permitted[pair].may_moderate else None for pair in distinct}


def _counts(names: Iterable[str]) -> dict[str, int]:
    return dict(_open(names).values_list("room__name").annotate(Count("offset", distinct=True)))


def _open(names: Iterable[str]) -> QuerySet[models.Report]:
    """The reports in rooms of these names, but for those of messages that an older instance has deleted or pruned."""
    message = models.Message.objects.filter(room=OuterRef("room"), offset=OuterRef("offset"), deletion=None)
    return models.Report.objects.filter(Exists(message), room__name__in={*names})


def _messages(reports: Collection[models.Report]) -> Mapping[tuple[int, int], Event]:
    wanted = Q()
    for report in reports:
        wanted |= Q(room=report.room_id, offset=report.offset)
    if not reports:
        return {}
    rooms = {report.room_id: Room(report.room.name) for report in reports}
    rows = models.Message.objects.filter(wanted)
    return {(row.room_id, row.offset): history.as_event(row, rooms[row.room_id]) for row in rows}


def _report(row: models.Report, message: Event | None) -> Report:
    reporter = Person(id=row.person_id, name=row.person_name)
    return Report(row.pk, row.offset, reporter, row.reason, row.at, message)


def _problems(rooms: Collection[Room], person: Person | None) -> dict[Room, ChatError | None]:
    """Why `person` may not see what is reported in each of `rooms`."""
    if person is None:
        return dict.fromkeys(rooms)
    return {room: _problem(room, found) for room, found in permissions.by_room(rooms, person).items()}


def _problem(room: Room, permission: Permission) -> ChatError | None:
    if permission.may_moderate:
        return None
    return permissions.problem_with(room, permission) or NotAllowed(MODERATORS)


@receiver(post_delete, sender=settings.AUTH_USER_MODEL)
def account_deleted(instance: Any, **others: Any) -> None:
    models.Report.objects.filter(person_id=people.of_user(instance).id).delete()
