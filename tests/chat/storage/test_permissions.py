"""Permission to enter a room, by role, ban and privacy of the room."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat import models
from chat.domain import people
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.errors import Banned, NotAMember
from chat.models import Role
from chat.storage import pairs, permissions

ROOM = find("a/b é")

pytestmark = pytest.mark.django_db


def make_room(**fields: bool) -> models.Room:
    return models.Room.objects.create(name=ROOM.name, **fields)


def make_person(here: models.Room, what: str) -> Person:
    """`what` is a role, "user" or "guest"; with "banned " before it, they are banned."""
    if what.endswith("guest"):
        person = people.new_guest()
    else:
        user = User.objects.create_user(username=what.replace(" ", "-"))
        person = people.of_user(user)
        if (role := what.removeprefix("banned ")) in Role.values:
            here.members.create(user=user, role=role)
    if what.startswith("banned"):
        here.bans.create(person_id=person.id)
    return person


@pytest.mark.parametrize(
    ("who", "public", "private"),
    [
        ("guest", None, NotAMember),
        ("user", None, NotAMember),
        ("member", None, None),
        ("moderator", None, None),
        ("owner", None, None),
        ("banned guest", Banned, Banned),
        ("banned user", Banned, Banned),
        ("banned member", Banned, Banned),
    ],
)
def test_check_allows_members_into_private_rooms_and_banned_people_into_none(
    who: str, public: type[Exception] | None, private: type[Exception] | None
) -> None:
    here = make_room(restricted=True)
    person = make_person(here, who)
    for is_private, error in ((False, public), (True, private)):
        models.Room.objects.update(is_private=is_private)
        assert permissions.permission(ROOM, person).may_enter == (error is None)
        assert [type(one) for one in permissions.problems_of([(ROOM, person)]).values()] == [error or type(None)]
        if error is None:
            permissions.check(ROOM, person)
        else:
            with pytest.raises(error) as caught:
                permissions.check(ROOM, person)
            assert caught.type is error


def test_check_allows_the_site_itself_into_private_rooms() -> None:
    make_room(is_private=True, restricted=True)
    permissions.check(ROOM, None)


def test_check_allows_everybody_into_a_room_that_is_not_stored_yet() -> None:
    guest = people.new_guest()
    permissions.check(ROOM, guest)
    assert permissions.problems_of([(ROOM, guest)]) == {(ROOM, guest): None}


@pytest.mark.parametrize(
    ("who", "moderates", "owns"),
    [("guest", False, False), ("member", False, False), ("moderator", True, False), ("owner", True, True)],
)
def test_permission_follows_the_role_unless_the_person_is_banned(who: str, moderates: bool, owns: bool) -> None:
    here = make_room()
    person = make_person(here, who)
    permission = permissions.permission(ROOM, person)
    assert (permission.may_moderate, permission.owns) == (moderates, owns)
    here.bans.create(person_id=person.id)
    permission = permissions.permission(ROOM, person)
    assert (permission.may_moderate, permission.owns) == (False, False)


def test_roles_and_bans_hold_in_their_own_room_only() -> None:
    here, elsewhere = make_room(), models.Room.objects.create(name="elsewhere", is_private=True, restricted=True)
    person = make_person(here, "owner")
    elsewhere.bans.create(person_id="guest-1")
    assert permissions.permission(find("elsewhere"), person).role is None
    assert not permissions.permission(ROOM, Person(id="guest-1", name="?")).banned


def test_problems_of_takes_one_query_for_some_hundreds_and_by_room_one_however_many_are_asked_for() -> None:
    here = make_room(is_private=True, restricted=True)
    members = [make_person(here, role) for role in ("member", "owner")]
    strangers = [people.new_guest() for _ in range(pairs.PAIRS_PER_STATEMENT)]
    with CaptureQueriesContext(connection) as captured:
        found_problems = permissions.problems_of((ROOM, person) for person in [*members, *strangers])
    assert [person for (_, person), problem in found_problems.items() if problem is None] == members
    assert len(captured) == 2
    rooms = [ROOM, *(find(f"room {number}") for number in range(20))]
    with CaptureQueriesContext(connection) as captured:
        found = permissions.by_room(rooms, members[0])
    assert [room for room, permission in found.items() if permission.private] == [ROOM]
    assert len(found) == 21
    assert len(captured) == 1
