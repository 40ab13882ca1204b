"""The browser's socket: its position and its requests for history."""

import pytest

from chat.actions import posting
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import log
from chat.storage.database import in_database
from tests.conftest import ChatSocket

ROOM = find("history")
ANN = Person(id="user-1", name="Ann")
PATH = "/ws/chat/history/"


@pytest.fixture
async def sixty_messages() -> None:
    def fill() -> None:
        for number in range(1, 61):
            log.append([log.Draft(room=ROOM, text=str(number), person=ANN)])

    await in_database(fill)


async def history_before(socket: ChatSocket, offset: object) -> dict:
    await socket.send_json_to({"before": offset})
    return await socket.receive_json_from(timeout=5)


@pytest.mark.parametrize(
    ("before", "offsets", "more"),
    [
        (61, [*range(11, 61)], True),
        (1_000_000, [*range(11, 61)], True),
        (2**63 - 1, [*range(11, 61)], True),
        ("61", [*range(11, 61)], True),
        (52, [*range(2, 52)], True),
        (51, [*range(1, 51)], False),
        (11, [*range(1, 11)], False),
        (2, [1], False),
        (1, [], False),
        (0, [], False),
    ],
)
async def test_history_frame_is_oldest_first_and_says_whether_there_is_more(
    open_chat, sixty_messages, before: object, offsets: list, more: bool
) -> None:
    frame = await history_before(await open_chat(PATH), before)
    assert (frame["kind"], frame["more"]) == ("history", more)
    assert [message["offset"] for message in frame["messages"]] == offsets
    assert [message["message"] for message in frame["messages"]] == [str(offset) for offset in offsets]


async def test_history_frame_holds_a_message_as_it_was_sent_live(open_chat) -> None:
    socket = await open_chat(PATH)
    await socket.send_json_to({"message": "hi", "client_id": "mine"})
    live = await socket.receive_json_from(timeout=5)
    assert (await history_before(socket, 2))["messages"] == [live]


async def test_history_is_complete_when_read_page_by_page(open_chat, sixty_messages) -> None:
    socket, found, more = await open_chat(PATH), [], True
    while more:
        frame = await history_before(socket, found[0] if found else 61)
        more, found = frame["more"], [message["offset"] for message in frame["messages"]] + found
    assert found == [*range(1, 61)]


async def test_history_of_an_empty_room_is_empty(open_chat) -> None:
    socket = await open_chat("/ws/chat/empty/")
    assert await history_before(socket, 1) == {"kind": "history", "messages": [], "more": False}


async def test_history_is_not_sent_unasked(open_chat, sixty_messages) -> None:
    socket = await open_chat(PATH)
    await posting.post(room=ROOM, message="new", person=ANN)
    assert (await socket.receive_json_from(timeout=5))["offset"] == 61


@pytest.mark.parametrize("before", [None, True, False, -1, "-1", 1.0, 1.5, "", " 1", "x", "²", [], {}, 2**63, "9" * 99])
async def test_history_before_a_bad_offset_is_an_error_and_the_socket_stays_open(open_chat, before: object) -> None:
    socket = await open_chat(PATH)
    frame = await history_before(socket, before)
    assert (frame["kind"], frame["error"]["code"]) == ("error", "invalid_position")
    await socket.say("still here")
    assert await socket.hear() == "still here"


@pytest.mark.parametrize("client_id", ["", "x" * 101, 7, [], {}, True, "a\0", "\ud800"])
async def test_bad_client_id_is_an_error_and_the_socket_stays_open(open_chat, client_id: object) -> None:
    socket = await open_chat(PATH)
    await socket.send_json_to({"message": "hi", "client_id": client_id})
    frame = await socket.receive_json_from(timeout=5)
    assert frame["error"]["code"] == "invalid_client_id"
    await socket.say("still here")
    assert await socket.hear() == "still here"


async def test_error_frame_names_the_client_id_of_the_refused_message(open_chat) -> None:
    socket = await open_chat(PATH)
    await socket.send_json_to({"message": " ", "client_id": "mine"})
    frame = await socket.receive_json_from(timeout=5)
    assert (frame["error"]["code"], frame["client_id"]) == ("blank_message", "mine")


@pytest.mark.parametrize(
    "query",
    ["after=", "after=-1", "after=x", "after=1.5", "after=%201", "after=1&after=x", f"after={2**63}", "after=%00"],
)
async def test_bad_position_in_the_url_is_an_error_frame_and_close_4400(open_chat, query: str) -> None:
    socket = await open_chat(f"{PATH}?{query}")
    frame = await socket.receive_json_from(timeout=5)
    assert (frame["kind"], frame["error"]["code"]) == ("error", "invalid_position")
    closed = await socket.receive_output(timeout=5)
    assert closed == {"type": "websocket.close", "code": 4400, "reason": "invalid_position"}


@pytest.mark.parametrize("query", ["", "before=x", "x=%FF&y", "AFTER=x"])
async def test_other_parameters_of_the_socket_url_are_ignored(open_chat, sixty_messages, query: str) -> None:
    socket = await open_chat(f"{PATH}?{query}")
    await socket.say("hi")
    assert (await socket.receive_json_from(timeout=5))["offset"] == 61


@pytest.mark.parametrize("query", ["after=58", "after=0058", "x=1&after=58", "after=1&after=58", "after=58&x=%FF"])
async def test_position_in_the_socket_url_is_read_among_other_parameters(open_chat, sixty_messages, query: str) -> None:
    socket = await open_chat(f"{PATH}?{query}")
    assert [(await socket.receive_json_from(timeout=5))["offset"] for _ in range(2)] == [59, 60]
