"""joinChatRooms, over both subprotocols."""

import asyncio

import pytest
from channels.layers import get_channel_layer
from pytest_django import Settings

from chat.actions import greetings
from mysite.asgi import application
from tests.conftest import JOIN, SlowServer

GUIDE = """subscription SubscribeToChatRooms {
  joinChatRooms(rooms: [{ roomName: "room1" }, { roomName: "room2" }] user: "foo") { roomName message currentUser }
}"""
EVERYTHING = """subscription { joinChatRooms(rooms: [{roomName: "café"}], user: "foo") {
    roomName message currentUser id kind user { id name isGuest username } sentAt origin { process thread }
} }"""


async def test_join_chat_rooms_greets_each_room_then_yields_messages(open_graphql, open_chat, subprotocol: str) -> None:
    graphql = await open_graphql(subprotocol)
    await graphql.start(GUIDE)
    for room in ("room1", "room2"):
        assert await graphql.result() == {
            "data": {"joinChatRooms": {"roomName": room, "message": "Hello my name is foo!", "currentUser": "foo"}}
        }
    for room in ("room2", "room1"):
        browser = await open_chat(f"/ws/chat/{room}/")
        await browser.say("hi")
        assert await graphql.result() == {
            "data": {"joinChatRooms": {"roomName": room, "message": "hi", "currentUser": "foo"}}
        }


async def test_join_chat_rooms_greeting_is_heard_in_the_rooms(open_graphql, open_chat, subprotocol: str) -> None:
    browser, other = await open_chat("/ws/chat/room1/"), await open_graphql()
    await other.join("room1", user="bar")
    assert await browser.hear() == "Hello my name is bar!"
    graphql = await open_graphql(subprotocol)
    await graphql.join("room1")
    assert await browser.hear() == "Hello my name is foo!"
    assert await other.hear() == ("room1", "Hello my name is foo!")


async def test_join_chat_rooms_yields_its_own_greeting_once(open_graphql, foreign_send, subprotocol: str) -> None:
    graphql = await open_graphql(subprotocol)
    await graphql.join("room1", "room2")
    await foreign_send("room1", message="next")
    assert await graphql.hear() == ("room1", "next")


async def test_join_chat_rooms_joins_a_room_named_twice_once(open_graphql, foreign_send) -> None:
    graphql = await open_graphql()
    await graphql.start(GUIDE.replace("room2", " room1 "))
    assert await graphql.hear() == ("room1", "Hello my name is foo!")
    await foreign_send("room1", message="next")
    assert await graphql.hear() == ("room1", "next")


async def test_join_chat_rooms_of_a_crowd_greets_each_once_and_the_room_in_few_lines(
    open_graphql, open_chat, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(greetings, "PERIOD", 0.3)
    settings.CHAT_SUBSCRIPTIONS_PER_CONNECTION = 40
    browser, graphql = await open_chat("/ws/chat/crowd/"), await open_graphql()
    joiners = 40
    for number in range(joiners):
        await graphql.start(JOIN, {"rooms": [{"roomName": "crowd"}], "user": f"u{number}"}, id=str(number))
    own = set()
    while len(own) < joiners:
        frame = await graphql.receive_json_from(timeout=5)
        text = frame["payload"]["data"]["joinChatRooms"]["message"]
        if text == f"Hello my name is u{frame['id']}!":
            assert frame["id"] not in own
            own.add(frame["id"])
    await browser.say("after them")
    lines = []
    while "after them" not in lines:
        lines.append(await browser.hear())
    assert len(lines) < joiners / 3


async def test_join_chat_rooms_message_has_all_further_fields(open_graphql, open_chat, subprotocol: str) -> None:
    graphql, browser = await open_graphql(subprotocol), await open_chat("/ws/chat/caf%C3%A9/")
    await graphql.start(EVERYTHING)
    greeting = (await graphql.result())["data"]["joinChatRooms"]
    assert (greeting["roomName"], greeting["kind"]) == ("café", "GREETING")
    assert await browser.hear() == "Hello my name is foo!"
    await browser.say("hi")
    message, frame = (await graphql.result())["data"]["joinChatRooms"], await browser.receive_json_from(timeout=5)
    assert message == {
        "roomName": "café",
        "message": "hi",
        "currentUser": "foo",
        "id": frame["id"],
        "kind": "MESSAGE",
        "user": {"id": frame["user_id"], "name": frame["user"], "isGuest": True, "username": None},
        "sentAt": frame["sent_at"],
        "origin": frame["origin"],
    }


async def test_join_chat_rooms_yields_a_foreign_event_of_three_keys_with_the_rest_null(
    open_graphql, foreign_send
) -> None:
    graphql = await open_graphql()
    await graphql.start(EVERYTHING)
    await graphql.result()
    await foreign_send("café", message="from a worker")
    message = (await graphql.result())["data"]["joinChatRooms"]
    assert (message.pop("roomName"), message.pop("message")) == ("café", "from a worker")
    assert message == dict.fromkeys(["id", "user", "sentAt", "origin"]) | {"currentUser": "foo", "kind": "MESSAGE"}


async def test_subscriptions_of_one_connection_hear_their_own_rooms_only(
    open_graphql, foreign_send, subprotocol: str
) -> None:
    graphql = await open_graphql(subprotocol)
    await graphql.join("one", id="1")
    await graphql.join("two", id="2")
    for room, id in [("two", "2"), ("one", "1"), ("one", "1"), ("two", "2")]:
        await foreign_send(room, message="hi")
        assert await graphql.hear(id) == (room, "hi")


@pytest.mark.parametrize(
    ("rooms", "user", "code"),
    [
        ([], "foo", "no_rooms"),
        ([{"roomName": " "}], "foo", "invalid_room_name"),
        ([{"roomName": "fine"}, {"roomName": "a\0b"}], "foo", "invalid_room_name"),
        ([{"roomName": "x" * 101}], "foo", "invalid_room_name"),
        ([{"roomName": "fine"}], " ", "invalid_name"),
        ([{"roomName": "fine"}], "x" * 101, "invalid_name"),
    ],
)
async def test_join_chat_rooms_with_bad_input_is_an_error_and_the_socket_stays_open(
    open_graphql, subprotocol: str, rooms: list, user: str, code: str
) -> None:
    graphql = await open_graphql(subprotocol)
    query = "subscription ($rooms: [ChatRoom!]!, $user: String!) { joinChatRooms(rooms: $rooms, user: $user) { id } }"
    await graphql.start(query, {"rooms": rooms, "user": user})
    (error,) = (await graphql.result())["errors"]
    assert error["extensions"] == {"code": code}
    assert (await graphql.receive_json_from(timeout=5))["type"] == "complete"
    await graphql.join("fine", id="2")


async def test_join_chat_rooms_asks_guests_to_log_in_when_guests_are_not_allowed(
    open_graphql, settings: Settings
) -> None:
    settings.CHAT_GUESTS = False
    graphql = await open_graphql()
    await graphql.start(GUIDE)
    assert (await graphql.result())["errors"][0]["extensions"] == {"code": "login_required"}


async def test_subscriber_that_takes_nothing_gets_the_error_slow_listener(
    open_graphql, open_chat, foreign_send, subprotocol: str, settings: Settings
) -> None:
    settings.CHAT_BACKLOG_MAX = 3
    server = SlowServer(application, taking=True)
    quick, slow = await open_chat("/ws/chat/slow/"), await open_graphql(subprotocol, server)
    await slow.join("slow")
    assert await quick.hear() == "Hello my name is foo!"
    server.taking.clear()
    for number in range(6):
        await foreign_send("slow", message=str(number))
        assert await quick.hear() == str(number)
    server.taking.set()
    while (frame := await slow.receive_json_from(timeout=5))["type"] != "error":
        pass
    error = frame["payload"] if subprotocol == "graphql-ws" else frame["payload"][0]
    assert error["extensions"] == {"code": "slow_listener"}
    await slow.join("slow", id="2")


class TestLeaving:
    @pytest.fixture
    def layer(self):
        return get_channel_layer()

    async def test_complete_leaves_the_groups_of_that_subscription(
        self, open_graphql, foreign_send, eventually, layer, subprotocol: str
    ) -> None:
        graphql = await open_graphql(subprotocol)
        await graphql.join("stay", id="1")
        await graphql.join("leave", id="2")
        await graphql.send_json_to({"type": "complete" if "transport" in subprotocol else "stop", "id": "2"})
        await eventually(lambda: layer._get_layer().groups.keys() == {"asgi__group__chat_stay", "asgi__group__control"})
        await foreign_send("stay", message="hi")
        while (frame := await graphql.receive_json_from(timeout=5))["type"] == "complete":
            pass  # which graphql-ws sends
        assert frame["id"] == "1"

    async def test_close_leaves_all_groups(self, open_graphql, eventually, layer, subprotocol: str) -> None:
        graphql = await open_graphql(subprotocol)
        await graphql.join("one", "two")
        assert len(layer._get_layer().groups) == 3
        await graphql.disconnect()
        await eventually(lambda: not layer._get_layer().groups and not layer._get_layer().channels)

    async def test_dropped_connection_leaves_all_groups(
        self, open_graphql, eventually, layer, subprotocol: str
    ) -> None:
        graphql = await open_graphql(subprotocol)
        await graphql.join("one", "two")
        graphql.future.cancel()
        await asyncio.wait([graphql.future])
        await eventually(lambda: not layer._get_layer().groups and not layer._get_layer().channels)
        assert {task.get_coro().__qualname__ for task in asyncio.all_tasks()} & {"GraphQLWSConsumer.run"} == set()


async def test_join_chat_rooms_ignores_a_position_in_a_room_that_is_not_joined(
    open_graphql, open_chat, subprotocol: str
) -> None:
    other, here = await open_chat("/ws/chat/room2/"), await open_chat("/ws/chat/room1/")
    await other.say("not for you")
    assert await other.hear() == "not for you"
    graphql = await open_graphql(subprotocol)
    await graphql.start(
        """subscription { joinChatRooms(
            rooms: [{roomName: "room1"}], user: "foo", positions: [{roomName: "room2", after: 0}]
        ) { roomName message } }"""
    )
    assert await graphql.hear() == ("room1", "Hello my name is foo!")
    await here.say("hi")
    assert await graphql.hear() == ("room1", "hi")
