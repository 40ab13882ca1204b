"""Direct rooms: private rooms of two or more users, who stay the same. The users give the room its name.

So there is one for the same people, whoever opens it first, and two who do so at once make the same row.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain import people, rooms
from chat.domain.people import USER, USER_ID, Person
from chat.domain.rooms import DIRECT, Room
from chat.domain.texts import is_storable
from chat.errors import InvalidPeople, LoginRequired, NoSuchPerson
from chat.storage import accounts
from chat.storage.database import reads_long, writes

PEOPLE_MAX = 20  # with the person who asks
FELLOWS_MAX = 1000  # who are told of another name of somebody; the others see it when they load a page
NAMELESS = _("Direct messages")  # where the others' accounts are gone, and to everybody else

Pair = tuple[Room, Person]


def people_of(usernames: Iterable[str], *, by: Person, person_ids: Iterable[str] = ()) -> list[Person]:
    """The users of a direct room of `by` and the accounts of these names, or with these ids. One query.

    Raises LoginRequired, NoSuchPerson or InvalidPeople.
    """
    if by.is_guest:
        raise LoginRequired(_("Log in to write to somebody directly."))
    names, ids = list(dict.fromkeys(usernames)), set(person_ids)
    if len(names) + len(ids) > PEOPLE_MAX:
        raise InvalidPeople(_("A direct room has at most {most} people."), most=PEOPLE_MAX)
    called = Q(username__in=[name for name in names if is_storable(name)])
    known = Q(pk__in=[id.removeprefix(USER) for id in ids if USER_ID.fullmatch(id)])
    found = [people.of_user(user) for user in accounts.users().filter(called | known, is_active=True)]
    for name in names:
        if name not in {person.username for person in found}:
            raise NoSuchPerson(_("Nobody has an account by the name of “{name}”."), name=name)
    if not ids <= {person.id for person in found}:
        raise NoSuchPerson(_("There is no account with that id."))
    others = [person for person in found if person.id != by.id]
    if not 0 < len(others) < PEOPLE_MAX:
        raise InvalidPeople(_("Name 1 to {most} other people to write to."), most=PEOPLE_MAX - 1)
    return [by, *others]


def room_of(members: Iterable[Person]) -> Room:
    return rooms.direct(person.user_id for person in members)


@writes
def make(room: Room, members: Sequence[Person]) -> None:
    """Makes the direct room of these users, unless there is one. Two who do it at once make it once."""
    if models.Room.objects.filter(name=room.name, is_private=True).exists():
        return
    with transaction.atomic():
        # An instance of the release before may have made a public one of that name.
        models.Room.objects.bulk_create(
            [models.Room(name=room.name, is_private=True, restricted=True)],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["is_private", "restricted"],
        )
        here = models.Room.objects.get(name=room.name)
        models.RoomMember.objects.bulk_create(
            [models.RoomMember(room=here, user_id=person.user_id) for person in members], ignore_conflicts=True
        )


@reads_long
def others(pairs: Iterable[Pair]) -> dict[Pair, tuple[Person, ...]]:
    """The other members, by name, of the direct rooms among `pairs`, for the person beside each.

    Nobody, for a person who is no member. One query; none where no room is direct.
    """
    direct = [(room, person) for room, person in pairs if room.is_direct]
    if not direct:
        return {}
    names = {room.name for room, _ in direct}
    members: dict[str, list[Person]] = defaultdict(list)
    found = models.RoomMember.objects.filter(room__name__in=names).select_related("user__chat_profile", "room")
    for row in found.order_by("user__username"):
        members[row.room.name].append(people.of_user(row.user))
    return {(room, person): _without(person, members[room.name]) for room, person in direct}


def fellows(person: Person) -> list[tuple[str, str]]:
    """The others in direct rooms of `person`, by their ids, each with the name of the room. One query."""
    rows = models.RoomMember.objects.filter(room__name__startswith=DIRECT, room__members__user=person.user_id)
    found = rows.exclude(user=person.user_id).values_list("user_id", "room__name")
    return [(f"{USER}{user_id}", room_name) for user_id, room_name in found[:FELLOWS_MAX]]


def _without(person: Person, members: Sequence[Person]) -> tuple[Person, ...]:
    rest = tuple(member for member in members if member.id != person.id)
    return rest if len(rest) < len(members) else ()


def display_name(room: Room, others: Iterable[Person]) -> str:
    """The name of a room as it is shown to a person: that of a direct room has the names of the `others`.

    Where there are none, it is in the language that is active.
    """
    if not room.is_direct:
        return room.name
    return ", ".join(person.name for person in others) or str(NAMELESS)
