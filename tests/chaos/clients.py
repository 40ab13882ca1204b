"""Clients of both kinds. They do what a good client does: come back with their position, send until acknowledged."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from datetime import datetime
from random import Random
from typing import Any, ClassVar
from urllib.parse import quote

import aiohttp
from websockets import ClientConnection, Subprotocol, WebSocketException, connect

from tests.chaos.ledger import Ledger

AWAY = (OSError, WebSocketException, aiohttp.ClientError)
RESEND_INTERVAL = 3.0  # seconds until an unacknowledged message is sent again
TICK = 0.05  # seconds from one look for something to send to the next
TIMEOUT = aiohttp.ClientTimeout(total=RESEND_INTERVAL)
OPTIONS: dict[str, Any] = {"open_timeout": 5, "close_timeout": 1, "ping_interval": 5, "ping_timeout": 5}  # seconds
PROTOCOL = Subprotocol("graphql-transport-ws")

LISTEN = """subscription ($rooms: [RoomPosition!]!) {
    roomMessages(rooms: $rooms) { roomName offset id clientId kind sentAt }
}"""
POST = """mutation ($input: PostMessageInput!) {
    postMessage(input: $input) { message { offset clientId } error { code message } }
}"""


class Client:
    """A client that listens to `rooms` on one of `hosts` at a time, and posts there now and then."""

    kind: ClassVar[str]

    def __init__(self, name: str, rooms: list[str], hosts: list[str], seed: int) -> None:
        self.name = name
        self.hosts = hosts
        self.random = Random(f"{seed} {name}")
        self.ledger = Ledger(rooms)
        self.unacknowledged: dict[str, str] = {}  # room by client id, in the order in which they were said
        self.socket: ClientConnection | None = None
        self.connecting_at = 0.0  # when the connection was begun, as time.time() counts
        self._numbers = itertools.count(1)
        self._due: dict[str, float] = {}  # when to send again, on the monotonic clock, by client id

    async def talk(self, seconds: float, rate: float = 2.0) -> None:
        """Says about so many things a second."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.say_something()
            await asyncio.sleep(self.random.uniform(0.2, 1.8) / rate)

    def say_something(self) -> None:
        """Queues a message for sending; from now on it has to be acknowledged some time."""
        self.unacknowledged[f"{self.name}-{next(self._numbers)}"] = self.random.choice(self.ledger.rooms)

    async def live(self) -> None:
        """Connects, again and again, until it is cancelled."""
        while True:
            self.connecting_at = time.time()
            try:
                await self.converse(self.random.choice(self.hosts))
            except* AWAY:
                pass  # it comes back as if nothing had been
            if self.socket:
                self.ledger.closings[self.socket.close_code] += 1
            self.socket = None
            await asyncio.sleep(self.random.choice([0.1, 0.3, 1.0, 3.0]))

    async def converse(self, host: str) -> None:
        """Sends and hears until the connection ends, by an exception of AWAY."""
        raise NotImplementedError

    def cut(self) -> None:
        """Goes without a word, as a laptop does that is closed."""
        if self.socket:
            self.socket.transport.abort()

    async def to_send(self) -> AsyncIterator[str]:
        """The client ids of what is to be sent now: new, or not acknowledged for too long. Without end."""
        while True:
            now = time.monotonic()
            for client_id in [id for id in self.unacknowledged if self._due.get(id, 0) <= now]:
                self._due[client_id] = now + RESEND_INTERVAL
                self.ledger.send(client_id)
                yield client_id
            await asyncio.sleep(TICK)

    def send_soon(self, client_id: str) -> None:
        self._due[client_id] = time.monotonic() + 0.3

    def acknowledge(self, client_id: str, offset: int) -> None:
        self.ledger.acknowledge(client_id, offset)
        self.unacknowledged.pop(client_id, None)

    def hear(self, room: str, offset: int, client_id: str, sent_at: str, id: str = "") -> None:
        sent = datetime.fromisoformat(sent_at).timestamp()
        self.ledger.hear(room, offset, client_id, sent_at=sent, connected_at=self.connecting_at, id=id)

    def complain(self, about: object) -> None:
        self.ledger.complaints.append(f"{self.name} was sent {about}")


class Browser(Client):
    """A guest with a session, in one room."""

    kind = "browser"
    cookie = ""

    async def converse(self, host: str) -> None:
        (room,) = self.ledger.rooms
        path = f"/chat/{quote(room, safe='')}/"
        if not self.cookie:
            async with aiohttp.ClientSession() as session, session.get(f"http://{host}{path}", timeout=TIMEOUT) as page:
                page.raise_for_status()
                self.cookie = "; ".join(f"{one.key}={one.value}" for one in page.cookies.values())
        position = f"after={self.ledger.positions[room]}&id={quote(self.ledger.ids.get(room, ''))}"
        async with connect(
            f"ws://{host}/ws{path}?{position}",
            additional_headers={"Cookie": self.cookie, "Origin": f"http://{host}"},
            **OPTIONS,
        ) as self.socket:
            self.ledger.connections += 1
            async with asyncio.TaskGroup() as group:
                group.create_task(self.send_all(self.socket))
                async for text in self.socket:
                    self.take(room, json.loads(text))
                raise ConnectionResetError  # it was closed in good order

    async def send_all(self, socket: ClientConnection) -> None:
        self._due.clear()  # what was on its way may be lost
        async for client_id in self.to_send():
            await socket.send(json.dumps({"message": client_id, "client_id": client_id}))

    def take(self, room: str, frame: dict[str, Any]) -> None:
        match frame:
            case {"kind": "message", "offset": int(offset), "client_id": str(client_id), "sent_at": str(sent_at)}:
                if client_id in self.ledger.sent:
                    self.acknowledge(client_id, offset)
                    if self.ledger.is_answer(room, offset, client_id):
                        return
                self.hear(room, offset, client_id, sent_at, frame.get("id") or "")
            case {"kind": "start_over", "offset": int(offset)}:
                self.ledger.start_over(room, offset, frame.get("id") or "")
            case {"error": {"code": "unavailable"}, "client_id": str(client_id)}:
                self.send_soon(client_id)
            case {"error": {"code": "unavailable"}}:
                pass  # the connection is closed with 1013 next
            case _:
                self.complain(frame)


class GraphQLClient(Client):
    """Somebody without a session, in several rooms."""

    kind = "GraphQL"

    async def converse(self, host: str) -> None:
        async with connect(f"ws://{host}/graphql", subprotocols=[PROTOCOL], **OPTIONS) as self.socket:
            await self.send(type="connection_init")
            rooms = [
                {"roomName": room, "after": after, "afterId": self.ledger.ids.get(room)}
                for room, after in self.ledger.positions.items()
            ]
            await self.send(type="subscribe", id="listen", payload={"query": LISTEN, "variables": {"rooms": rooms}})
            self.ledger.connections += 1
            async with asyncio.TaskGroup() as group:
                group.create_task(self.send_all())
                async for text in self.socket:
                    await self.take(json.loads(text))
                raise ConnectionResetError  # it was closed in good order

    async def send(self, **frame: object) -> None:
        if self.socket:
            await self.socket.send(json.dumps(frame))

    async def send_all(self) -> None:
        self._due.clear()  # what was on its way may be lost
        number, operations = itertools.count(), dict[str, str]()  # the last one for each message
        async for client_id in self.to_send():
            if before := operations.get(client_id):
                await self.send(type="complete", id=before)  # not waited for any more
            operations[client_id] = id = f"{client_id} {next(number)}"
            await self.send(type="subscribe", id=id, payload=self.request(client_id))

    def request(self, client_id: str) -> dict[str, Any]:
        said = {"roomName": self.unacknowledged[client_id], "message": client_id, "clientId": client_id}
        return {"query": POST, "variables": {"input": said}}

    async def take(self, frame: dict[str, Any]) -> None:
        match frame:
            case {"type": "next", "id": "listen", "payload": {"data": {"roomMessages": message}}}:
                self.listen(message)
            case {"type": "next", "id": str(id), "payload": {"data": {"postMessage": answer}}}:
                self.take_answer(id.split()[0], answer)
            case {"type": "error", "id": str(id), "payload": [{"extensions": {"code": "too_many_subscriptions"}}]}:
                self.send_soon(id.split()[0])  # it has so many to answer already
            case {"type": "ping"}:
                await self.send(type="pong")
            case {"type": "next" | "error" | "complete", "id": "listen"}:
                if "unavailable" not in str(frame) and frame["type"] != "complete":
                    self.complain(frame)
                raise ConnectionResetError  # a subscription that ended is begun again like a lost connection
            case {"type": "connection_ack" | "complete"}:
                pass
            case _:
                self.complain(frame)

    def listen(self, message: dict[str, Any]) -> None:
        match message:
            case {"kind": "MESSAGE", "roomName": room, "offset": int(offset), "clientId": str(client_id)}:
                self.hear(room, offset, client_id, message["sentAt"], message["id"])
            case {"kind": "START_OVER", "roomName": room, "offset": int(offset)}:
                self.ledger.start_over(room, offset, message["id"] or "")
            case _:
                self.complain(message)

    def take_answer(self, client_id: str, answer: dict[str, Any]) -> None:
        match answer:
            case {"message": {"offset": int(offset), "clientId": str(same)}, "error": None} if same == client_id:
                self.acknowledge(client_id, offset)
            case {"error": {"code": "unavailable"}}:
                self.send_soon(client_id)
            case _:
                self.complain(answer)


class HTTPPoster(GraphQLClient):
    """The same, but says what it says over HTTP, whether or not it is listening at the time."""

    kind = "GraphQL, posting over HTTP"

    async def live(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(super().live())
            group.create_task(self.post_all())

    async def send_all(self) -> None:
        """Nothing goes over the socket."""

    async def post_all(self) -> None:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
            async for client_id in self.to_send():
                url = f"http://{self.random.choice(self.hosts)}/graphql"
                try:
                    async with session.post(url, json=self.request(client_id)) as response:
                        answer = await response.json()
                except AWAY:
                    self.send_soon(client_id)
                else:
                    self.take_answer(client_id, answer["data"]["postMessage"])
