"""Mentions: the people whom a text calls by `@`, and where people were called.

A message's row and its event name the people, for whoever shows it. Rows of their own, by person, tell how many
mentions somebody has not read.
"""

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Case, Q, QuerySet, When

from chat import models
from chat.domain import mentions, people
from chat.domain.mentions import EVERYBODY, MENTIONS_MAX
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.domain.texts import is_storable
from chat.storage import accounts, history, permissions, profiles
from chat.storage.database import reads_long

LATELY = 200  # entries, among which guests are looked for
MEMBERS_MAX = 1000  # members, among whom candidates are looked for, those first whom the database finds to be called so
NAME_MAX = 150  # characters of a name, at most
CANDIDATES_MAX = 8


@reads_long
def resolve(room: Room, text: str, *, by: Person) -> list[Person]:
    """The people whom `text` calls, if they may be in `room`: users, and guests who spoke there lately.

    EVERYBODY is among them if an owner or a moderator calls the room. Nobody calls themselves. At most four queries,
    none where no name is called.
    """
    names = [name for name in mentions.names_in(text) if is_storable(name)]
    if not names:
        return []
    found = _users(names) | _guests(room, names)
    ordered = [found[name] for name in names if name in found]
    others = [person for person in dict.fromkeys(ordered) if person.id != by.id]
    allowed = permissions.by_pair((room, person) for person in [*others, by])
    reached = [person for person in others if allowed[room, person].may_enter]
    if EVERYBODY.name in names and allowed[room, by].may_moderate:
        reached.insert(0, EVERYBODY)
    return reached[:MENTIONS_MAX]


@reads_long
def candidates(room: Room, beginning: str, *, by: Person, here: Iterable[Person] = ()) -> list[Person]:
    """People of the room, for completion: those one of whose names has a word that begins so.

    Those who spoke lately come first, then members, then users among those who are `here`. Four queries.

    Raises Banned or NotAMember.
    """
    wanted = beginning.strip().casefold()
    # Of the guests who are here, only those can be called who have spoken.
    users_here = [person for person in here if not person.is_guest and _is_called(person, wanted)]
    belonging = [people.of_user(member.user) for member in _members(room, wanted)[:MEMBERS_MAX]]
    lately = history.lately_heard(room, LATELY)
    now = _as_called_now([*lately, *users_here[: CANDIDATES_MAX + 1]])  # one of them may be `by`
    known = [*now[: len(lately)], *belonging, *now[len(lately) :]]
    permissions.check(room, by)
    found = [person for person in dict.fromkeys(known) if person.id != by.id and _is_called(person, wanted)]
    return found[:CANDIDATES_MAX]


def _members(room: Room, wanted: str) -> QuerySet[models.RoomMember]:
    """The members by name, but first those who are found to be called so, however many there are before them.

    The database may know upper and lower case of ASCII's letters alone, so the others may be called so, too.
    """
    members = models.RoomMember.objects.filter(room__name=room.name).select_related("user__chat_profile")
    if not wanted or len(wanted) > NAME_MAX or not is_storable(wanted):
        return members.order_by("user__username")
    called = Q()
    for name in ("user__username", "user__chat_profile__display_name"):
        called |= Q(**{f"{name}__istartswith": wanted}) | Q(**{f"{name}__icontains": f" {wanted}"})
    return members.order_by(Case(When(called, then=0), default=1), "user__username")


def _as_called_now(heard: Sequence[Person]) -> list[Person]:
    """The same people, but users by the names that they have now: by others, nobody could call them."""
    users = profiles.people_by_ids(person.id for person in heard if not person.is_guest)
    return [users.get(person.id, person) for person in heard]


def _is_called(person: Person, beginning: str) -> bool:
    return any(_begins(name, beginning) for name in (person.name, person.username) if name)


def _begins(name: str, wanted: str) -> bool:
    folded = name.casefold()
    return folded.startswith(wanted) or any(word.startswith(wanted) for word in folded.split())


def _users(names: Iterable[str]) -> dict[str, Person]:
    """The users who are called so, whatever the case of the letters, by the names given.

    Of several that look alike, the one that is spelled like that.
    """
    return {name: people.of_user(users[0]) for name, users in accounts.alike(names).items() if users}


def _guests(room: Room, names: Sequence[str]) -> dict[str, Person]:
    """The guests of these names, of those who spoke in `room` lately; of several of one name, the last one."""
    spoke = [person for person in history.lately_heard(room, LATELY) if person.is_guest]
    folded = {person.name.casefold(): person for person in reversed(spoke)}
    return {name: folded[name.casefold()] for name in names if name.casefold() in folded}


def record(called: Mapping[tuple[int, int], Iterable[Person]], by: Mapping[tuple[int, int], Person]) -> None:
    """Stores whom the messages at these rooms' ids and offsets mention, and who says so. One statement."""
    models.Mention.objects.bulk_create(
        models.Mention(room_id=place[0], offset=place[1], person_id=person.id, caller_id=by[place].id)
        for place, those in called.items()
        for person in those
    )


def forget(room_id: int, *offsets: int) -> None:
    """The messages at these offsets mention nobody any more."""
    models.Mention.objects.filter(room=room_id, offset__in=offsets).delete()
