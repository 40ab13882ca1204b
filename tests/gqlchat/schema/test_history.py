"""Posting, rooms and their history, asked for through GraphQL."""

import itertools
from typing import Any

import pytest
from pytest_django import Settings

from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import log
from chat.storage.database import in_database
from tests.gqlchat.transport.test_http import request

ANN = Person(id="user-1", name="Ann")
POST = """mutation ($input: PostMessageInput!) {
    postMessage(input: $input) {
        message { roomName message id offset clientId kind sentAt user { name isGuest } }
        error { code message }
    }
}"""
PAGE = """query ($name: String!, $first: Int, $after: String, $last: Int, $before: String) {
    room(name: $name) {
        name
        lastOffset
        messages(first: $first, after: $after, last: $last, before: $before) {
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
            edges { cursor node { offset message roomName } }
        }
    }
}"""
ROOMS = """query ($first: Int! = 50, $after: String) {
    rooms(first: $first, after: $after) {
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        edges { cursor node { name lastOffset } }
    }
}"""


async def ask(query: str, **variables: Any) -> dict[str, Any]:
    status, answer = await request({"query": query, "variables": variables})
    assert status == 200, answer
    assert "errors" not in answer, answer
    return answer["data"]


async def complaint(query: str, **variables: Any) -> str:
    status, answer = await request({"query": query, "variables": variables})
    assert status == 200, answer
    (error,) = answer["errors"]
    return error["extensions"]["code"]


async def post(**given: Any) -> dict[str, Any]:
    return (await ask(POST, input={"roomName": "history", "message": "hi"} | given))["postMessage"]


async def fill(count: int, room: str = "history") -> None:
    def append() -> None:
        for number in range(1, count + 1):
            log.append([log.Draft(room=find(room), text=str(number), person=ANN)])

    await in_database(append)


class TestPostMessage:
    async def test_post_message_returns_the_message_as_it_is_heard(self, open_chat) -> None:
        browser = await open_chat("/ws/chat/history/")
        answer = await post(message="hi", clientId="mine")
        frame = await browser.receive_json_from(timeout=5)
        assert answer == {
            "message": {
                "roomName": "history",
                "message": "hi",
                "id": frame["id"],
                "offset": 1,
                "clientId": "mine",
                "kind": "MESSAGE",
                "sentAt": frame["sent_at"],
                "user": {"name": frame["user"], "isGuest": True},
            },
            "error": None,
        }

    async def test_post_message_needs_no_client_id(self) -> None:
        assert [(await post())["message"]["offset"] for _ in range(3)] == [1, 2, 3]

    async def test_post_message_with_the_same_client_id_returns_the_first_message(self, open_chat) -> None:
        browser = await open_chat("/ws/chat/history/")
        first = await post(clientId="mine")
        assert await post(clientId="mine", message="changed") == first
        await post(message="the end")
        assert [await browser.hear() for _ in range(2)] == ["hi", "the end"]

    async def test_client_ids_are_shared_by_post_message_and_the_browsers_socket(self, open_chat) -> None:
        browser = await open_chat("/ws/chat/history/")
        await browser.send_json_to({"message": "hi", "client_id": "from there"})
        heard = await browser.receive_json_from(timeout=5)
        assert (await post(clientId="from there"))["message"]["id"] == heard["id"]
        first = (await post(clientId="from here"))["message"]
        await browser.receive_json_from(timeout=5)
        await browser.send_json_to({"message": "hi", "client_id": "from here"})
        assert (await browser.receive_json_from(timeout=5))["id"] == first["id"]

    async def test_post_message_over_websocket_repeats_the_message_posted_over_http(
        self, open_graphql, subprotocol: str
    ) -> None:
        first = await post(clientId="mine")
        socket = await open_graphql(subprotocol)
        await socket.start(POST, {"input": {"roomName": "history", "message": "hi", "clientId": "mine"}})
        message = (await socket.result())["data"]["postMessage"]["message"]
        assert (message["id"], message["offset"]) == (first["message"]["id"], 1)

    @pytest.mark.parametrize(
        ("given", "code"),
        [
            ({"roomName": ""}, "invalid_room_name"),
            ({"roomName": "a\tb"}, "invalid_room_name"),
            ({"roomName": "x" * 101}, "invalid_room_name"),
            ({"message": ""}, "blank_message"),
            ({"message": " \n"}, "blank_message"),
            ({"message": "x" * 4001}, "message_too_long"),
            ({"message": "a\0b"}, "invalid_message"),
            ({"message": "\ud800"}, "invalid_message"),
            ({"clientId": ""}, "invalid_client_id"),
            ({"clientId": "x" * 101}, "invalid_client_id"),
            ({"clientId": "a\0b"}, "invalid_client_id"),
            ({"clientId": "\ud800"}, "invalid_client_id"),
        ],
    )
    async def test_post_message_returns_errors_in_its_payload(self, given: dict, code: str) -> None:
        answer = await post(**given)
        assert answer["message"] is None
        assert answer["error"]["code"] == code
        assert answer["error"]["message"]

    async def test_post_message_asks_guests_to_log_in_when_guests_are_not_allowed(self, settings: Settings) -> None:
        settings.CHAT_GUESTS = False
        assert (await post())["error"]["code"] == "login_required"


async def page(**asked: Any) -> tuple[list[int], dict[str, Any]]:
    """The offsets of a page, and its pageInfo."""
    found = (await ask(PAGE, name="history", **asked))["room"]["messages"]
    for edge in found["edges"]:
        assert edge["cursor"] == str(edge["node"]["offset"]) == edge["node"]["message"]
    return [edge["node"]["offset"] for edge in found["edges"]], found["pageInfo"]


class TestMessages:
    @pytest.fixture(autouse=True)
    async def eleven_messages(self) -> None:
        await fill(11)

    @pytest.mark.parametrize(
        ("asked", "offsets", "has_previous", "has_next"),
        [
            ({}, [*range(1, 12)], False, False),
            ({"first": 3}, [1, 2, 3], False, True),
            ({"last": 3}, [9, 10, 11], True, False),
            ({"first": 11}, [*range(1, 12)], False, False),
            ({"last": 100}, [*range(1, 12)], False, False),
            ({"first": 3, "after": "9"}, [10, 11], True, False),
            ({"last": 3, "before": "3"}, [1, 2], False, True),
            ({"before": "3"}, [1, 2], False, True),
            ({"first": 3, "after": "11"}, [], True, False),
            ({"last": 3, "before": "1"}, [], False, True),
            ({"first": 2, "after": "3", "before": "8"}, [4, 5], True, True),
            ({"last": 2, "after": "3", "before": "8"}, [6, 7], True, True),
        ],
    )
    async def test_messages_are_a_page_of_the_history(
        self, asked: dict, offsets: list, has_previous: bool, has_next: bool
    ) -> None:
        found, info = await page(**asked)
        assert found == offsets
        assert info == {
            "hasPreviousPage": has_previous,
            "hasNextPage": has_next,
            "startCursor": str(offsets[0]) if offsets else None,
            "endCursor": str(offsets[-1]) if offsets else None,
        }

    async def test_messages_are_complete_when_paged_forwards(self) -> None:
        found, info = await page(first=4)
        while info["hasNextPage"]:
            more, info = await page(first=4, after=info["endCursor"])
            found += more
        assert found == [*range(1, 12)]

    async def test_messages_are_complete_when_paged_backwards(self) -> None:
        found, info = await page(last=4)
        while info["hasPreviousPage"]:
            more, info = await page(last=4, before=info["startCursor"])
            found = more + found
        assert found == [*range(1, 12)]

    async def test_new_messages_do_not_move_pages_of_messages(self) -> None:
        _, info = await page(last=4)
        await post()
        assert (await page(last=4, before=info["startCursor"]))[0] == [4, 5, 6, 7]

    @pytest.mark.parametrize(
        "asked",
        [
            {"first": 0},
            {"last": 0},
            {"first": -1},
            {"last": -1},
            {"first": 101},
            {"last": 101},
            {"first": 1, "last": 1},
        ],
    )
    async def test_messages_with_an_invalid_page_size_are_an_error(self, asked: dict) -> None:
        assert await complaint(PAGE, name="history", **asked) == "invalid_page"

    @pytest.mark.parametrize("cursor", ["", "x", "-1", "1.5", " 1", "9" * 99, str(2**63), "a\0", "\ud800", "²"])
    @pytest.mark.parametrize("end", ["after", "before"])
    async def test_messages_with_an_invalid_cursor_are_an_error(self, end: str, cursor: str) -> None:
        assert await complaint(PAGE, name="history", **{end: cursor}) == "invalid_position"


class TestRooms:
    async def test_room_has_its_last_offset(self) -> None:
        await fill(3)
        assert (await ask(PAGE, name=" history "))["room"]["lastOffset"] == 3

    async def test_room_without_entries_is_empty(self) -> None:
        room = (await ask(PAGE, name="empty"))["room"]
        assert (room["name"], room["lastOffset"], room["messages"]["edges"]) == ("empty", 0, [])

    async def test_room_with_an_invalid_name_is_an_error(self) -> None:
        assert await complaint(PAGE, name="\t") == "invalid_room_name"

    async def test_rooms_are_complete_and_sorted_when_paged(self) -> None:
        names = sorted("".join(letters) for letters in itertools.product("ab", repeat=3))
        for name in reversed(names):
            await fill(len(name), name)
        found, after, more = [], None, True
        while more:
            rooms = (await ask(ROOMS, first=3, after=after))["rooms"]
            assert rooms["pageInfo"]["hasPreviousPage"] == (after is not None)
            found += [edge["node"] for edge in rooms["edges"]]
            after, more = rooms["pageInfo"]["endCursor"], rooms["pageInfo"]["hasNextPage"]
        assert found == [{"name": name, "lastOffset": 3} for name in names]

    async def test_rooms_of_an_empty_site_are_none(self) -> None:
        rooms = (await ask(ROOMS))["rooms"]
        assert rooms["edges"] == []
        assert rooms["pageInfo"] == dict.fromkeys(["startCursor", "endCursor"]) | dict.fromkeys(
            ["hasNextPage", "hasPreviousPage"], False
        )

    @pytest.mark.parametrize("first", [0, -1, 101])
    async def test_rooms_with_an_invalid_page_size_are_an_error(self, first: int) -> None:
        assert await complaint(ROOMS, first=first) == "invalid_page"

    @pytest.mark.parametrize("after", ["", "a\0", "\ud800", "x" * 101])
    async def test_rooms_with_an_invalid_cursor_are_an_error(self, after: str) -> None:
        assert await complaint(ROOMS, after=after) == "invalid_room_name"

    async def test_rooms_ask_guests_to_log_in_when_guests_are_not_allowed(self, settings: Settings) -> None:
        settings.CHAT_GUESTS = False
        assert await complaint(ROOMS) == "login_required"
        assert await complaint(PAGE, name="history") == "login_required"


SUBSCRIPTIONS = {
    "roomMessages": "subscription ($p: [RoomPosition!]!) { roomMessages(rooms: $p) { offset } }",
    "joinChatRooms": """subscription ($p: [RoomPosition!]) {
        joinChatRooms(rooms: [{roomName: "history"}], user: "foo", positions: $p) { offset }
    }""",
}


class TestPositions:
    @pytest.mark.parametrize("query", SUBSCRIPTIONS.values(), ids=SUBSCRIPTIONS)
    @pytest.mark.parametrize(
        ("position", "code"),
        [
            ({"roomName": "history", "after": -1}, "invalid_position"),
            ({"roomName": " ", "after": 1}, "invalid_room_name"),
            ({"roomName": "x" * 101, "after": 1}, "invalid_room_name"),
        ],
    )
    async def test_invalid_position_is_an_error_and_the_socket_stays_open(
        self, open_graphql, subprotocol: str, query: str, position: dict, code: str
    ) -> None:
        graphql = await open_graphql(subprotocol)
        await graphql.start(query, {"p": [position]})
        assert (await graphql.result())["errors"][0]["extensions"] == {"code": code}
        assert (await graphql.receive_json_from(timeout=5))["type"] == "complete"
        await graphql.join("history", id="2")

    @pytest.mark.parametrize("after", ["7", 1.5, True, 2**31])
    async def test_position_that_is_no_32_bit_number_is_refused_by_the_schema(
        self, open_graphql, after: object
    ) -> None:
        graphql = await open_graphql()
        await graphql.start(SUBSCRIPTIONS["roomMessages"], {"p": [{"roomName": "history", "after": after}]})
        frame = await graphql.receive_json_from(timeout=5)
        assert "after" in str(frame["payload"])
        await graphql.join("history", id="2")

    async def test_room_messages_without_rooms_is_an_error(self, open_graphql) -> None:
        graphql = await open_graphql()
        await graphql.start(SUBSCRIPTIONS["roomMessages"], {"p": []})
        assert (await graphql.result())["errors"][0]["extensions"] == {"code": "no_rooms"}


async def test_history_has_html_where_it_says_more_than_the_message() -> None:
    for text in ["plain", "*a* `b`"]:
        await post(message=text)
    page = await ask('{ room(name: "history") { messages { edges { node { message html } } } } }')
    nodes = [edge["node"] for edge in page["room"]["messages"]["edges"]]
    assert nodes == [
        {"message": "plain", "html": None},
        {"message": "*a* `b`", "html": "<p><em>a</em> <code>b</code></p>"},
    ]


async def test_history_of_many_long_formatted_messages_is_answered() -> None:
    def append() -> None:
        drafts = [log.Draft(room=find("history"), text=f"{number} {'*a* ' * 250}", person=ANN) for number in range(50)]
        log.append(drafts)

    await in_database(append)
    page = await ask('{ room(name: "history") { messages { edges { node { html } } } } }')
    html = [edge["node"]["html"] for edge in page["room"]["messages"]["edges"]]
    assert [text[:9] for text in html] == [f"<p>{number} <em>"[:9] for number in range(50)]
