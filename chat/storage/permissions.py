"""Permissions: what a person may do in a room. Asked on entering, listening, reading and posting.

A public room without bans is not `restricted`, and needs no query for them. Code that reads a restricted room asks
after it has read, so that a person is told only what they were still allowed to read.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain.grants import Grant, Scope
from chat.domain.people import Person
from chat.domain.rooms import DIRECT, Room
from chat.errors import Banned, ChatError, NotAMember
from chat.models import Role
from chat.storage.pairs import Pair, read_pairs

# In SQL, because it is asked for each post and each person of a room that is restricted.
SELECT_PERMISSIONS = """
    WITH pair (number, room_name, user_id, person_id) AS (VALUES {pairs})
    SELECT pair.number, room.is_private, member.role, ban.id IS NOT NULL, room.read_only, room.slow_mode,
        room.link_previews
    FROM pair
    JOIN chat_room AS room ON room.name = pair.room_name
    LEFT JOIN chat_roommember AS member ON member.room_id = room.id AND member.user_id = pair.user_id
    LEFT JOIN chat_ban AS ban ON ban.room_id = room.id AND ban.person_id = pair.person_id
"""
MEMBERS_ONLY = _("“{room}” is a private room, and you are not a member. Ask one of its owners to add you.")
DIRECT_ONLY = _("This is a direct room of other people. Log in as one of them, or write to somebody yourself.")


@dataclass(frozen=True, slots=True)
class Permission:
    """The permissions of one person in one room, and the settings of the room that they come from.

    `slow_mode` is how many seconds have to pass from one message of a person to the next; 0 is as they like.
    `previews_chosen` is whether messages are to show previews of their links, if somebody has decided that.
    """

    private: bool = False
    role: Role | None = None
    banned: bool = False
    read_only: bool = False
    slow_mode: int = 0
    previews_chosen: bool | None = None
    may_lead: bool = True
    """Whether the role counts for more than being there and posting. It doesn't for a token without that scope."""

    @property
    def may_enter(self) -> bool:
        return not self.banned and (not self.private or self.role is not None)

    @property
    def may_moderate(self) -> bool:
        return self.may_lead and self.leads

    @property
    def leads(self) -> bool:
        """Whether the person is a moderator or an owner."""
        return not self.banned and self.role in {Role.MODERATOR, Role.OWNER}

    @property
    def may_post(self) -> bool:
        return self.may_enter and (not self.read_only or self.leads)

    @property
    def pause(self) -> int:
        """Seconds that have to pass from one message of the person to the next."""
        return 0 if self.leads else self.slow_mode

    @property
    def link_previews(self) -> bool:
        """Whether messages show previews of their links."""
        return not self.private if self.previews_chosen is None else self.previews_chosen

    @property
    def owns(self) -> bool:
        return self.may_lead and not self.banned and self.role is Role.OWNER


def permission(room: Room, person: Person) -> Permission:
    return by_room([room], person)[room]


def by_room(rooms: Iterable[Room], person: Person) -> dict[Room, Permission]:
    """The permissions of `person` in each of `rooms`. A room that doesn't exist yet is open to all.

    But a direct room is open to nobody before it is made, and then to its members.
    """
    return {room: found for (room, _), found in by_pair((room, person) for room in rooms).items()}


def by_pair(pairs: Iterable[Pair]) -> dict[Pair, Permission]:
    """The permission of each person in the room beside them, by one query for some hundreds of pairs."""
    asked = list(pairs)
    found = {(room, person): Permission(private=room.is_direct) for room, person in asked}
    for (room, person), row in read_pairs(SELECT_PERMISSIONS, asked):
        private, role, banned, read_only, slow_mode, previews = row
        found[room, person] = Permission(
            private=bool(private) or room.is_direct,
            role=Role(role) if role else None,
            banned=bool(banned),
            read_only=bool(read_only),
            slow_mode=slow_mode,
            previews_chosen=None if previews is None else bool(previews),
        )
    for room, person in asked:
        if person.grant is not None:
            found[room, person] = limited(found[room, person], room, person.grant)
    return found


def limited(permission: Permission, room: Room, grant: Grant) -> Permission:
    """The permission as far as a token goes: a room that it isn't for is one whose member the person isn't."""
    if not grant.includes(room.name):
        return Permission(private=True)
    return replace(permission, may_lead=Scope.MODERATE in grant.scopes)


def check(room: Room, person: Person | None) -> None:
    """Raises Banned or NotAMember. `person` None is the site itself, which may do anything."""
    if problem := problems([room], person)[room]:
        raise problem


def problems(rooms: Iterable[Room], person: Person | None) -> dict[Room, ChatError | None]:
    """Why `person` may not be in each of `rooms`: Banned, NotAMember, or None. One query."""
    if person is None:
        return dict.fromkeys(rooms)
    return {room: problem_with(room, permission) for room, permission in by_room(rooms, person).items()}


def problems_of(pairs: Iterable[Pair]) -> dict[Pair, ChatError | None]:
    """The same for many people, each in the room beside them."""
    return {pair: problem_with(pair[0], permission) for pair, permission in by_pair(pairs).items()}


def problem_with(room: Room, permission: Permission) -> Banned | NotAMember | None:
    """Why somebody with that permission may not be in `room`; None if they may."""
    if permission.banned:
        return Banned(_("You are banned from “{room}”."), room=room.name)
    if not permission.may_enter:
        return NotAMember(DIRECT_ONLY) if room.is_direct else NotAMember(MEMBERS_ONLY, room=room.name)
    return None


def visible_to(person: Person) -> Q:
    """Filters rooms: public ones, and those that `person` is a member of, without direct ones."""
    member = models.RoomMember.objects.filter(room=OuterRef("pk"), user_id=person.user_id)
    return (Q(is_private=False) | Q(Exists(member))) & ~Q(name__startswith=DIRECT)
