"""The browser's door over HTTP: frames as events, and frames that are posted."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import quote

import pytest
from django.test import AsyncClient
from pytest_django import Settings

from chat.connections import event_streams
from chat.connections.sockets import Sockets
from chat.domain.grants import Scope
from chat.models import Message
from tests.event_stream import EventStream
from tests.test_identity import cookies_of
from tests.tokens import program

Headers = list[tuple[bytes, bytes]]
OpenEvents = Callable[..., Awaitable[EventStream]]


def path_of(room: str) -> str:
    return f"/chat/{room}/events/"


@pytest.fixture
async def open_events() -> AsyncIterator[OpenEvents]:
    """`await open_events("room1", after="0")`: the room's frames as events, left after the test."""
    async with AsyncExitStack() as stack:

        async def connect(room: str, *, headers: Headers | None = None, **query: str) -> EventStream:
            stream = EventStream(method="GET", path=path_of(room), headers=headers, **query)
            stack.push_async_callback(stream.leave)
            return await stream.open()

        yield connect


async def frame_in(stream: EventStream) -> dict[str, Any]:
    event = await stream.next()
    assert event is not None, "the stream has ended"
    assert event.event == "message", event
    return event.json


async def post(room: str, frame: object, headers: Headers | None = None, **query: str) -> tuple[list[Any], Any]:
    """The frames that answer, and with what the socket would be closed."""
    stream = await EventStream(frame, path=path_of(room), headers=headers, **query).open()
    assert stream.status == 200
    frames = []
    while (event := await stream.next()) is not None:
        if event.event == "close":
            assert await stream.next() is None
            return frames, event.json
        frames.append(event.json)
    raise AssertionError("it ended without an event")


NORMALLY = {"code": 1000, "reason": ""}


@pytest.mark.parametrize("room", ["room1", "größe/1"])
async def test_frames_of_the_socket_come_as_events_and_posted_ones_reach_it(
    open_events: OpenEvents, open_chat, room: str
) -> None:
    browser = await open_chat(f"/ws/chat/{quote(room)}/?after=0")
    stream = await open_events(room, after="0")
    assert await post(room, {"message": "hi\nthere", "client_id": "1"}) == ([], NORMALLY)
    frame = await frame_in(stream)
    assert frame == await browser.receive_json_from(timeout=5)
    assert (frame["message"], frame["client_id"], frame["offset"]) == ("hi\nthere", "1", 1)
    assert stream.id == f"1:{frame['id']}"
    await browser.say("back")
    assert (await frame_in(stream))["message"] == "back"


async def test_stream_goes_on_after_the_last_event_id(open_events: OpenEvents, open_chat) -> None:
    browser = await open_chat("/ws/chat/room1/")
    for text in ("one", "two", "three"):
        await browser.say(text)
        await browser.hear()
    stream = await open_events("room1", after="0")
    await frame_in(stream)
    again = await open_events("room1", after="0", headers=[(b"last-event-id", stream.id.encode())])
    assert [(await frame_in(again))["message"] for _ in range(2)] == ["two", "three"]


async def test_message_that_is_posted_again_is_answered_by_the_first() -> None:
    await post("room1", {"message": "hi", "client_id": "1"})
    client = AsyncClient()
    await client.get("/chat/room1/")
    cookies = cookies_of(client)
    assert await post("room1", {"message": "mine", "client_id": "1"}, cookies) == ([], NORMALLY)
    (frame,), closed = await post("room1", {"message": "mine again", "client_id": "1"}, cookies)
    assert (frame["message"], frame["offset"], closed) == ("mine", 2, NORMALLY)


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ({"ping": 7}, None),
        ({"before": 3, "request": "r"}, "history"),
        ({"me": True, "request": "r"}, "me"),
        ({"complete": "a", "request": "r"}, "completion"),
        ({"message": ""}, "error"),
        ({"nonsense": 1}, "error"),
        ([], "error"),
        (b"", "error"),
        (b"\xff", "error"),
        ({"typing": True}, "nothing"),
        ({"visible": True}, "nothing"),
    ],
)
async def test_posted_frame_is_answered_as_at_the_socket(frame: object, kind: str | None) -> None:
    frames, closed = await post("room1", frame)
    assert closed == NORMALLY
    if kind == "nothing":
        assert frames == []
    elif kind is None:
        assert frames == [{"pong": 7}]
    else:
        assert [one["kind"] for one in frames] == [kind]


async def test_reaction_is_stored_before_its_post_is_answered(open_events: OpenEvents) -> None:
    await post("room1", {"message": "hi"})
    (answer,), closed = await post("room1", {"react": 1, "emoji": "👍", "on": True, "request": "r"})
    assert (answer["request"], closed) == ("r", NORMALLY)
    stream = await open_events("room1", after="1", **{"with": "reactions"})
    assert (await frame_in(stream))["kind"] == "reaction"


async def test_bad_position_is_an_error_frame_and_a_close(open_events: OpenEvents) -> None:
    stream = await open_events("room1", after="x")
    assert (await frame_in(stream))["error"]["code"] == "invalid_position"
    event = await stream.next()
    assert event is not None
    assert (event.event, event.json) == ("close", {"code": 4400, "reason": "invalid_position"})
    assert await stream.next() is None


async def test_post_as_somebody_else_than_the_page_is_refused() -> None:
    (frame,), closed = await post("room1", {"message": "hi"}, **{"as": "user-7"})
    assert frame["error"]["code"] == "session_ended"
    assert closed == {"code": 4401, "reason": "session_ended"}


@pytest.mark.parametrize(("scope", "error"), [(Scope.WRITE, None), (Scope.READ, "insufficient_scope")])
async def test_program_posts_by_its_token(scope: Scope, error: str | None) -> None:
    token = await program(scopes=[scope])
    frames, _ = await post("room1", {"message": "hi"}, token.headers)
    assert [frame["error"]["code"] for frame in frames] == ([] if error is None else [error])


@pytest.mark.parametrize("frame", [{"before": 2}, {"after": 0}, {"complete": "a"}, {"versions": 1}, {"reports": True}])
async def test_token_that_is_not_for_reading_reads_nothing(frame: dict[str, Any]) -> None:
    token = await program(scopes=[Scope.WRITE, Scope.MODERATE])
    ((answer,), _) = await post("room1", frame, token.headers)
    assert answer["error"]["code"] == "insufficient_scope"


async def test_stop_sends_retry_and_close_1012(open_events: OpenEvents) -> None:
    stream = await open_events("room1")
    sockets = Sockets.here()
    await sockets.end(event_streams.RESTARTING, "restarting", 1)
    event = await stream.next()
    assert event is not None
    assert (event.event, event.json) == ("close", {"code": 1012, "reason": "restarting"})
    assert stream.retry
    try:
        assert await post("room1", {"message": "too late"}) == ([], {"code": 1012, "reason": "restarting"})
    finally:
        sockets.ending = None
    assert not await Message.objects.aexists()


async def test_body_that_is_longer_than_a_frame_is_refused(settings: Settings) -> None:
    settings.CHAT_FRAME_MAX = 100
    stream = await EventStream({"message": "x" * 100}, path=path_of("room1")).open()
    assert stream.status == 413


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", [(b"accept", b"text/html")]),
        ("POST", [(b"content-type", b"application/x-www-form-urlencoded")]),
        ("PUT", []),
    ],
)
async def test_other_requests_are_for_the_page_of_a_room_of_that_name(method: str, headers: Headers) -> None:
    headers = [*headers, (b"host", b"testserver")]
    stream = await EventStream(b"", method=method, path=path_of("a"), headers=headers).open()
    assert stream.status in {200, 403, 405}
    assert "event-stream" not in stream.headers["content-type"]
    await stream.text()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_page_of_a_foreign_site_is_refused(method: str) -> None:
    headers = [(b"origin", b"https://evil.example"), (b"host", b"testserver")]
    stream = await EventStream({"message": "x"}, method=method, path=path_of("room1"), headers=headers).open()
    assert stream.status == 403
