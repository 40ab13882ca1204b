"""Members of rooms and bans, of one room and of many at once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat import models
from chat.domain import people
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.errors import Banned, NotAllowed, NotAMember
from chat.models import Role
from chat.storage import members

ROOMS = [find(f"room {number}") for number in range(5)]
GUEST = Person(id="guest-0123456789abcdef", name="Mallory")

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Person:
    """The owner of all ROOMS. The first has four members more and four bans, the second one of each."""
    users = [User.objects.create(username=name) for name in ["dan", "ann", "Cem", "bob", "zoe"]]
    for room, count in zip(ROOMS, [5, 2, 1, 1, 1], strict=True):
        here = models.Room.objects.create(name=room.name, restricted=True)
        for number, user in enumerate(users[:count]):
            here.members.create(user=user, role=Role.OWNER if number == 0 else Role.MEMBER)
            if number:
                here.bans.create(person_id=f"guest-{number}", person_name=f"Guest {number}")
    return people.of_user(users[0])


def listed(function: Callable[..., Any], room: Any, **asked: Any) -> list[str]:
    return [name_of(item) for item in function(ROOMS, **asked)[room]]


def name_of(item: Any) -> str:
    return next(part.name for part in item if isinstance(part, Person))


def test_member_pages_are_in_order_of_names(owner: Person) -> None:
    every = listed(members.member_pages, ROOMS[0], person=owner, size=9)
    assert sorted(every, key=str.lower) == ["ann", "bob", "Cem", "dan", "zoe"]
    assert listed(members.member_pages, ROOMS[0], person=owner, size=2) == every[:2]
    assert listed(members.member_pages, ROOMS[0], person=owner, size=2, after=every[1]) == every[2:4]
    assert listed(members.member_pages, ROOMS[0], person=owner, size=2, after="zoe") == []
    assert members.member_pages(ROOMS, person=owner, size=9)[ROOMS[2]] == [(owner, Role.OWNER)]


def test_ban_pages_begin_with_the_latest_ban(owner: Person) -> None:
    assert listed(members.ban_pages, ROOMS[0], person=owner, size=9) == [f"Guest {n}" for n in (4, 3, 2, 1)]
    found = members.ban_pages(ROOMS, person=owner, size=2)
    assert [person.name for _, person in found[ROOMS[0]]] == ["Guest 4", "Guest 3"]
    assert [person.name for _, person in found[ROOMS[1]]] == ["Guest 1"]
    assert found[ROOMS[2]] == []
    after, _ = found[ROOMS[0]][-1]
    assert listed(members.ban_pages, ROOMS[0], person=owner, size=9, after=after) == ["Guest 2", "Guest 1"]


@pytest.mark.parametrize("read", [members.member_pages, members.ban_pages])
def test_pages_of_members_or_bans_of_many_rooms_take_two_queries(owner: Person, read: Callable[..., Any]) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert list(read(ROOMS, person=owner, size=3)) == ROOMS
    assert len(captured) == 2


def test_pages_without_permission_are_errors_beside_the_others(owner: Person) -> None:
    models.Room.objects.filter(name=ROOMS[0].name).update(is_private=True)
    models.Room.objects.get(name=ROOMS[1].name).bans.create(person_id=GUEST.id)
    found = members.member_pages(ROOMS, person=GUEST, size=3)
    assert [type(found[room]) for room in ROOMS[:3]] == [NotAMember, Banned, list]
    found = members.ban_pages(ROOMS, person=GUEST, size=3)
    assert [type(found[room]) for room in ROOMS[:3]] == [NotAMember, Banned, NotAllowed]
    for read in (members.member_pages, members.ban_pages):
        assert {type(one) for one in read(ROOMS, person=None, size=3).values()} == {list}


def test_page_of_one_room_is_that_of_many(owner: Person) -> None:
    for read in (members.member_pages, members.ban_pages):
        assert read(ROOMS[:1], person=owner, size=3)[ROOMS[0]] == read(ROOMS, person=owner, size=3)[ROOMS[0]]


def test_members_and_banned_people_are_told_from_others(owner: Person) -> None:
    stranger = people.of_user(User.objects.create(username="eve"))
    banned = Person(id="guest-1", name="Guest 1")
    found = members.belonging_or_banned(ROOMS[0], [owner, stranger, banned, GUEST])
    assert found == {owner.id, banned.id}
