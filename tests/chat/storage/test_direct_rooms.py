"""Direct rooms on a real database: one for the same people, closed to others, and in all members' own rooms."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat import models
from chat.domain import people, rooms
from chat.domain.people import Person
from chat.domain.positions import START
from chat.domain.rooms import Room
from chat.errors import ChatError, InvalidPeople, InvalidRoomName, LoginRequired, NoSuchPerson, NotAllowed, NotAMember
from chat.models import Role
from chat.storage import (
    direct_rooms,
    directory,
    history,
    log,
    moderation,
    own_rooms,
    pages,
    permissions,
    readings,
)
from tests.recovering import recover
from tests.servers import ROOT, environment

pytestmark = pytest.mark.django_db
GUEST = Person(id="guest-0123456789abcdef", name="Quiet Otter 42")
NOBODY_S = Room(f"@{'0' * 32}")  # a name that a direct room may have, and none has


def user(name: str) -> Person:
    return people.of_user(User.objects.create_user(name))


@pytest.fixture
def ann() -> Person:
    return user("ann")


@pytest.fixture
def ben() -> Person:
    return user("ben")


@pytest.fixture
def eve() -> Person:
    return user("eve")


def open_room(by: Person, *others: Person) -> Room:
    members = direct_rooms.people_of([other.name for other in others], by=by)
    room = direct_rooms.room_of(members)
    direct_rooms.make(room, members)
    return room


def say(room: Room, by: Person, text: str = "hi", **more: Any) -> log.Entry | ChatError:
    return log.append([log.Draft(room=room, text=text, person=by, **more)])[0]


def own(person: Person) -> dict[str, int]:
    return {one.display_name: one.unread for one in own_rooms.own_rooms(person, size=10)}


class TestOpening:
    def test_same_people_have_one_room_whoever_opens_it(self, ann: Person, ben: Person, eve: Person) -> None:
        room = open_room(ann, ben)
        assert room.is_direct
        assert rooms.find(room.name) == room
        assert {open_room(ben, ann), open_room(ann, ben, ann), open_room(ann, ben)} == {room}
        assert len({room, open_room(ann, eve), open_room(ann, ben, eve)}) == 3
        assert models.Room.objects.count() == 3
        assert models.RoomMember.objects.filter(room__name=room.name, role=Role.MEMBER).count() == 2

    def test_people_are_one_to_nineteen_others_with_accounts_that_are_active(self, ann: Person) -> None:
        names = [user(f"user{number}").name for number in range(20)]
        User.objects.create_user("gone", is_active=False)
        table: list[tuple[Person, list[str], type[ChatError] | None]] = [
            (ann, [], InvalidPeople),
            (ann, ["ann"], InvalidPeople),
            (ann, names[:1], None),
            (ann, names[:19], None),
            (ann, [*names[:19], "ann"], None),
            (ann, names, InvalidPeople),
            (ann, names * 10, InvalidPeople),
            (ann, ["nobody"], NoSuchPerson),
            (ann, ["user0", "nobody"], NoSuchPerson),
            (ann, ["gone"], NoSuchPerson),
            (ann, ["\0"], NoSuchPerson),
            (ann, ["\ud800"], NoSuchPerson),
            (ann, [""], NoSuchPerson),
            (GUEST, names[:1], LoginRequired),
        ]
        for by, given, error in table:
            if error is None:
                assert direct_rooms.people_of(given, by=by)
            else:
                with pytest.raises(error):
                    direct_rooms.people_of(given, by=by)

    @pytest.mark.django_db(transaction=True)
    async def test_several_processes_that_open_it_at_once_make_one(self, transactional_db: None) -> None:
        for name in ("ann", "ben"):
            await User.objects.acreate_user(name)
        code = """
import asyncio, django, sys
django.setup()
from django.contrib.auth.models import User
from chat.actions import direct
from chat.domain import people
async def main():
    me, other = sys.argv[1:]
    by = people.of_user(await User.objects.aget(username=me))
    opened = await asyncio.gather(*(direct.open_room([other], by=by) for _ in range(20)))
    print(*{room.name for room in opened})
asyncio.run(main())
"""
        processes = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", code, *names), cwd=ROOT, env=environment(), stdout=subprocess.PIPE
            )
            for names in (("ann", "ben"), ("ben", "ann")) * 2
        ]
        async with asyncio.timeout(60):
            names = [name for one in processes for name in (await one.communicate())[0].split()]
        assert len(names) == 4
        assert len(set(names)) == 1
        assert await models.Room.objects.acount() == 1
        assert await models.RoomMember.objects.acount() == 2

    def test_public_room_that_an_older_release_made_under_the_name_is_closed(self, ann: Person, ben: Person) -> None:
        room = direct_rooms.room_of([ann, ben])
        models.Room.objects.create(name=room.name)
        assert open_room(ann, ben) == room
        here = models.Room.objects.get()
        assert (here.is_private, here.restricted, here.members.count()) == (True, True, 2)


class TestNames:
    @pytest.mark.parametrize(
        "name", ["@", "@ann", "@room", f"@{'A' * 32}", f"@{'0' * 31}", f"@{'0' * 33}", " @x", f"@{'0' * 31}٣"]
    )
    def test_names_that_begin_with_at_are_no_others(self, name: str) -> None:
        with pytest.raises(InvalidRoomName, match="Write to somebody"):
            rooms.find(name)

    @pytest.mark.parametrize("name", ["a@b", "＠ann"])
    def test_at_elsewhere_in_a_name_is_a_letter_like_others(self, name: str) -> None:
        assert not rooms.find(name).is_direct

    def test_room_is_shown_by_the_names_that_the_others_have_now(self, ann: Person, ben: Person, eve: Person) -> None:
        room = open_room(ann, eve, ben)
        say(room, ann)
        assert (list(own(ann)), list(own(ben)), list(own(eve))) == (["ben, eve"], ["ann, eve"], ["ann, ben"])
        User.objects.filter(username="ben").update(username="zoe")
        assert list(own(ann)) == ["eve, zoe"]
        User.objects.exclude(username="ann").delete()
        assert list(own(ann)) == [direct_rooms.NAMELESS]

    def test_others_are_named_to_no_outsider(self, ann: Person, ben: Person, eve: Person) -> None:
        room = open_room(ann, ben)
        found = direct_rooms.others([(room, eve), (room, GUEST), (room, ann), (Room("public"), ann)])
        assert found == {(room, eve): (), (room, GUEST): (), (room, ann): (ben,)}

    def test_names_of_many_rooms_take_one_query(self, ann: Person, ben: Person, eve: Person) -> None:
        some = [open_room(ann, ben), open_room(ann, eve), open_room(ann, ben, eve)]
        with CaptureQueriesContext(connection) as captured:
            direct_rooms.others([(room, ann) for room in some])
        assert len(captured) == 1
        with CaptureQueriesContext(connection) as captured:
            direct_rooms.others([(Room("public"), ann)])
        assert len(captured) == 0


class TestOthers:
    """People who aren't members."""

    @pytest.mark.parametrize("opened", [True, False])
    def test_outsiders_can_neither_read_nor_post_nor_listen(
        self, ann: Person, ben: Person, eve: Person, opened: bool
    ) -> None:
        room = open_room(ann, ben) if opened else NOBODY_S
        if opened:
            say(room, ann)
        before = models.Room.objects.count()
        for person in (eve, GUEST):
            assert isinstance(say(room, person), NotAMember)
            assert isinstance(say(room, person, reply_to=1), NotAMember)
            for refused in (
                lambda person: permissions.check(room, person),
                lambda person: history.end(room, person=person),
                lambda person: pages.page(room, person=person, size=10, from_end=True),
                lambda person: recover(room, START, person=person),
                lambda person: readings.set_involvement(room, person, models.Involvement.ALL),
            ):
                with pytest.raises(NotAMember, match="direct room of other people"):
                    refused(person)
            assert readings.mark_read([readings.Mark(room, person)])[0] is not None
        assert history.heads([room])[room].restricted
        assert models.Room.objects.count() == before

    def test_what_is_refused_beside_what_is_stored_leaves_that_alone(self, ann: Person, ben: Person) -> None:
        drafts = [
            log.Draft(room=room, text="hi", person=ann) for room in (NOBODY_S, Room("public"), open_room(ann, ben))
        ]
        assert [type(one) for one in log.append(drafts)] == [NotAMember, log.Entry, log.Entry]

    def test_rooms_are_listed_in_no_directory(self, ann: Person, ben: Person, eve: Person) -> None:
        room = open_room(ann, ben)
        say(room, ann)
        for person in (ann, eve, GUEST, None):
            for matching in ("", "@", room.name[1:5]):
                assert directory.listed(person=person, size=10, matching=matching) == []
                if person:
                    assert history.names(person=person, size=10, matching=matching) == []

    def test_members_stay_whoever_asks(self, ann: Person, ben: Person, eve: Person) -> None:
        room = open_room(ann, ben)
        for by in (ann, None):
            for change in (
                lambda by: moderation.set_role(room, "eve", Role.MEMBER, by=by),
                lambda by: moderation.set_role(room, "ann", Role.OWNER, by=by),
                lambda by: moderation.remove_member(room, "ann", by=by),
                lambda by: moderation.ban(room, ben.id, by=by),
                lambda by: moderation.unban(room, ben.id, by=by),
                lambda by: moderation.set_private(room, False, by=by),
            ):
                with pytest.raises(NotAllowed, match="same people"):
                    change(by)
        with pytest.raises(InvalidRoomName):
            moderation.create(NOBODY_S, private=False, by=eve)
        assert history.heads([room])[room].position == START


class TestOwnRooms:
    def test_room_is_everybodys_from_the_first_message_on(self, ann: Person, ben: Person, eve: Person) -> None:
        room = open_room(ann, ben)
        assert own(ann) == own(ben) == {}
        entry = say(room, ann)
        assert isinstance(entry, log.Entry)
        assert set(entry.gained_by) == {ann.id, ben.id}
        assert (own(ann), own(ben), own(eve)) == ({"ben": 0}, {"ann": 1}, {})

    def test_room_that_one_left_comes_back_with_what_is_said_next(self, ann: Person, ben: Person) -> None:
        room = open_room(ann, ben)
        say(room, ann)
        readings.leave(room, ben)
        assert own(ben) == {}
        entry = say(room, ann, "again")
        assert isinstance(entry, log.Entry)
        assert entry.gained_by == (ben.id,)
        assert own(ben) == {"ann": 1}

    def test_retry_brings_no_room_back(self, ann: Person, ben: Person) -> None:
        room = open_room(ann, ben)
        say(room, ann, client_id="a")
        readings.leave(room, ben)
        again = say(room, ann, client_id="a")
        assert isinstance(again, log.Entry)
        assert (again.repeated, again.gained_by, own(ben)) == (True, (), {})

    def test_all_that_is_said_at_once_is_unread(self, ann: Person, ben: Person) -> None:
        room = open_room(ann, ben)
        log.append([log.Draft(room=room, text=text, person=ann) for text in "abc"])
        assert own(ben) == {"ann": 3}
