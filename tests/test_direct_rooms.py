"""Direct rooms at every door: who may be there, and how they become people's own."""

import asyncio
import contextlib
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User

from chat.actions import direct, posting, reading
from chat.delivery.rooms.own_rooms import follow
from chat.domain.people import Person
from chat.domain.rooms import Room, find
from chat.models import Message
from mysite.graphql import schema
from tests.doors import DOORS, Door
from tests.gqlchat.schema.test_loaders import Request
from tests.test_private_rooms import Visitor, error_at, guest, user

pytestmark = pytest.mark.django_db(transaction=True)
OPEN = """mutation ($usernames: [String!]!) { openDirect(input: { usernames: $usernames }) {
    room { name displayName isDirect isPrivate role unread members { user { name } } } error { code }
} }"""
ROOM = "query ($name: String!) { room(name: $name) { name displayName isDirect } }"
LISTS = """{ myRooms { edges { node { displayName isDirect unread lastMessage { message } } } }
    rooms { edges { node { name } } } matching: rooms(matching: "@") { edges { node { name } } } }"""


@pytest.fixture
async def ann() -> Visitor:
    return await user("ann")


@pytest.fixture
async def ben() -> Visitor:
    return await user("ben")


@pytest.fixture
async def room(ann: Visitor, ben: Visitor) -> Room:
    return await direct.open_room(["ben"], by=ann.person)


async def ask(visitor: Visitor, query: str, **variables: Any) -> Any:
    account: Any = AnonymousUser()
    if not visitor.person.is_guest:
        account = await User.objects.aget(pk=visitor.person.user_id)
    result = await schema.execute(query, variables, context_value={"request": Request(account)})
    assert not result.errors, result.errors
    return result.data


async def say(room: Room, by: Person, text: str = "just you") -> None:
    await posting.post(room=room, message=text, person=by)


@pytest.mark.parametrize("door", DOORS)
async def test_members_talk_at_every_door(door: type[Door], room: Room, ann: Visitor, ben: Visitor) -> None:
    async with (
        door.open(room.name, 0, headers=ann.headers) as one,
        door.open(room.name, 0, headers=ben.headers) as other,
    ):
        for text in ("just you", "and me"):
            await say(room, ann.person, text)
            assert [(await ear.hear()).text for ear in (one, other)] == [text] * 2


@pytest.mark.parametrize("after", [None, 0])
@pytest.mark.parametrize("name", ["theirs", f"@{'0' * 32}"])
@pytest.mark.parametrize("door", DOORS)
async def test_outsiders_hear_nothing_at_any_door(door: type[Door], name: str, after: int | None, room: Room) -> None:
    name = room.name if name == "theirs" else name
    for outsider in (await user("eve"), await guest()):
        async with door.open(name, after, headers=outsider.headers) as ear:
            assert await error_at(ear) == "not_a_member"
    assert await Message.objects.acount() == 0


class TestGraphQL:
    async def test_open_direct_gives_both_the_room_by_the_other_name(self, ann: Visitor, ben: Visitor) -> None:
        opened = (await ask(ann, OPEN, usernames=["ben"]))["openDirect"]
        members = [{"user": {"name": name}} for name in ("ann", "ben")]
        expected = {"isDirect": True, "isPrivate": True, "role": "MEMBER", "unread": None, "members": members}
        name = opened["room"].pop("name")
        assert opened == {"room": {"displayName": "ben", **expected}, "error": None}
        again = (await ask(ben, OPEN, usernames=["ann", "ben"]))["openDirect"]["room"]
        assert again == {"name": name, "displayName": "ann", **expected}

    @pytest.mark.parametrize(
        ("usernames", "code"),
        [
            ([], "invalid_people"),
            (["ann"], "invalid_people"),
            (["nobody"], "no_such_person"),
            (["\0"], "no_such_person"),
        ],
    )
    async def test_open_direct_refuses_people_who_are_none(self, ann: Visitor, usernames: list[str], code: str) -> None:
        assert await ask(ann, OPEN, usernames=usernames) == {"openDirect": {"room": None, "error": {"code": code}}}

    async def test_guests_open_none(self, ben: Visitor) -> None:
        answer = await ask(await guest(), OPEN, usernames=["ben"])
        assert answer["openDirect"]["error"]["code"] == "login_required"

    async def test_outsider_learns_no_name(self, room: Room) -> None:
        for outsider in (await user("eve"), await guest()):
            shown = await ask(outsider, ROOM, name=room.name)
            assert shown["room"] == {"name": room.name, "displayName": "Direct messages", "isDirect": True}

    async def test_room_is_in_my_rooms_of_its_members_and_in_no_other_list(
        self, room: Room, ann: Visitor, ben: Visitor
    ) -> None:
        await say(room, ann.person)
        for visitor, shown in ((ann, ("ben", 0)), (ben, ("ann", 1)), (await user("eve"), None)):
            found = await ask(visitor, LISTS)
            nodes = [edge["node"] for edge in found["myRooms"]["edges"]]
            assert [(node["displayName"], node["unread"]) for node in nodes] == ([shown] if shown else [])
            assert found["rooms"]["edges"] == found["matching"]["edges"] == []

    async def test_names_of_rooms_that_begin_with_at_are_refused(self, ann: Visitor) -> None:
        result = await schema.execute(ROOM, {"name": "@ben"})
        assert result.errors
        assert result.errors[0].extensions == {"code": "invalid_room_name"}


async def test_devices_of_members_are_told_of_the_first_message_and_of_the_one_after_leaving(
    room: Room, ann: Visitor, ben: Visitor
) -> None:
    async with asyncio.timeout(20), contextlib.aclosing(follow(ben.person)) as changes:
        assert await anext(changes) == []
        await say(room, ann.person)
        ((changed, own),) = await anext(changes)
        assert changed == room
        assert own is not None
        assert (own.display_name, own.unread) == ("ann", 1)
        await reading.leave(room, person=ben.person)
        assert await anext(changes) == [(room, None)]
        await say(room, ann.person, "again")
        ((_, own),) = await anext(changes)
        assert own is not None
        assert (own.display_name, own.unread) == ("ann", 1)
    await say(room, ben.person, "back")  # who left is a member still


def test_direct_room_has_a_group_of_its_own() -> None:
    assert find(f"@{'0' * 32}").group.startswith("chat.")
