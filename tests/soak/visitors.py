"""People who come for a moment. Each visit is one of VISITS, and ends in good order or without a word."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp
from websockets import ClientConnection, Subprotocol, connect

from tests.chaos.graphql_clients import LISTEN, POST
from tests.chaos.ledger import Heard

JOIN = """subscription Join($rooms: [ChatRoom!]!, $user: String!) {
    joinChatRooms(rooms: $rooms, user: $user) { roomName message currentUser }
}"""
KINDS = {"graphql-transport-ws": ("subscribe", "complete", "next"), "graphql-ws": ("start", "stop", "data")}
VISIT_TIMEOUT = 60.0  # seconds for one visit, on a busy machine
TIMEOUT = aiohttp.ClientTimeout(total=VISIT_TIMEOUT)
OPTIONS: dict[str, Any] = {"open_timeout": VISIT_TIMEOUT, "close_timeout": VISIT_TIMEOUT, "ping_interval": None}


@dataclass
class Visitors:
    """All visitors: their rooms, the messages acknowledged to them, and the number of visits of each kind."""

    hosts: list[str]
    rooms: list[str]  # where the residents are
    random: Random
    acknowledged: dict[str, set[Heard]] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)
    numbers: itertools.count = field(default_factory=itertools.count)

    async def come(self, rate: float) -> None:
        """One after the other, each in a task of its own: `rate` a second on average. Until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(self.random.expovariate(rate))
                group.create_task(self.visit(self.random.choice(VISITS)))

    async def visit(self, visit: "Visit") -> None:
        room = self.random.choice(self.rooms)
        async with asyncio.timeout(VISIT_TIMEOUT):
            await visit(self, self.random.choice(self.hosts), room)
        self.made[visit.__name__] = self.made.get(visit.__name__, 0) + 1

    def client_id(self) -> str:
        return f"visitor-{next(self.numbers)}"

    def acknowledge(self, room: str, offset: int, client_id: str) -> None:
        self.acknowledged.setdefault(room, set()).add((offset, client_id))


Visit = Callable[[Visitors, str, str], Awaitable[None]]


async def talk(visitors: Visitors, host: str, room: str) -> None:
    """Opens a room's page, which makes a session; says something, hears it, and leaves."""
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session, session.get(f"http://{host}/chat/{room}/") as page:
        cookie = "; ".join(f"{one.key}={one.value}" for one in page.cookies.values())
    async with connect(f"ws://{host}/ws/chat/{room}/", additional_headers={"Cookie": cookie}, **OPTIONS) as socket:
        client_id = visitors.client_id()
        await socket.send(json.dumps({"message": client_id, "client_id": client_id}))
        async for text in socket:
            if (frame := json.loads(text))["client_id"] == client_id:
                visitors.acknowledge(room, frame["offset"], client_id)
                return


async def say_and_vanish(visitors: Visitors, host: str, room: str) -> None:
    """Says something, and is gone before there is an answer."""
    socket = await connect(f"ws://{host}/ws/chat/{room}/?after=0", **OPTIONS)
    client_id = visitors.client_id()
    await socket.send(json.dumps({"message": client_id, "client_id": client_id}))
    await vanish(socket)


async def join_and_leave(visitors: Visitors, host: str, room: str) -> None:
    """Joins rooms where nobody else is, ends that, joins others, and leaves, in either subprotocol."""
    protocol = visitors.random.choice(list(KINDS))
    start, end, result = KINDS[protocol]
    async with graphql(host, protocol) as socket:
        for id in "ab":
            rooms = [f"lobby-{visitors.random.randrange(50)}" for _ in range(3)]
            variables = {"rooms": [{"roomName": one} for one in rooms], "user": "visitor"}
            await socket.send(json.dumps({"type": start, "id": id, "payload": {"query": JOIN, "variables": variables}}))
            while json.loads(await socket.recv())["type"] != result:
                pass
            if id == "a":
                await socket.send(json.dumps({"type": end, "id": id}))


async def listen_and_vanish(visitors: Visitors, host: str, room: str) -> None:
    """Listens to a room from the beginning and is gone while all of it comes."""
    protocol = visitors.random.choice(list(KINDS))
    start, _, result = KINDS[protocol]
    async with graphql(host, protocol) as socket:
        variables = {"rooms": [{"roomName": room, "after": 0}, {"roomName": "lobby-0"}]}
        await socket.send(json.dumps({"type": start, "id": "a", "payload": {"query": LISTEN, "variables": variables}}))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(visitors.random.uniform(0, 0.5)):
                async for _text in socket:
                    pass
        await vanish(socket)


async def post_over_http(visitors: Visitors, host: str, room: str) -> None:
    client_id = visitors.client_id()
    variables = {"input": {"roomName": room, "message": client_id, "clientId": client_id}}
    async with (
        aiohttp.ClientSession(timeout=TIMEOUT) as session,
        session.post(f"http://{host}/graphql", json={"query": POST, "variables": variables}) as response,
    ):
        answer = (await response.json())["data"]["postMessage"]
    visitors.acknowledge(room, answer["message"]["offset"], client_id)


async def knock_and_vanish(visitors: Visitors, host: str, room: str) -> None:
    """Begins to open a WebSocket and goes away half-way through the handshake."""
    address, _, port = host.rpartition(":")
    _, writer = await asyncio.open_connection(address, int(port))
    writer.write(f"GET /ws/chat/{room}/ HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n".encode())
    await writer.drain()
    writer.close()


VISITS: list[Visit] = [talk, say_and_vanish, join_and_leave, listen_and_vanish, post_over_http, knock_and_vanish]


@contextlib.asynccontextmanager
async def graphql(host: str, protocol: str) -> Any:
    async with connect(f"ws://{host}/graphql", subprotocols=[Subprotocol(protocol)], **OPTIONS) as socket:
        await socket.send('{"type": "connection_init"}')
        yield socket


async def vanish(socket: ClientConnection) -> None:
    socket.transport.abort()
    await socket.wait_closed()
