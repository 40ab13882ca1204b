"""The choices of users about being notified: how much a push says, and digests by e-mail."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain.people import USER, Person
from chat.domain.rooms import Room
from chat.errors import LoginRequired
from chat.models import Detail
from chat.storage import permissions, readings
from chat.storage.database import writes
from chat.storage.readings import Mark


@dataclass(frozen=True, slots=True)
class Choice:
    """`email` gets a digest if `digest` is on, and somebody who reads the mail there has confirmed it."""

    detail: Detail = Detail.NAMES
    digest: bool = False
    email: str = ""
    is_confirmed: bool = False
    language: str = ""


def choice(person: Person) -> Choice:
    return choices([person.id])[person.id]


def choices(person_ids: Collection[str]) -> dict[str, Choice]:
    """The choices of each of these people. One query."""
    keys: list[Any] = [id.removeprefix(USER) for id in person_ids if id.startswith(USER)]
    found = {f"{USER}{row.pk}": _choice(row) for row in models.NotificationChoice.objects.filter(pk__in=keys)}
    return {id: found.get(id, Choice()) for id in person_ids}


def _choice(row: models.NotificationChoice) -> Choice:
    return Choice(Detail(row.detail), row.digest, row.email, row.is_confirmed, row.language)


@writes
def choose(
    person: Person,
    *,
    detail: Detail | None = None,
    digest: bool | None = None,
    email: str | None = None,
    language: str | None = None,
) -> Choice:
    """Changes what is given. Another address has to be confirmed first. Raises LoginRequired for guests."""
    if person.is_guest:
        raise LoginRequired(_("Log in to be notified."))
    given: dict[str, Any] = {"detail": detail, "digest": digest, "email": email, "language": language}
    new = {name: value for name, value in given.items() if value is not None}
    with transaction.atomic():
        row, _made = models.NotificationChoice.objects.select_for_update().get_or_create(user_id=person.user_id)
        if email is not None and email != row.email:
            new["is_confirmed"] = False
        for name, value in new.items():
            setattr(row, name, value)
        row.save(update_fields=[*new] or None)
    return _choice(row)


@writes
def confirm(person: Person, *, email: str) -> bool:
    """Somebody who reads the mail at `email` wants digests there. Returns whether it is still the person's address."""
    row = models.NotificationChoice.objects.filter(pk=person.user_id, email=email)
    return bool(row.update(is_confirmed=True))


@writes
def end_digests(person: Person, *, email: str) -> None:
    """No more digests go to that address."""
    models.NotificationChoice.objects.filter(pk=person.user_id, email=email).update(digest=False)


@writes
def set_push_all(room: Room, person: Person, *, on: bool) -> None:
    """Has devices of `person` told of every message in `room`, or no longer.

    Raises LoginRequired, Banned or NotAMember.
    """
    if person.is_guest:
        raise LoginRequired(_("Log in to be notified."))
    permissions.check(room, person)
    with transaction.atomic():
        readings.enter([Mark(room, person)])
        own = models.Reading.objects.filter(person_id=person.id, room_name=room.name)
        own.update(pushes_all=on)
        others = models.Reading.objects.filter(room_name=room.name, pushes_all=True)
        if on:
            last = models.Room.objects.filter(name=room.name).values_list("last_offset", flat=True).first() or 0
            models.PushedRoom.objects.get_or_create(
                room_name=room.name, defaults={"offset": last, "due_at": timezone.now()}
            )
        elif not others.exists():
            models.PushedRoom.objects.filter(room_name=room.name).delete()


def rooms_with_all(person: Person) -> set[Room]:
    """The rooms of every message of which the person wants to be told."""
    names = models.Reading.objects.filter(person_id=person.id, pushes_all=True).values_list("room_name", flat=True)
    return {Room(name) for name in names}
