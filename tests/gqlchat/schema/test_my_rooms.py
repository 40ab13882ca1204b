"""A person's own rooms in GraphQL: what is unread, what they do with their rooms, and the directory."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.test import AsyncClient

from chat import models
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import log, moderation, readings
from chat.storage.database import in_database
from chat.storage.readings import Mark
from mysite.asgi import application
from mysite.graphql import schema
from tests.conftest import GraphQLSocket, close
from tests.gqlchat.schema.test_loaders import Request
from tests.test_identity import cookies_of

MARK = "mutation ($input: MarkInput!) { markRead(input: $input) { error { code } } }"
UNMARK = "mutation ($input: MarkInput!) { markUnread(input: $input) { error { code } } }"
INVOLVE = "mutation ($input: SetInvolvementInput!) { setInvolvement(input: $input) { error { code } } }"
PUSH = "mutation ($input: SetPushInput!) { setPush(input: $input) { error { code } } }"
LEAVE = "mutation ($input: LeaveRoomInput!) { leaveRoom(input: $input) { error { code } } }"
MARK_ALL = "mutation { markAllRead { error { code } } }"
MY_ROOMS = """query ($first: Int! = 50, $after: String) { myRooms(first: $first, after: $after) {
    pageInfo { hasNextPage endCursor } edges { node { name displayName unread readOffset involvement } }
} }"""
CHANGES = "subscription { myRoomChanges { name unread readOffset involvement left } }"


@pytest.fixture
async def ann(transactional_db: None) -> Any:
    return await in_database(get_user_model().objects.create, username="ann")


def person(user: Any) -> Person:
    return Person(id=f"user-{user.pk}", name=user.username)


async def say(room: str, *texts: str, by: Person | None = None) -> None:
    by = by or Person(id="guest-0123456789abcdef", name="Quiet Otter 42")
    drafts = [log.Draft(room=find(room), text=text, person=by) for text in texts or ("hi",)]
    await in_database(log.append, drafts)


async def ask(query: str, user: Any, **variables: Any) -> Any:
    result = await schema.execute(query, variables, context_value={"request": Request(user)})
    assert not result.errors, result.errors
    return result.data


async def do(mutation: str, user: Any, **given: Any) -> str | None:
    """The code of the error, if there is one."""
    (payload,) = (await ask(mutation, user, input=given)).values()
    return payload["error"] and payload["error"]["code"]


async def unread(user: Any) -> dict[str, int]:
    edges = (await ask(MY_ROOMS, user))["myRooms"]["edges"]
    return {edge["node"]["name"]: edge["node"]["unread"] for edge in edges}


async def test_marks_make_a_room_ones_own_and_change_what_is_unread(ann: Any) -> None:
    await say("room1", "1", "2", "3")
    assert await unread(ann) == {}
    assert await do(MARK, ann, roomName="room1", offset=1) is None
    assert await unread(ann) == {"room1": 2}
    assert await do(MARK, ann, roomName="room1", offset=3) is None
    assert await do(MARK, ann, roomName="room1", offset=1) is None
    assert await unread(ann) == {"room1": 0}
    assert await do(UNMARK, ann, roomName="room1", offset=2) is None
    assert await unread(ann) == {"room1": 2}
    await say("room1", "mine", by=person(ann))
    assert await unread(ann) == {"room1": 2}
    assert (await ask(MARK_ALL, ann))["markAllRead"] == {"error": None}
    assert await unread(ann) == {"room1": 0}


async def test_my_rooms_come_by_latest_activity_page_by_page(ann: Any) -> None:
    for name in ("a", "b", "c"):
        await in_database(readings.enter, [Mark(find(name), person(ann))])
    for name in ("c", "a", "b"):
        await say(name)
    found, after, more = [], None, True
    while more:
        page = (await ask(MY_ROOMS, ann, first=2, after=after))["myRooms"]
        found += [edge["node"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert [node["name"] for node in found] == ["b", "a", "c"]
    assert found[0] == {"name": "b", "displayName": "b", "unread": 1, "readOffset": 0, "involvement": "ALL"}


async def test_involvement_is_kept_and_a_room_can_be_left(ann: Any) -> None:
    await say("room1")
    for involvement in ("NOTHING", "MENTIONS", "ALL", "NOTHING"):
        assert await do(INVOLVE, ann, roomName="room1", involvement=involvement) is None
        (edge,) = (await ask(MY_ROOMS, ann))["myRooms"]["edges"]
        assert edge["node"]["involvement"] == involvement
    assert await do(LEAVE, ann, roomName="room1") is None
    assert await unread(ann) == {}
    assert await do(LEAVE, ann, roomName="room1") is None


async def test_leaving_ends_a_membership_unless_the_last_owner_leaves(ann: Any) -> None:
    ben = await in_database(get_user_model().objects.create, username="ben")
    await in_database(moderation.create, find("closed"), private=True, by=person(ann))
    await in_database(moderation.set_role, find("closed"), "ben", models.Role.MEMBER, by=person(ann))
    assert await unread(ben) == {"closed": 0}
    assert await do(LEAVE, ben, roomName="closed") is None
    assert await unread(ben) == {}
    assert await do(MARK, ben, roomName="closed", offset=1) == "not_a_member"
    assert await do(LEAVE, ann, roomName="closed") == "last_owner"
    assert list(await unread(ann)) == ["closed"]


@pytest.mark.parametrize(
    ("mutation", "given", "code"),
    [
        (MARK, {"roomName": "", "offset": 1}, "invalid_room_name"),
        (MARK, {"roomName": "room1", "offset": -1}, "invalid_position"),
        (UNMARK, {"roomName": "room1", "offset": -1}, "invalid_position"),
        (UNMARK, {"roomName": "closed", "offset": 1}, "not_a_member"),
        (MARK, {"roomName": "closed", "offset": 1}, "not_a_member"),
        (INVOLVE, {"roomName": "closed", "involvement": "ALL"}, "not_a_member"),
        (LEAVE, {"roomName": "."}, "invalid_room_name"),
    ],
)
async def test_mutations_refuse_bad_input_and_closed_rooms(ann: Any, mutation: str, given: dict, code: str) -> None:
    await say("room1")
    await say("closed")
    await in_database(models.Room.objects.filter(name="closed").update, is_private=True, restricted=True)
    assert await do(mutation, ann, **given) == code
    assert await unread(ann) == {}


@pytest.mark.parametrize("after", ["", "x", "2026-01-01", "2026-01-01T00:00:00 a", "2026-01-01T00:00:00+00:00 \0"])
async def test_my_rooms_and_rooms_refuse_what_is_no_cursor(ann: Any, after: str) -> None:
    for query in (
        "query ($after: String) { myRooms(after: $after) { edges { cursor } } }",
        "query ($after: String) { rooms(after: $after, order: ACTIVITY) { edges { cursor } } }",
    ):
        result = await schema.execute(query, {"after": after}, context_value={"request": Request(ann)})
        assert [error.extensions["code"] for error in result.errors] == ["invalid_page"]


async def test_room_tells_unread_and_the_last_message_that_is_not_deleted(ann: Any) -> None:
    query = """{ room(name: "room1") { unread readOffset involvement lastMessage { message offset user { name } } } }"""
    empty = {"unread": None, "readOffset": None, "involvement": None, "lastMessage": None}
    assert (await ask(query, ann))["room"] == empty
    await in_database(readings.enter, [Mark(find("room1"), person(ann))])
    await say("room1", "1", "2", "3")
    await in_database(moderation.delete_message, find("room1"), 3, by=None)
    found = (await ask(query, ann))["room"]
    assert found["lastMessage"] == {"message": "2", "offset": 2, "user": {"name": "Quiet Otter 42"}}
    assert (found["unread"], found["readOffset"], found["involvement"]) == (2, 0, "ALL")
    await in_database(models.Room.objects.update, is_private=True, restricted=True)
    result = await schema.execute(query, context_value={"request": Request(ann)})
    assert result.errors[0].extensions == {"code": "not_a_member"}


async def test_rooms_are_searched_in_both_orders(ann: Any) -> None:
    for name in ("Room1", "ROOM2", "elsewhere", "room0"):
        await say(name)
    await in_database(models.Room.objects.filter(name="ROOM2").update, is_private=True, restricted=True)
    query = """query ($matching: String, $order: RoomOrder, $after: String) {
        rooms(matching: $matching, order: $order, first: 1, after: $after) {
            pageInfo { hasNextPage endCursor } edges { node { name } }
        }
    }"""

    async def names(**asked: Any) -> list[str]:
        found: list[str] = []
        after = None
        while True:
            page = (await ask(query, ann, after=after, **asked))["rooms"]
            found += [edge["node"]["name"] for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found

    assert await names() == ["Room1", "elsewhere", "room0"]
    assert await names(matching="room") == ["room0", "Room1"]
    assert await names(matching="") == ["room0", "elsewhere", "Room1"]
    assert await names(order="ACTIVITY") == ["room0", "elsewhere", "Room1"]
    assert await names(matching="room", order="NAME") == ["Room1", "room0"]


class TestChanges:
    """`myRoomChanges`, over real sockets."""

    @pytest.fixture
    async def client(self, transactional_db: None) -> Any:
        """Ann's subscription to her rooms."""
        user = await in_database(get_user_model().objects.create, username="ann")
        await in_database(readings.enter, [Mark(find(name), person(user)) for name in ("room1", "room2")])
        browser = AsyncClient()
        await browser.aforce_login(user)
        sockets = []
        for _ in range(2):
            socket = GraphQLSocket(application, "/graphql", headers=cookies_of(browser), subprotocols=[])
            await socket.gql_init()
            await socket.start(CHANGES)
            sockets.append(socket)
        yield user, sockets
        for socket in sockets:
            await close(socket)

    async def test_changes_come_to_all_devices_of_the_person(self, client: Any, hub: Any, eventually: Any) -> None:
        user, sockets = client
        await eventually(lambda: hub().audience(find("room1")) == 2)
        poster = GraphQLSocket(application, "/graphql", subprotocols=[])
        await poster.gql_init()
        await poster.start('mutation { sendChatMessage(message: "hi", room: {roomName: "room1"}) }')
        unchanged = {"readOffset": 0, "involvement": "ALL", "left": False}
        for socket in sockets:
            assert await change(socket) == {"name": "room1", "unread": 1, **unchanged}
        await sockets[0].start(MARK, {"input": {"roomName": "room1", "offset": 1}}, id="mark")
        for socket in sockets:
            assert await change(socket) == {"name": "room1", "unread": 0, **unchanged, "readOffset": 1}
        await sockets[0].start(LEAVE, {"input": {"roomName": "room2"}}, id="leave")
        for socket in sockets:
            gone = {"name": "room2", "unread": 0, "readOffset": None, "involvement": None, "left": True}
            assert await change(socket) == gone
        await close(poster)
        assert user.username == "ann"


async def change(socket: GraphQLSocket) -> dict[str, Any]:
    """The next change of a room; the answers of mutations may come in between."""
    while True:
        frame = await socket.receive_json_from(timeout=5)
        if frame["type"] in {"next", "data"} and frame["id"] == "1":
            return frame["payload"]["data"]["myRoomChanges"]


async def test_room_is_chosen_to_be_told_of_all_on_devices(ann: Any) -> None:
    assert await do(PUSH, ann, roomName="room1", everyMessage=True) is None
    assert await in_database(lambda: models.Reading.objects.get().pushes_all)
    assert await do(PUSH, ann, roomName="room1", everyMessage=False) is None
    assert not await in_database(lambda: models.Reading.objects.get().pushes_all)


async def test_guest_has_no_devices_to_be_told_on() -> None:
    assert await do(PUSH, AnonymousUser(), roomName="room1", everyMessage=True) == "login_required"
