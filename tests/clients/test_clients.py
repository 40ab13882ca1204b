"""Client libraries on a server that is stopped and killed, while messages are posted through another server."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from typing import Any

import aiohttp
import pytest

from tests import node
from tests.chaos.site import WEB, Server
from tests.servers import ROOT, environment

RECONNECT_TIMEOUT = 60.0  # seconds: some clients wait longer after each attempt to connect
SAY = 'mutation Say($message: String!) { sendChatMessage(message: $message, room: { roomName: "room1" }) }'
ON_NODE = ["graphql-ws", "subscriptions-transport-ws", "apollo", "urql", "graphql-sse"]
ON_PYTHON = ["websockets", "aiohttp"]


class Client:
    """A client's process, and what it has told so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.heard: list[list[Any]] = []
        self.joined: list[dict[str, str]] = []
        self.posted: list[int] = []

    def post(self, message: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{message}\n".encode())

    async def until(self, condition: Any) -> None:
        """Takes what it tells until `condition()` holds."""
        assert self.process.stdout
        async with asyncio.timeout(RECONNECT_TIMEOUT):
            while not condition():
                line = await self.process.stdout.readline()
                assert line, "it has ended"
                ((kind, what),) = json.loads(line).items()
                if isinstance(what, dict):
                    what.pop("__typename", None)  # Apollo asks for it on its own account
                getattr(self, kind).append(what)


@asynccontextmanager
async def started(name: str, host: str) -> AsyncIterator[Client]:
    url = f"ws://{host}/graphql"
    if name in ON_NODE:
        command = ["node", str(node.installed() / f"{name}.mjs"), url]
    else:
        command = [sys.executable, "-m", "tests.clients.python_gql", name, url]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe)
    try:
        yield Client(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def two_servers(log: Path) -> AsyncIterator[tuple[Server, Server]]:
    async with AsyncExitStack() as stack:
        file = stack.enter_context(log.open("wb"))
        servers = [
            Server(number, WEB, environment(PATH=f"{Path(sys.executable).parent}:/usr/bin:/bin"), file)
            for number in (1, 2)
        ]
        for server in servers:
            stack.callback(server.end)
        await asyncio.gather(*(server.start() for server in servers))
        yield servers[0], servers[1]


async def say(host: str, message: str) -> None:
    body = {"query": SAY, "variables": {"message": message}}
    async with aiohttp.ClientSession() as session, session.post(f"http://{host}/graphql", json=body) as answer:
        assert "errors" not in await answer.json()


async def restart(server: Server, number: Signals, other: Server, *messages: str) -> None:
    """Ends a server and starts it again; meanwhile something is said through the other one."""
    await server.stop(number)
    for message in messages:
        await say(other.host, message)
    await server.start()


@pytest.mark.parametrize("name", [*ON_NODE, *ON_PYTHON])
async def test_client_library_recovers_all_that_it_missed_once_after_restarts(name: str, tmp_path: Path) -> None:
    async with two_servers(tmp_path / "log") as (server, other), started(name, server.host) as client:
        greeting = {"message": "Hello my name is foo!", "currentUser": "foo"}
        await client.until(lambda: len(client.joined) == 2)
        assert client.joined == [{"roomName": room, **greeting} for room in ("room1", "room2")]
        client.post("one")
        await client.until(lambda: client.posted and client.heard and len(client.joined) == 3)
        assert client.joined[2] == {"roomName": "room1", "message": "one", "currentUser": "foo"}
        await restart(server, SIGTERM, other, "two", "three")
        await client.until(lambda: len(client.heard) == 3)
        await restart(server, SIGKILL, other, "four")
        client.post("five")
        await client.until(lambda: len(client.heard) == 5 and len(client.posted) == 2)
        await say(other.host, "six")
        await client.until(lambda: len(client.heard) == 6)
        assert client.heard == [[number, text] for number, text in enumerate("one two three four five six".split(), 1)]
        assert client.posted == [1, 5]
