"""The example app under fire: real servers and Valkey are killed while people add things to lists, and then it counts.

The clients do what docs/extending.md asks of clients: they come back with their position, and send what was not
acknowledged again, by the same id.
"""

import asyncio
import contextlib
import itertools
import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import IO, Any
from urllib.parse import quote

import aiohttp
from websockets import ClientConnection, WebSocketException, connect

from tests.chaos import faults
from tests.chaos.site import Site
from tests.servers import WEB

SETTLING = 60.0  # seconds that all may take to hear all, once nothing is done to anybody any more
RESEND_INTERVAL = 2.0  # seconds until an unacknowledged entry is sent again
AFTERWARDS = 1.0  # seconds in which more might come than should
OPTIONS: dict[str, Any] = {"open_timeout": 5, "close_timeout": 1, "ping_interval": 5, "ping_timeout": 5}  # seconds
FOLLOW = "subscription ($todos: [TodoPosition!]!) { todoEntries(todos: $todos) { kind offset id text } }"


@dataclass
class Client:
    """Somebody at one list, by the browsers' door. `heard` are the offsets and texts of its entries, in their order."""

    name: str
    hosts: list[str]
    random: Random
    todo: str = "groceries"
    unacknowledged: dict[str, str] = field(default_factory=dict)  # texts by client ids
    acknowledged: set[str] = field(default_factory=set)  # texts
    heard: list[tuple[int, str]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    position: tuple[int, str] | None = None  # an offset, and the id of the entry there
    socket: ClientConnection | None = None
    cookie: str = ""

    async def live(self) -> None:
        """Connects, again and again, until it is cancelled."""
        while True:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError, aiohttp.ClientError):
                await self.converse(self.random.choice(self.hosts))
            self.socket = None
            await asyncio.sleep(self.random.choice([0.1, 0.3, 1.0]))

    async def session(self, host: str) -> dict[str, str]:
        """The header that makes the client the same guest each time: a client's own ids are those of one person."""
        if not self.cookie:
            async with aiohttp.ClientSession() as session, session.get(f"http://{host}/chat/room1/") as page:
                page.raise_for_status()
                self.cookie = "; ".join(f"{one.key}={one.value}" for one in page.cookies.values())
        return {"Cookie": self.cookie}

    async def converse(self, host: str) -> None:
        after = f"?after={self.position[0]}&id={quote(self.position[1])}" if self.position else "?after=0"
        url, headers = f"ws://{host}/ws/todo/{self.todo}/{after}", await self.session(host)
        async with connect(url, origin=f"http://{host}", additional_headers=headers, **OPTIONS) as socket:
            self.socket = socket
            sending = asyncio.create_task(self.send_all(socket))
            try:
                async for frame in socket:
                    self.take(json.loads(frame))
            finally:
                sending.cancel()

    async def send_all(self, socket: ClientConnection) -> None:
        """Sends what isn't acknowledged yet, again and again."""
        with contextlib.suppress(OSError, WebSocketException):
            due: dict[str, float] = {}
            while True:
                for client_id, text in list(self.unacknowledged.items()):
                    if due.get(client_id, 0.0) <= time.monotonic():
                        due[client_id] = time.monotonic() + RESEND_INTERVAL
                        await socket.send(json.dumps({"add": text, "client_id": client_id}))
                await asyncio.sleep(0.05)

    def take(self, frame: dict[str, Any]) -> None:
        match frame:
            case {"added": int(), "client_id": str(client_id)}:
                if text := self.unacknowledged.pop(client_id, None):
                    self.acknowledged.add(text)
            case {"kind": "added", "offset": int(offset), "id": str(id), "text": str(text)}:
                self.heard.append((offset, text))
                self.position = offset, id
            case {"error": {"code": "unavailable"}}:
                pass  # it is sent again
            case _:
                self.complaints.append(f"{self.name} was sent {frame}")

    async def talk(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        for number in itertools.count():
            self.unacknowledged[f"{self.name}-{number}"] = f"{self.name} {number}"
            await asyncio.sleep(self.random.uniform(0.1, 0.5))
            if time.monotonic() > ends:
                return

    def cut(self) -> None:
        """Goes without a word, as a laptop does that is closed."""
        if self.socket:
            self.socket.transport.abort()


class Subscriber(Client):
    """Somebody who only listens, by GraphQL."""

    async def converse(self, host: str) -> None:
        after, id = self.position or (0, None)
        variables = {"todos": [{"name": self.todo, "after": after, "afterId": id}]}
        subscribe = {"type": "subscribe", "id": "1", "payload": {"query": FOLLOW, "variables": variables}}
        protocols: Any = ["graphql-transport-ws"]
        async with connect(
            f"ws://{host}/graphql", origin=f"http://{host}", subprotocols=protocols, **OPTIONS
        ) as socket:
            self.socket = socket
            await socket.send(json.dumps({"type": "connection_init"}))
            async for text in socket:
                match json.loads(text):
                    case {"type": "connection_ack"}:
                        await socket.send(json.dumps(subscribe))
                    case {"type": "next", "payload": {"data": {"todoEntries": entry}}}:
                        self.take(entry)
                    case {"type": "ping"}:
                        await socket.send(json.dumps({"type": "pong"}))
                    case {"type": "error", "payload": [{"extensions": {"code": "unavailable"}}]}:
                        return
                    case frame:
                        self.complaints.append(f"{self.name} was sent {frame}")


@dataclass
class Report:
    """The clients' knowledge beside what is stored: the texts of the list's entries, by their offsets from 1 on."""

    clients: list[Client]
    stored: list[str]

    @property
    def problems(self) -> list[str]:
        return [*self._of_the_log(), *(problem for client in self.clients for problem in self._of(client))]

    def _of_the_log(self) -> Iterator[str]:
        for text in {text for text in self.stored if self.stored.count(text) > 1}:
            yield f"stored twice: {text}"
        for text in {text for client in self.clients for text in client.acknowledged} - {*self.stored}:
            yield f"acknowledged and lost: {text}"

    def _of(self, client: Client) -> Iterator[str]:
        if client.heard != [*enumerate(self.stored, start=1)]:
            yield f"{client.name} heard {client.heard}, and not {self.stored}"
        if client.unacknowledged:
            yield f"{client.name} was never answered about {[*client.unacknowledged]}"
        yield from client.complaints


async def run(seconds: float, database_url: str, log: IO[bytes], read_stored: Any, *, seed: int = 1) -> Report:
    """The report of so many seconds under fire. `read_stored` reads the texts of the list's entries."""
    web = WEB.replace("mysite.asgi", "tests.example_app.asgi")
    async with (
        Site(database_url, log, web, settings="tests.example_app.settings") as site,
        asyncio.TaskGroup() as group,
    ):
        hosts = [server.host for server in site.servers]
        clients = [Client(f"client-{number}", hosts, Random(f"{seed} {number}")) for number in range(4)]
        clients += [Subscriber(f"subscriber-{number}", hosts, Random(f"{seed} {number} s")) for number in range(2)]
        living = [group.create_task(client.live()) for client in clients]
        planned = faults.plan(seed, seconds, faults.FAULTS)
        await asyncio.gather(
            *(client.talk(seconds) for client in clients[:4]),
            *(inflict(at, fault, site, clients, dice) for at, fault, dice in planned),
        )
        # Nobody adds anything after these, so nobody notices by the next entry what Redis didn't bring.
        await site.valkey.stop(signal.SIGKILL)
        for client in clients[:4]:
            client.unacknowledged[f"{client.name}-last"] = f"{client.name}'s last"
        stored = await settle(clients, read_stored)
        for task in living:
            task.cancel()
    return Report(clients, stored)


async def inflict(at: float, fault: Any, site: Site, clients: Any, dice: Random) -> None:
    await asyncio.sleep(at)
    await fault(site, clients, dice)


async def settle(clients: list[Client], read_stored: Any) -> list[str]:
    """Waits until everybody has heard everything, if that comes to pass. Returns what is stored then."""
    deadline = time.monotonic() + SETTLING
    while time.monotonic() < deadline:
        stored = await read_stored()
        if all(len(client.heard) >= len(stored) and not client.unacknowledged for client in clients):
            break
        await asyncio.sleep(0.2)
    await asyncio.sleep(AFTERWARDS)
    found: list[str] = await read_stored()
    return found
