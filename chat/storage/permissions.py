"""Permissions: what a person may do in a room. Asked on entering, listening, reading and posting.

A public room without bans is not `restricted`, and needs no query for them. Code that reads a restricted room asks
after it has read, so that a person is told only what they were still allowed to read.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db import connection
from django.db.models import Exists, OuterRef, Q, TextField, Value
from django.db.models.functions import Cast

from chat import models
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import Banned, ChatError, NotAMember
from chat.models import Role

# In SQL, because it is asked for each post and each person of a room that is restricted.
STANDINGS = """
    SELECT room.name, room.is_private, member.role, ban.id IS NOT NULL
    FROM chat_room AS room
    LEFT JOIN chat_roommember AS member ON member.room_id = room.id AND member.user_id = %%s
    LEFT JOIN chat_ban AS ban ON ban.room_id = room.id AND ban.person_id = %%s
    WHERE room.name IN (%s)
"""
MEMBERS_ONLY = "“{}” is a private room, and you are not a member. Ask one of its owners to add you."


@dataclass(frozen=True, slots=True)
class Permission:
    """The permissions of one person in one room."""

    private: bool = False
    role: Role | None = None
    banned: bool = False

    @property
    def may_enter(self) -> bool:
        return not self.banned and (not self.private or self.role is not None)

    @property
    def may_moderate(self) -> bool:
        return not self.banned and self.role in {Role.MODERATOR, Role.OWNER}

    @property
    def owns(self) -> bool:
        return not self.banned and self.role is Role.OWNER


def permission(room: Room, person: Person) -> Permission:
    return by_room([room], person)[room]


def by_room(rooms: Iterable[Room], person: Person) -> dict[Room, Permission]:
    """The permissions of `person` in each of `rooms`, by one query. A room that doesn't exist yet is open to all."""
    by_name = {room.name: room for room in rooms}
    found = dict.fromkeys(by_name.values(), Permission())
    if not by_name:
        return found
    with connection.cursor() as cursor:
        cursor.execute(STANDINGS % ", ".join(["%s"] * len(by_name)), [person.user_id, person.id, *by_name])
        for name, private, role, banned in cursor.fetchall():
            found[by_name[name]] = Permission(
                private=bool(private), role=Role(role) if role else None, banned=bool(banned)
            )
    return found


def check(room: Room, person: Person | None) -> None:
    """Raises Banned or NotAMember. `person` None is the site itself, which may do anything."""
    if problem := problems([room], person)[room]:
        raise problem


def problems(rooms: Iterable[Room], person: Person | None) -> dict[Room, ChatError | None]:
    """Why `person` may not be in each of `rooms`: Banned, NotAMember, or None. One query."""
    if person is None:
        return dict.fromkeys(rooms)
    return {room: problem_with(room, permission) for room, permission in by_room(rooms, person).items()}


def problems_of_many(present: Mapping[Room, Collection[Person]]) -> dict[tuple[Room, Person], ChatError]:
    """Why people may not be in rooms, for those who may not be there. One query, however many there are."""
    people = {person for those in present.values() for person in those}
    names, ids = {room.name for room in present}, {person.id for person in people}
    user_ids = {person.user_id for person in people if not person.is_guest}
    private = models.Room.objects.filter(name__in=names, is_private=True)
    members = models.RoomMember.objects.filter(room__name__in=names, user_id__in=user_ids)
    bans = models.Ban.objects.filter(room__name__in=names, person_id__in=ids)
    found = private.values_list("name", Value(""), Value("")).union(
        members.values_list("room__name", Cast("user_id", TextField()), "role"),
        bans.values_list("room__name", "person_id", Value("")),
        all=True,
    )
    facts = {(name, id): role for name, id, role in found}
    problems = {
        (room, person): problem_with(
            room,
            Permission(
                private=(room.name, "") in facts,
                role=Role(facts[room.name, person.user_id]) if (room.name, person.user_id) in facts else None,
                banned=(room.name, person.id) in facts,
            ),
        )
        for room, those in present.items()
        for person in those
    }
    return {who: problem for who, problem in problems.items() if problem}


def problem_with(room: Room, permission: Permission) -> Banned | NotAMember | None:
    """Why somebody with that permission may not be in `room`; None if they may."""
    if permission.banned:
        return Banned(f"You are banned from “{room.name}”.")
    if not permission.may_enter:
        return NotAMember(MEMBERS_ONLY.format(room.name))
    return None


def rooms_of(person: Person) -> list[Room]:
    """The rooms that `person` belongs to, by name."""
    found = models.Room.objects.filter(members__user_id=person.user_id).order_by("name").values_list("name", flat=True)
    return [Room(name) for name in found] if not person.is_guest else []


def visible_to(person: Person) -> Q:
    """Filters rooms: public ones, and those that `person` is a member of."""
    member = models.RoomMember.objects.filter(room=OuterRef("pk"), user_id=person.user_id)
    return Q(is_private=False) | Q(Exists(member))


def allowed(room: Room, present: Iterable[Person]) -> set[Person]:
    """Those of `present` who may be in `room`: three queries, however many they are."""
    here = models.Room.objects.filter(name=room.name).first()
    if here is None:
        return set(present)
    banned = set(here.bans.values_list("person_id", flat=True))
    entering = {person for person in present if person.id not in banned}
    if here.is_private:
        members = {str(pk) for pk in here.members.values_list("user_id", flat=True)}
        entering = {person for person in entering if person.user_id in members}
    return entering
