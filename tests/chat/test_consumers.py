"""The browser's socket by its contract: docs/protocol.md."""

import asyncio
import gc
import json
from weakref import ref

import pytest
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from pytest_django import Settings

from chat.delivery.hub import Hub
from chat.domain import people
from chat.domain.rooms import find
from chat.errors import Removed
from chat.storage import log
from chat.storage.database import in_database
from mysite.asgi import application
from tests.conftest import ChatSocket, SlowServer, as_json


async def test_browser_sockets_of_a_room_hear_each_other_and_themselves(open_chat) -> None:
    one, two = await open_chat("/ws/chat/lobby/"), await open_chat("/ws/chat/lobby/")
    await one.say("hello")
    await two.say("world")
    assert {await one.hear(), await one.hear()} == {await two.hear(), await two.hear()} == {"hello", "world"}


async def test_browser_sockets_of_different_rooms_hear_nothing_of_each_other(open_chat) -> None:
    one, two = await open_chat("/ws/chat/here/"), await open_chat("/ws/chat/there/")
    await one.say("hello")
    assert await one.hear() == "hello"
    assert await two.receive_nothing(timeout=0.2)


async def test_message_frame_has_text_person_room_time_and_origin(open_chat) -> None:
    socket = await open_chat("/ws/chat/caf%C3%A9/")
    await socket.say("hello")
    frame = await socket.receive_json_from(timeout=5)
    keys = {"message", "kind", "id", "offset", "client_id", "room", "user", "user_id", "sent_at", "origin"}
    assert set(frame) == keys
    assert (frame["message"], frame["kind"], frame["room"]) == ("hello", "message", "café")
    assert set(frame["origin"]) == {"process", "thread"}


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("nonsense", "invalid_frame"),
        ("", "invalid_frame"),
        ("[]", "invalid_frame"),
        ("7", "invalid_frame"),
        ("null", "invalid_frame"),
        ('"text"', "invalid_frame"),
        ("{}", "invalid_frame"),
        ('{"Message": "hi"}', "invalid_frame"),
        ("[" * 20_000, "invalid_frame"),
        ('{"message": "a"', "invalid_frame"),
        (b'{"message": "binary"}', "invalid_frame"),
        (b"", "invalid_frame"),
        (as_json(message=None), "invalid_message"),
        (as_json(message=7), "invalid_message"),
        (as_json(message=["a"]), "invalid_message"),
        (as_json(message={"text": "a"}), "invalid_message"),
        ('{"message": "\\ud800"}', "invalid_message"),
        ('{"message": "\\u0000"}', "invalid_message"),
        (as_json(message=""), "blank_message"),
        (as_json(message=" \n"), "blank_message"),
        (as_json(message="x" * 4001), "message_too_long"),
    ],
)
async def test_bad_frame_is_answered_with_an_error_and_the_socket_stays_open(
    open_chat, frame: str | bytes, code: str
) -> None:
    socket, neighbour = await open_chat("/ws/chat/bad/"), await open_chat("/ws/chat/bad/")
    kind = "bytes" if isinstance(frame, bytes) else "text"
    await socket.send_input({"type": "websocket.receive", kind: frame})
    answer = await socket.receive_json_from(timeout=5)
    assert answer["kind"] == "error"
    assert answer["error"] == {"code": code, "message": answer["message"]}
    await socket.say("still here")
    assert await socket.hear() == "still here"
    assert await neighbour.hear() == "still here"  # and nothing before it


async def test_error_frame_holds_a_client_id_with_a_lone_surrogate_as_valid_json(open_chat) -> None:
    socket = await open_chat("/ws/chat/bad/")
    await socket.send_to(text_data='{"message": "hi", "client_id": "half a \\ud83d"}')
    text = await socket.receive_from(timeout=5)
    assert text.encode()  # a server fails here
    assert json.loads(text)["client_id"] == "half a \ud83d"
    assert json.loads(text)["error"]["code"] == "invalid_client_id"


@pytest.mark.parametrize(
    "message", ["x" * 4000, "🍓" * 4000, "a\nb\tc", "<b>", "a\u202eb", "\u200b!", '"\\', "chat.message"]
)
async def test_message_frame_has_the_text_unchanged(open_chat, message: str) -> None:
    socket = await open_chat("/ws/chat/any/")
    await socket.say(message)
    assert await socket.hear() == message


@pytest.mark.parametrize(
    "path",
    ["/ws/chat//", "/ws/chat/%20/", "/ws/chat/a%00b/", "/ws/chat/a%0Ab/", f"/ws/chat/{'x' * 101}/", "/ws/chat/../"],
)
async def test_invalid_room_name_is_an_error_frame_and_close_4400(path: str) -> None:
    socket = WebsocketCommunicator(application, path)
    assert (await socket.connect(timeout=5))[0]
    assert (await socket.receive_json_from(timeout=5))["error"]["code"] == "invalid_room_name"
    assert await socket.receive_output(timeout=5) == {
        "type": "websocket.close",
        "code": 4400,
        "reason": "invalid_room_name",
    }
    await socket.disconnect()


async def test_position_that_is_not_utf8_is_an_error_frame_and_close_4400() -> None:
    socket = WebsocketCommunicator(application, "/ws/chat/any/?after=1&id=%ff")
    assert (await socket.connect(timeout=5))[0]
    assert (await socket.receive_json_from(timeout=5))["error"]["code"] == "invalid_query"
    assert (await socket.receive_output(timeout=5))["code"] == 4400
    await socket.disconnect()


async def test_room_name_that_is_not_utf8_is_an_error_frame_and_close_4400() -> None:
    socket = WebsocketCommunicator(application, "/ws/chat/%ff/")
    socket.scope["raw_path"] = b"/ws/chat/%ff/"  # as servers give it
    assert (await socket.connect(timeout=5))[0]
    assert (await socket.receive_json_from(timeout=5))["error"]["code"] == "invalid_query"
    assert (await socket.receive_output(timeout=5))["code"] == 4400
    await socket.disconnect()


async def test_frame_sent_to_a_refused_socket_is_ignored() -> None:
    socket = WebsocketCommunicator(application, "/ws/chat/%20/")
    await socket.connect(timeout=5)
    await socket.send_to(text_data=as_json(message="hi"))
    assert (await socket.receive_json_from(timeout=5))["error"]["code"] == "invalid_room_name"
    await socket.disconnect()
    await socket.wait()


async def test_browser_socket_of_a_guest_is_closed_with_4401_when_guests_are_not_allowed(settings: Settings) -> None:
    settings.CHAT_GUESTS = False
    socket = WebsocketCommunicator(application, "/ws/chat/members/")
    await socket.connect(timeout=5)
    assert (await socket.receive_json_from(timeout=5))["error"]["code"] == "login_required"
    assert (await socket.receive_output(timeout=5))["code"] == 4401
    await socket.disconnect()


async def test_foreign_event_of_three_keys_reaches_every_browser_socket(open_chat, foreign_send) -> None:
    one, two = await open_chat("/ws/chat/caf%C3%A9/"), await open_chat("/ws/chat/caf%C3%A9/")
    await foreign_send("café", message="from a worker")
    assert await one.hear() == await two.hear() == "from a worker"


async def test_closed_browser_socket_leaves_its_group(open_chat) -> None:
    layer = get_channel_layer()._get_layer()
    socket = await open_chat("/ws/chat/leaving/")
    assert len(layer.channels) == 1  # the hub's, none of the socket's own
    await socket.disconnect()
    assert layer.groups == layer.channels == {}


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "send"])
@pytest.mark.parametrize("ends", ["disconnect", "error"])
async def test_listener_of_a_closed_socket_is_freed_without_the_garbage_collector(
    open_chat, foreign_send, eventually, ends: str, direct: bool
) -> None:
    gc.collect()
    gc.disable()
    try:
        browser = await open_chat("/ws/chat/room1/", direct=direct)
        await foreign_send("room1", message="hi")
        assert await browser.hear() == "hi"
        listener = ref(*Hub.here()._feeds[find("room1").group].listeners)
        if ends == "disconnect":
            await browser.disconnect()
        else:
            listener().end(Removed("You were removed."))
        await eventually(lambda: listener() is None)
    finally:
        gc.enable()


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "send"])
async def test_events_and_answers_come_once_and_in_order(open_chat, direct: bool) -> None:
    browser = await open_chat("/ws/chat/room1/", direct=direct)
    for number in range(10):
        await browser.say(str(number))
        await browser.send_json_to({"before": number + 2, "request": str(number)})
    frames = [await browser.receive_json_from(timeout=5) for _ in range(20)]
    assert [frame["offset"] for frame in frames[::2]] == [*range(1, 11)]
    assert [frame["request"] for frame in frames[1::2]] == [str(number) for number in range(10)]
    assert await browser.receive_nothing()


async def test_cancelled_browser_socket_leaves_its_group(eventually) -> None:
    layer = get_channel_layer()._get_layer()
    socket = WebsocketCommunicator(application, "/ws/chat/dropped/")
    await socket.connect(timeout=5)
    assert layer.groups
    socket.future.cancel()
    await asyncio.wait([socket.future])
    await eventually(lambda: not layer.groups and not layer.channels)


async def test_browser_that_takes_nothing_is_closed_with_4008_without_delaying_others(
    open_chat, foreign_send, settings: Settings
) -> None:
    settings.CHAT_BACKLOG_MAX = 3
    quick, slow = await open_chat("/ws/chat/slow/"), ChatSocket(SlowServer(application), "/ws/chat/slow/")
    await slow.connect()
    for number in range(6):
        await foreign_send("slow", message=str(number))
        assert await quick.hear() == str(number)
    slow.application.taking.set()
    outputs = [await slow.receive_output(timeout=5)]
    while outputs[-1]["type"] != "websocket.close":
        outputs.append(await slow.receive_output(timeout=5))
    assert outputs[-1]["code"] == 4008
    assert json.loads(outputs[-2]["text"])["error"]["code"] == "slow_listener"
    await slow.disconnect()


async def test_browser_that_is_slow_for_a_while_gets_everything_in_order(open_chat, foreign_send) -> None:
    slow = ChatSocket(SlowServer(application), "/ws/chat/slow/")
    await slow.connect()
    for number in range(100):
        await foreign_send("slow", message=str(number))
    assert await slow.receive_nothing(timeout=0.1)
    slow.application.taking.set()
    assert [await slow.hear() for _ in range(100)] == [str(number) for number in range(100)]
    await slow.disconnect()


async def test_ping_is_answered_in_order_with_other_frames(open_chat) -> None:
    socket = await open_chat("/ws/chat/pings/")
    await socket.say("hello")
    await socket.send_json_to({"ping": 7})
    assert await socket.hear() == "hello"
    assert await socket.receive_json_from(timeout=5) == {"pong": 7}


async def test_ping_does_not_count_against_rate_limits(open_chat, settings: Settings) -> None:
    settings.CHAT_LIMITS, settings.CHAT_RATE_PERSON = True, "1/h"
    socket = await open_chat("/ws/chat/pings/")
    for number in range(5):
        await socket.send_json_to({"ping": number})
        assert await socket.receive_json_from(timeout=5) == {"pong": number}


@pytest.mark.parametrize("ping", [None, True, -1, 1.5, "7", [], {}, 2**53])
async def test_ping_that_is_no_whole_number_is_an_invalid_frame(open_chat, ping: object) -> None:
    socket = await open_chat("/ws/chat/pings/")
    await socket.send_json_to({"ping": ping})
    assert (await socket.receive_json_from(timeout=5))["error"]["code"] == "invalid_frame"


@pytest.mark.parametrize("request_id", ["", "page 1", "é" * 100])
async def test_answer_frame_has_the_request_id_of_its_question(open_chat, request_id: str) -> None:
    socket = await open_chat("/ws/chat/questions/")
    for question in ({"before": 5}, {"after": 5}, {"me": True}):
        await socket.send_json_to({**question, "request": request_id})
        assert (await socket.receive_json_from(timeout=5))["request"] == request_id
        await socket.send_json_to(question)
        assert "request" not in await socket.receive_json_from(timeout=5)


@pytest.mark.parametrize(
    ("frame", "code", "ids"),
    [
        ({"before": -1, "request": "q"}, "invalid_position", {"request": "q"}),
        ({"after": "x", "request": "q"}, "invalid_position", {"request": "q"}),
        ({"before": 5, "request": "x" * 101}, "invalid_frame", {"request": "x" * 101}),
        ({"before": 5, "request": "half a \ud83d"}, "invalid_frame", {"request": "half a \ud83d"}),
        ({"before": 5, "request": "\0"}, "invalid_frame", {"request": "\0"}),
        ({"before": 5, "request": 7}, "invalid_frame", {}),
        ({"ping": "x", "request": "q"}, "invalid_frame", {"request": "q"}),
        ({"delete": 9, "request": "q"}, "no_such_message", {"request": "q"}),
        ({"message": "", "request": "q", "client_id": "c"}, "blank_message", {"request": "q", "client_id": "c"}),
    ],
)
async def test_error_frame_has_the_ids_of_the_frame_it_answers(
    open_chat, frame: dict[str, object], code: str, ids: dict[str, str]
) -> None:
    socket = await open_chat("/ws/chat/questions/")
    await socket.send_json_to(frame)
    answer = await socket.receive_json_from(timeout=5)
    assert answer["error"]["code"] == code
    assert {key: answer[key] for key in ("client_id", "request") if key in answer} == ids


async def test_me_frame_describes_a_guest_without_a_role(open_chat) -> None:
    socket = await open_chat("/ws/chat/mine/")
    await socket.say("hello")
    spoken = await socket.receive_json_from(timeout=5)
    await socket.send_json_to({"me": True})
    assert await socket.receive_json_from(timeout=5) == {
        "kind": "me",
        "id": spoken["user_id"],
        "name": spoken["user"],
        "is_guest": True,
        "role": None,
        "read_only": False,
        "slow_mode": 0,
    }


async def test_html_comes_to_sockets_that_ask_for_it_where_it_says_more(open_chat) -> None:
    asks, does_not = await open_chat("/ws/chat/html/?with=edits,html"), await open_chat("/ws/chat/html/")
    for text in ["hello", "**hello**"]:
        await does_not.say(text)
    frames = [await asks.receive_json_from(timeout=5) for _ in range(2)]
    assert [frame.get("html") for frame in frames] == [None, "<p><strong>hello</strong></p>"]
    assert [frame["message"] for frame in frames] == ["hello", "**hello**"]
    for frame in frames:
        frame.pop("html", None)
    assert [await does_not.receive_json_from(timeout=5) for _ in range(2)] == frames


async def test_html_comes_in_recovery_history_and_answers_to_what_was_sent_before(open_chat) -> None:
    first = await open_chat("/ws/chat/html/")
    for number in range(60):
        await first.send_json_to({"message": f"*{number}*", "client_id": str(number)})
        await first.receive_json_from(timeout=5)
    asks = await open_chat("/ws/chat/html/?with=html&after=0")
    html = [(await asks.receive_json_from(timeout=5))["html"] for _ in range(60)]
    assert html == [f"<p><em>{number}</em></p>" for number in range(60)]

    await asks.send_json_to({"before": 61})
    messages = (await asks.receive_json_from(timeout=5))["messages"]
    assert [message["html"] for message in messages] == html[10:]
    await first.send_json_to({"before": 61})
    assert not any("html" in message for message in (await first.receive_json_from(timeout=5))["messages"])


async def test_html_of_many_hostile_messages_comes_in_order_with_everything_else(open_chat, foreign_send) -> None:
    asks = await open_chat("/ws/chat/html/?with=html", direct=True)
    texts = [f"{number} {'*a* ' * 250}" if number % 3 else str(number) for number in range(60)]
    for text in texts:
        await foreign_send("html", message=text)
    frames = [await asks.receive_json_from(timeout=5) for _ in texts]
    assert [frame["message"] for frame in frames] == texts
    assert ["html" in frame for frame in frames] == [bool(number % 3) for number in range(60)]


async def test_edit_brings_the_html_of_the_new_text(open_chat) -> None:
    asks = await open_chat("/ws/chat/html/?with=edits,html")
    await asks.say("**old**")
    await asks.receive_json_from(timeout=5)
    for text, html in [("*new*", "<p><em>new</em></p>"), ("plain", None)]:
        await asks.send_json_to({"edit": 1, "message": text})
        edit = await asks.receive_json_from(timeout=5)
        assert (edit["kind"], edit["message"], edit.get("html")) == ("edit", text, html)
    await asks.send_json_to({"before": 10})
    (message,) = (await asks.receive_json_from(timeout=5))["messages"]
    assert (message["message"], "html" in message) == ("plain", False)


async def test_deleted_message_has_no_html(open_chat) -> None:
    asks = await open_chat("/ws/chat/html/?with=html")
    await asks.say("**hello**")
    await asks.receive_json_from(timeout=5)
    await asks.send_json_to({"delete": 1})
    assert "html" not in await asks.receive_json_from(timeout=5)
    await asks.send_json_to({"before": 2})
    (message,) = (await asks.receive_json_from(timeout=5))["messages"]
    assert (message["deleted"], "html" in message) == (True, False)


@pytest.mark.parametrize(
    ("question", "offsets", "more"),
    [
        ({"after": 0}, [*range(1, 51)], True),
        ({"after": 10}, [*range(11, 61)], False),
        ({"after": 9}, [*range(10, 60)], True),
        ({"after": "58"}, [59, 60], False),
        ({"after": 60}, [], False),
        ({"after": 2**63 - 1}, [], False),
        ({"after": 5, "before": 3}, [1, 2], False),
    ],
)
async def test_question_by_after_is_answered_with_the_next_page(
    open_chat, question: dict, offsets: list[int], more: bool
) -> None:
    room = find("questions")
    await in_database(log.append, [log.Draft(room=room, text="hi", person=people.new_guest("Ann")) for _ in range(60)])
    socket = await open_chat("/ws/chat/questions/")
    await socket.send_json_to(question)
    answer = await socket.receive_json_from(timeout=5)
    assert answer["kind"] == "history"
    assert ([entry["offset"] for entry in answer["messages"]], answer["more"]) == (offsets, more)
