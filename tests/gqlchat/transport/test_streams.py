"""GraphQL over server-sent events: operations, positions, and the ends of streams."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import AsyncClient
from prometheus_client import REGISTRY
from pytest_django import Settings

from chat.actions import tokens as actions
from chat.connections import event_streams
from chat.connections.sockets import Sockets
from chat.delivery import login_hints
from chat.delivery.hub import Hub
from chat.domain.grants import Scope
from chat.models import Token
from gqlchat.guards import documents
from gqlchat.transport.sharing import SharedOperation
from mysite.asgi import application
from tests.conftest import SlowServer, live_listeners
from tests.event_stream import EventStream
from tests.test_identity import cookies_of
from tests.tokens import program

FOLLOW = 'subscription { roomMessages(rooms: [{roomName: "room1"}]) { message offset } }'
JOIN = 'subscription { joinChatRooms(rooms: [{roomName: "room1"}], user: "foo") { roomName message currentUser } }'
SAY = 'mutation { sendChatMessage(message: "hi", room: {roomName: "room1"}) }'

OpenStream = Callable[..., Awaitable[EventStream]]


@pytest.fixture
async def open_stream() -> AsyncIterator[OpenStream]:
    """`await open_stream(query)`: a stream of events, left after the test."""
    async with AsyncExitStack() as stack:

        async def connect(query: str, variables: dict[str, Any] | None = None, **options: Any) -> EventStream:
            stream = EventStream({"query": query, "variables": variables}, **options)
            stack.push_async_callback(stream.leave)
            return await stream.open()

        yield connect


def heard(result: dict[str, Any]) -> str:
    return result["data"]["roomMessages"]["message"]


async def test_guides_subscription_greets_and_hears_what_is_said(open_stream: OpenStream, open_chat) -> None:
    stream = await open_stream(JOIN)
    greeting = {"roomName": "room1", "message": "Hello my name is foo!", "currentUser": "foo"}
    assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert await stream.result() == {"data": {"joinChatRooms": greeting}}
    browser = await open_chat("/ws/chat/room1/")
    await browser.say("two\nlines\u2028")
    assert (await stream.result())["data"]["joinChatRooms"]["message"] == "two\nlines\u2028"


@pytest.mark.parametrize("query", ["{ me { isGuest } }", "query A { me { isGuest } }"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_query_is_answered_by_one_result_and_complete(query: str, method: str) -> None:
    asked: dict[str, Any] = {"query": query} if method == "GET" else {"body": {"query": query}}
    stream = await EventStream(method=method, **asked).open()
    assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream")
    assert await stream.result() == {"data": {"me": {"isGuest": True}}}
    await stream.end()


async def test_mutation_by_post_is_answered_by_one_result_and_complete(open_stream: OpenStream, open_chat) -> None:
    browser = await open_chat("/ws/chat/room1/")
    stream = await open_stream(SAY)
    assert await stream.result() == {"data": {"sendChatMessage": None}}
    await stream.end()
    assert await browser.hear() == "hi"


async def test_mutation_by_get_is_refused() -> None:
    stream = await EventStream(method="GET", query=SAY).open()
    assert (stream.status, stream.headers["allow"]) == (405, "POST")


async def test_subscription_by_get_is_served() -> None:
    stream = await EventStream(method="GET", query=JOIN).open()
    assert (await stream.result())["data"]["joinChatRooms"]["message"] == "Hello my name is foo!"
    await stream.leave()


@pytest.mark.parametrize(
    ("query", "variables", "complaint"),
    [
        ("{", None, "Syntax Error"),
        ("subscription { nothing }", None, "Cannot query field"),
        ("subscription { roomMessages(rooms: []) { message } }", None, "at least one room"),
        ('subscription { roomMessages(rooms: [{roomName: ""}]) { message } }', None, "name"),
        ("subscription ($rooms: [RoomPosition!]!) { roomMessages(rooms: $rooms) { message } }", {"rooms": 7}, "rooms"),
        ("subscription A { roomPresence(roomName: 1) { count } }", None, "String"),
        ("subscription A { x: __typename } subscription B { y: __typename }", None, "operation name"),
        (None, None, "query"),
        (7, None, "`query`"),
        ("{ me { id } }", 7, "`variables`"),
    ],
)
async def test_operation_that_makes_no_sense_is_answered_by_errors_and_complete(
    open_stream: OpenStream, query: Any, variables: Any, complaint: str
) -> None:
    stream = await open_stream(query, variables)
    assert stream.status == 200
    result = await stream.result()
    assert complaint in result["errors"][0]["message"]
    await stream.end()
    await asyncio.wait_for(stream.communicator.wait(), 5)


@pytest.mark.parametrize("body", [b"", b"nonsense", b"\xff", b"[" * 20_000, b"7", b"[]"])
async def test_body_that_is_no_request_is_answered_by_errors_and_complete(body: bytes) -> None:
    stream = await EventStream(body).open()
    assert stream.status == 200
    assert (await stream.result())["errors"]
    await stream.end()


async def test_form_is_refused_as_over_http() -> None:
    stream = await EventStream(b"query=x", headers=[(b"content-type", b"application/x-www-form-urlencoded")]).open()
    assert stream.status == 415


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_page_of_a_foreign_site_is_refused(method: str) -> None:
    headers = [(b"origin", b"https://evil.example"), (b"host", b"testserver")]
    stream = await EventStream({"query": JOIN}, method=method, headers=headers, query=JOIN).open()
    assert stream.status == 403


async def test_client_that_prefers_json_is_answered_in_json() -> None:
    headers = [(b"accept", b"application/json, text/event-stream")]
    stream = await EventStream({"query": "{ me { isGuest } }"}, headers=headers).open()
    assert stream.headers["content-type"] == "application/json"


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "send"])
async def test_streams_share_one_rendering(
    open_stream: OpenStream, foreign_send, monkeypatch: pytest.MonkeyPatch, direct: bool
) -> None:
    executed: list[object] = []
    execute = SharedOperation._execute
    monkeypatch.setattr(SharedOperation, "_execute", lambda self, event: executed.append(event) or execute(self, event))
    streams = [await open_stream(FOLLOW, direct=direct) for _ in range(5)]
    for stream in streams:
        await stream.position()
    await foreign_send("room1", message="once")
    assert [heard(await stream.result()) for stream in streams] == ["once"] * 5
    assert len(executed) == 1


async def test_client_that_comes_back_with_the_first_position_gets_what_it_missed(
    open_stream: OpenStream, open_chat
) -> None:
    stream = await open_stream(FOLLOW)
    position = await stream.position()
    await stream.leave()
    browser = await open_chat("/ws/chat/room1/")
    for text in ("one", "two"):
        await browser.say(text)
        await browser.hear()
    stream = await open_stream(FOLLOW, headers=[(b"last-event-id", position.encode())])
    assert [heard(await stream.result()) for _ in range(2)] == ["one", "two"]
    await stream.leave()
    stream = await open_stream(FOLLOW, headers=[(b"last-event-id", stream.id.encode())])
    await browser.say("three")
    assert heard(await stream.result()) == "three"


async def test_stream_of_several_rooms_recovers_each_from_its_own_position(open_stream: OpenStream, open_chat) -> None:
    query = 'subscription { roomMessages(rooms: [{roomName: "room1"}, {roomName: "größe"}]) { roomName message } }'
    stream = await open_stream(query)
    await stream.position()
    one, two = await open_chat("/ws/chat/room1/"), await open_chat("/ws/chat/größe/")
    await one.say("1")
    assert (await stream.result())["data"]["roomMessages"]["message"] == "1"
    await stream.leave()
    await one.say("2")
    await one.hear()
    await one.hear()
    await two.say("3")
    await two.hear()
    stream = await open_stream(query, headers=[(b"last-event-id", stream.id.encode())])
    found = [(await stream.result())["data"]["roomMessages"] for _ in range(2)]
    assert found == [{"roomName": "room1", "message": "2"}, {"roomName": "größe", "message": "3"}]


async def test_client_whose_log_went_back_starts_over(open_stream: OpenStream, open_chat) -> None:
    browser = await open_chat("/ws/chat/room1/")
    await browser.say("one")
    await browser.hear()
    query = 'subscription { roomMessages(rooms: [{roomName: "room1"}]) { kind offset id } }'
    first = await open_stream(query)
    key = (await first.position()).split(":")[0]
    stream = await open_stream(query, headers=[(b"last-event-id", f"{key}:1:{'0' * 32}".encode())])
    message = (await stream.result())["data"]["roomMessages"]
    assert (message["kind"], message["offset"]) == ("START_OVER", 1)
    assert stream.id == first.id


async def test_client_that_comes_back_greets_nobody_again(open_stream: OpenStream, open_chat) -> None:
    browser = await open_chat("/ws/chat/room1/")
    stream = await open_stream(JOIN)
    assert await browser.hear() == "Hello my name is foo!"
    await stream.result()
    await stream.leave()
    stream = await open_stream(JOIN, headers=[(b"last-event-id", stream.id.encode())])
    await stream.position()
    await browser.say("first")
    assert await browser.hear() == "first"
    assert (await stream.result())["data"]["joinChatRooms"]["message"] == "first"


@pytest.mark.parametrize(
    "event_id", ["x", "7", ":", "0:1:", "0123456789abcdef:-1:", f"{'0' * 16}:{'9' * 19}:", ",", "\xff"]
)
async def test_last_event_id_that_is_none_is_an_error(open_stream: OpenStream, event_id: str) -> None:
    stream = await open_stream(FOLLOW, headers=[(b"last-event-id", event_id.encode("latin1"))])
    assert (await stream.result())["errors"][0]["extensions"] == {"code": "invalid_position"}
    await stream.end()


async def test_heartbeats_are_comments(open_stream: OpenStream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_streams, "HEARTBEAT_INTERVAL", 0.01)
    stream = await open_stream(FOLLOW)
    blocks = [await stream.block() for _ in range(6)]
    assert blocks.count([":"]) >= 4


async def test_client_that_goes_leaves_its_rooms(open_stream: OpenStream, eventually) -> None:
    stream = await open_stream(FOLLOW)
    await stream.position()
    assert len(Sockets.here()) == 1
    await stream.leave()
    await eventually(lambda: not Hub.here()._feeds and not len(Sockets.here()))


async def test_stop_sends_retry_and_no_complete(open_stream: OpenStream) -> None:
    streams = [await open_stream(FOLLOW) for _ in range(5)]
    for stream in streams:
        await stream.position()
    sockets = Sockets.here()
    await sockets.end(event_streams.RESTARTING, "restarting", 1)
    assert [await stream.next() for stream in streams] == [None] * 5
    retries = {stream.retry for stream in streams}
    assert len(retries) > 1
    assert all(retry and 500 <= retry <= 5000 for retry in retries)
    sockets.ending = None


async def test_logout_ends_the_stream_with_an_error_and_complete(open_stream: OpenStream, settings: Settings) -> None:
    settings.CHAT_SESSION_CHECK = 3600
    client = AsyncClient()
    await client.aforce_login(await get_user_model().objects.acreate_user("ann"))
    stream = await open_stream(FOLLOW, headers=cookies_of(client))
    await stream.position()
    session_key = client.cookies["sessionid"].value
    await client.alogout()
    await login_hints.hint(sessions=[session_key])
    assert (await stream.result())["errors"][0]["extensions"] == {"code": "session_ended"}
    await stream.end()


async def test_revoked_token_ends_the_stream_with_an_error_and_complete(
    open_stream: OpenStream, settings: Settings
) -> None:
    settings.CHAT_SESSION_CHECK = 3600
    token = await program(scopes=[Scope.READ])
    stream = await open_stream(FOLLOW, headers=token.headers)
    await stream.position()
    assert "set-cookie" not in stream.headers
    await actions.revoke((await Token.objects.aget(user=token.user)).pk, user_id=token.user.pk, by=None)
    error = (await stream.result())["errors"][0]
    assert error["extensions"] == {"code": "invalid_token"}
    assert error["message"].startswith("This token")  # nobody is to log in again
    await stream.end()


async def test_token_that_may_not_read_hears_nothing(open_stream: OpenStream) -> None:
    stream = await open_stream(FOLLOW, headers=(await program(scopes=[Scope.WRITE])).headers)
    assert (await stream.result())["errors"][0]["extensions"]["code"] == "insufficient_scope"
    await stream.end()


async def test_client_that_takes_nothing_is_told_so_and_the_rest_is_kept_for_it(
    open_stream: OpenStream, settings: Settings, foreign_send, eventually
) -> None:
    settings.CHAT_BACKLOG_MAX = 3
    before = REGISTRY.get_sample_value("chat_slow_listeners_total")
    server = SlowServer(application, taking=True)
    stream = await open_stream(FOLLOW, application=server)
    await stream.position()
    server.taking.clear()
    for number in range(10):
        await foreign_send("room1", message=str(number))
    await eventually(lambda: REGISTRY.get_sample_value("chat_slow_listeners_total") != before)
    server.taking.set()
    heard_of = []
    while "data" in (result := await stream.result()):
        heard_of.append(heard(result))
    assert len(heard_of) < 10
    assert result["errors"][0]["extensions"] == {"code": "slow_listener"}
    await stream.end()


async def test_address_with_too_many_connections_is_refused(open_stream: OpenStream, settings: Settings) -> None:
    settings.CHAT_LIMITS, settings.CHAT_CONNECTIONS_PER_ADDRESS = True, 1

    async def from_one_address(scope: Any, receive: Any, send: Any) -> None:
        await application({**scope, "client": ("203.0.113.1", 1)}, receive, send)

    first = await open_stream(FOLLOW, application=from_one_address)
    await first.position()
    second = await open_stream(FOLLOW, application=from_one_address)
    assert second.status == 429
    assert '"too_many_connections"' in await second.text()


async def test_document_that_is_too_long_to_keep_is_executed_on_its_own(
    open_stream: OpenStream, foreign_send, eventually
) -> None:
    stream = await open_stream(FOLLOW + "#" * documents.CACHED_LENGTH)
    await eventually(live_listeners)
    await foreign_send("room1", message="hi")
    assert heard(await stream.result()) == "hi"
    assert stream.id == ""


async def test_typing_and_presence_are_streamed_without_ids(open_stream: OpenStream) -> None:
    stream = await open_stream('subscription { roomPresence(roomName: "room1") { count } }')
    assert await stream.result() == {"data": {"roomPresence": {"count": 0}}}
    assert stream.id == ""
