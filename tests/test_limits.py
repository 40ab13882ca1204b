"""Limits at every door: requests at the limit succeed, those above it are refused, and the door stays open."""

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from channels.testing import HttpCommunicator, WebsocketCommunicator
from pytest_django import Settings

from chat.connections.sockets import Sockets
from mysite.asgi import application
from tests.conftest import SEND, ChatSocket, GraphQLSocket, close
from tests.doors import POST

ROOM = "limits"


class From:
    """The site, as it is reached from one address."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await application({**scope, "client": (self.address, 4711)}, receive, send)


class Frames:
    """Posts at the browser's socket."""

    @classmethod
    @asynccontextmanager
    async def open(cls, site: From) -> AsyncIterator["Frames"]:
        door = cls()
        door.socket = ChatSocket(site, f"/ws/chat/{ROOM}/")
        assert (await door.socket.connect(timeout=5))[0]
        yield door
        await close(door.socket)

    async def post(self, text: str) -> dict[str, Any] | None:
        """The error, with `code` and `retry_after`, or None."""
        await self.socket.send_json_to({"message": text, "client_id": text})
        while (frame := await self.socket.receive_json_from(timeout=5)).get("client_id") != text:
            pass
        return frame.get("error")


class Http:
    """Posts by mutations over HTTP."""

    @classmethod
    @asynccontextmanager
    async def open(cls, site: From) -> AsyncIterator["Http"]:
        door = cls()
        door.site = site
        yield door

    async def post(self, text: str) -> dict[str, Any] | None:
        return problem(await self.execute(SEND, {"room": {"roomName": ROOM}, "message": text}))

    async def execute(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = HttpCommunicator(self.site, "POST", "/graphql", body, [(b"content-type", b"application/json")])
        response = await request.get_response(timeout=5)
        assert response["status"] == 200
        return json.loads(response["body"])


class HttpPayload(Http):
    """The same by `postMessage`, which has its errors in its payload."""

    async def post(self, text: str) -> dict[str, Any] | None:
        query = "mutation ($i: PostMessageInput!) { postMessage(input: $i) { error { code retryAfter } } }"
        answer = await self.execute(query, {"i": {"roomName": ROOM, "message": text}})
        error = answer["data"]["postMessage"]["error"]
        return error and {"code": error["code"], "retry_after": error["retryAfter"]}


class Transport:
    """Posts by mutations through a WebSocket."""

    protocol = "graphql-transport-ws"

    @classmethod
    @asynccontextmanager
    async def open(cls, site: From) -> AsyncIterator["Transport"]:
        door = cls()
        door.socket = GraphQLSocket(site, "/graphql", protocol=cls.protocol, subprotocols=[])
        await door.socket.gql_init()
        yield door
        await close(door.socket)

    async def post(self, text: str) -> dict[str, Any] | None:
        return await self.answer(SEND, {"room": {"roomName": ROOM}, "message": text})

    async def answer(self, query: str, variables: dict[str, Any]) -> dict[str, Any] | None:
        id = secrets.token_hex(4)
        await self.socket.start(query, variables, id=id)
        frame = await self.socket.receive_json_from(timeout=5)
        assert frame["id"] == id
        if frame["type"] == "error":
            payload = frame["payload"]
            return problem({"errors": payload if isinstance(payload, list) else [payload]})
        assert (await self.socket.receive_json_from(timeout=5))["type"] == "complete"
        return problem(frame["payload"])


class Legacy(Transport):
    protocol = "graphql-ws"


def problem(answer: dict[str, Any]) -> dict[str, Any] | None:
    for error in answer.get("errors", []):
        return {"code": error["extensions"]["code"], "retry_after": error["extensions"]["retryAfter"]}
    return None


DOORS = [Frames, Http, HttpPayload, Transport, Legacy]


@pytest.fixture
def limited(settings: Settings) -> Settings:
    settings.CHAT_LIMITS = True
    settings.CHAT_RATE_ADDRESS = "3/1h"
    return settings


@pytest.fixture
def address() -> str:
    return f"2001:db8:{secrets.randbelow(2**16):x}:{secrets.randbelow(2**16):x}::1"


@pytest.mark.parametrize("door", DOORS)
async def test_posts_of_an_address_past_the_limit_are_refused_with_retry_after_at_every_door(
    limited: Settings, door: type, address: str
) -> None:
    async with door.open(From(address)) as one, door.open(From(address + "2")) as other:
        assert [await one.post("one"), await other.post("two"), await one.post("three")] == [None, None, None]
        for sender in (one, other, one):
            error = await sender.post("four")
            assert error is not None
            assert error["code"] == "rate_limited"
            assert 1000 < error["retry_after"] <= 1200
        async with door.open(From("2001:db8::1")) as elsewhere:
            limited.CHAT_RATE_ADDRESS = "1000/1s"  # others' buckets are others' matter
            assert await elsewhere.post("five") is None
        limited.CHAT_LIMITS = False
        assert await one.post("six") is None


async def test_doors_share_one_rate_limit_for_an_address(limited: Settings, address: str) -> None:
    limited.CHAT_RATE_ADDRESS = f"{len(DOORS)}/1h"
    for door in DOORS:
        async with door.open(From(address)) as one:
            assert await one.post("hi") is None
    for door in DOORS:
        async with door.open(From(address)) as one:
            assert (await one.post("hi") or {}).get("code") == "rate_limited"


async def test_join_past_the_rate_limit_succeeds_without_a_greeting(limited: Settings, address: str, open_chat) -> None:
    other = await open_chat(f"/ws/chat/{ROOM}/")
    async with Transport.open(From(address)) as door:
        for number in range(5):
            await door.socket.join(ROOM, user=f"u{number}", id=str(number))
            await door.socket.send_json_to({"type": "complete", "id": str(number)})
        for number in range(3):
            assert await other.hear() == f"Hello my name is u{number}!"
        assert await door.post("messages are another matter") is None
        assert await other.hear() == "messages are another matter"


async def test_join_of_many_rooms_counts_each_room_against_the_rate_limit(
    limited: Settings, address: str, open_chat
) -> None:
    rooms = [f"{ROOM}{number}" for number in range(5)]
    others = [await open_chat(f"/ws/chat/{room}/") for room in rooms]
    async with Transport.open(From(address)) as door:
        await door.socket.join(*rooms)  # the joiner hears a greeting for each
        for other in others[:3]:
            assert await other.hear() == "Hello my name is foo!"
        for other in others[3:]:
            await other.say("done")
            assert await other.hear() == "done"
            assert await other.receive_nothing()


async def test_instances_share_one_rate_limit_for_a_person(start_servers) -> None:
    servers = start_servers(2, CHAT_LIMITS="on", CHAT_RATE_PERSON="4/1h", CHAT_RATE_ADDRESS="1000/1h")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as ann:
        codes = [await post_as(ann, server.host) for server in servers * 3]
        assert codes == [None] * 4 + ["rate_limited"] * 2
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as bob:
        assert await post_as(bob, servers[0].host) is None


async def post_as(visitor: aiohttp.ClientSession, host: str) -> str | None:
    """Posts in the visitor's session; returns the code of the error, or None."""
    url = f"http://{host}/graphql"
    async with visitor.post(url, json={"query": "{ me { id } }"}) as answer:
        assert answer.status == 200
    variables = {"input": {"roomName": ROOM, "message": "hi"}}
    async with visitor.post(url, json={"query": POST, "variables": variables}) as answer:
        error = (await answer.json())["data"]["postMessage"]["error"]
        return error and error["code"]


class TestConnectionsPerAddress:
    """The limit of WebSockets per address, reported in the way of each door."""

    @pytest.fixture
    def few(self, settings: Settings) -> Settings:
        settings.CHAT_LIMITS = True
        settings.CHAT_CONNECTIONS_PER_ADDRESS = 2
        return settings

    @pytest.fixture
    async def two(self, few: Settings, address: str) -> AsyncIterator[list[ChatSocket]]:
        """The allowed number of sockets, one at each door."""
        async with Frames.open(From(address)) as frames, Transport.open(From(address)) as transport:
            yield [frames.socket, transport.socket]

    async def is_refused(self, site: From) -> dict[str, Any]:
        browser = ChatSocket(site, f"/ws/chat/{ROOM}/")
        assert (await browser.connect(timeout=5))[0]
        frame = await browser.receive_json_from(timeout=5)
        closed = await browser.receive_output(timeout=5)
        assert (closed["code"], closed["reason"]) == (4429, "too_many_connections")
        await browser.disconnect()
        return frame["error"]

    async def test_browser_socket_past_the_limit_of_an_address_gets_an_error_and_close_4429(
        self, two, address: str
    ) -> None:
        assert (await self.is_refused(From(address)))["code"] == "too_many_connections"

    async def test_graphql_socket_past_the_limit_of_an_address_is_closed_with_4429(
        self, two, address, subprotocol
    ) -> None:
        graphql = WebsocketCommunicator(From(address), "/graphql", subprotocols=[subprotocol])
        assert await graphql.connect(timeout=5) == (True, subprotocol)
        closed = await graphql.receive_output(timeout=5)
        assert (closed["code"], closed["reason"]) == (4429, "too_many_connections")
        await graphql.send_json_to({"type": "connection_init"})
        await graphql.disconnect()

    async def test_refused_and_closed_sockets_do_not_count_against_the_limit(
        self, two, address: str, eventually
    ) -> None:
        for _ in range(3):
            await self.is_refused(From(address))
        await two[0].disconnect()
        await eventually(lambda: len(Sockets.here()) == 1)
        async with Frames.open(From(address)) as frames:
            assert await frames.post("hi") is None
            await self.is_refused(From(address))

    async def test_limit_of_connections_is_per_address(self, two, address: str) -> None:
        async with Frames.open(From("2001:db8:ffff::1")), Frames.open(From("")), Frames.open(From("")):
            await self.is_refused(From(address + "2"))  # of the same /64

    async def test_connections_have_no_limit_when_limits_are_off(self, two, few: Settings, address: str) -> None:
        few.CHAT_LIMITS = False
        async with Frames.open(From(address)) as frames:
            assert await frames.post("hi") is None
