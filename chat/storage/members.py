"""Members of rooms, and people who are banned from them: pages of one room or of many at once."""

from collections.abc import Collection
from typing import TypeVar

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain import people
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import ChatError, NotAllowed
from chat.models import Role
from chat.storage import permissions
from chat.storage.database import reads_long

MODERATORS = "Only the owners and moderators of the room can see who is banned."

Row = TypeVar("Row", models.RoomMember, models.Ban)


@reads_long
def member_pages(
    rooms: Collection[Room], *, person: Person | None, size: int, after: str | None = None
) -> dict[Room, list[tuple[Person, Role]] | ChatError]:
    """The first `size` members of each room, by name, whose name comes after `after`.

    Banned or NotAMember in the place of those that may not be seen. Two queries.
    """
    rows = _members(rooms) if after is None else _members(rooms).filter(user__username__gt=after)
    by_room = _by_room(rooms, _first(rooms, rows, size, "user__username"))
    problems = permissions.problems(rooms, person)  # asked last, as always
    return {room: problems[room] or [_member(row) for row in found] for room, found in by_room.items()}


@reads_long
def ban_pages(
    rooms: Collection[Room], *, person: Person | None, size: int, after: int | None = None
) -> dict[Room, list[tuple[int, Person]] | ChatError]:
    """The last `size` people who were banned from each room before the ban numbered `after`, with their ban's number.

    Banned, NotAMember or NotAllowed in the place of those that may not be seen. Two queries.
    """
    rows = _bans(rooms) if after is None else _bans(rooms).filter(pk__lt=after)
    by_room = _by_room(rooms, _first(rooms, rows, size, "-pk"))
    problems = _ban_problems(rooms, person)
    return {room: problems[room] or [(row.pk, _banned(row)) for row in found] for room, found in by_room.items()}


@reads_long
def belonging_or_banned(room: Room, among: Collection[Person]) -> set[str]:
    """The ids of those of `among` who are members of `room` or banned from it. Two queries."""
    ids = {person.id for person in among}
    users = [int(id.removeprefix(people.USER)) for id in ids if people.USER_ID.fullmatch(id)]
    members = models.RoomMember.objects.filter(room__name=room.name, user__in=users).values_list("user", flat=True)
    banned = models.Ban.objects.filter(room__name=room.name, person_id__in=ids).values_list("person_id", flat=True)
    return {f"{people.USER}{key}" for key in members} | {*banned}


def _members(rooms: Collection[Room]) -> QuerySet[models.RoomMember]:
    names = [room.name for room in rooms]
    return models.RoomMember.objects.filter(room__name__in=names).select_related("user__chat_profile", "room")


def _bans(rooms: Collection[Room]) -> QuerySet[models.Ban]:
    return models.Ban.objects.filter(room__name__in=[room.name for room in rooms]).select_related("room")


def _first(rooms: Collection[Room], rows: "QuerySet[Row]", size: int, order: str) -> "QuerySet[Row]":
    """The first `size` rows of each of `rooms`, in that order."""
    if len(rooms) == 1:
        return rows.order_by(order)[:size]  # without numbering all that come after them
    place = Window(RowNumber(), partition_by=F("room_id"), order_by=order)
    return rows.annotate(place=place).filter(place__lte=size).order_by("place")


def _by_room(rooms: Collection[Room], rows: "QuerySet[Row]") -> dict[Room, list[Row]]:
    by_name: dict[str, list[Row]] = {room.name: [] for room in rooms}
    for row in rows:
        by_name[row.room.name].append(row)
    return {room: by_name[room.name] for room in rooms}


def _member(row: models.RoomMember) -> tuple[Person, Role]:
    return people.of_user(row.user), Role(row.role)


def _banned(row: models.Ban) -> Person:
    return Person(id=row.person_id, name=row.person_name)


def _ban_problems(rooms: Collection[Room], person: Person | None) -> dict[Room, ChatError | None]:
    """Why `person` may not see who is banned from each of `rooms`."""
    if person is None:
        return dict.fromkeys(rooms)
    found = permissions.by_room(rooms, person)
    return {
        room: permissions.problem_with(room, permission) or _ban_problem(permission)
        for room, permission in found.items()
    }


def _ban_problem(permission: permissions.Permission) -> NotAllowed | None:
    if permission.may_moderate:
        return None
    return NotAllowed(_("Only the owners and moderators of the room can see who is banned."))
