"""SIGTERM: clients get close 1012 and the answers to stored posts, and the server ends within five seconds."""

import asyncio
import contextlib
import json
import signal
import socket as sockets
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from websockets import ClientConnection, ConnectionClosed, Subprotocol, connect

from chat.connections.shutdown import GRACE_SOCKETS
from chat.models import Message
from tests.servers import DAPHNE, ROOT, UVICORN, Server, environment

PROGRAMS = {"uvicorn": UVICORN, "daphne": DAPHNE, "uvicorn with workers": f"{UVICORN} --workers 2"}
LISTEN = 'subscription { roomMessages(rooms: [{ roomName: "room1", after: 0 }]) { message } }'
POST = """mutation ($id: String!) {
    postMessage(input: { roomName: "room1", message: "hi", clientId: $id }) { message { clientId } error { code } }
}"""
LIMIT = 5.0  # seconds

every_server = pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())


@pytest.fixture
def start_server(
    start_servers: Callable[..., list[Server]], capfd: pytest.CaptureFixture[str]
) -> Callable[..., Server]:
    """Starts a server that is expected to stop without errors in its log."""

    def start(program: str, **variables: str) -> Server:
        (server,) = start_servers(1, program, **variables)
        return server

    return start


class Client:
    """A connection and the frames that it has received."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[Any] = []
        self.closing: tuple[int, str] | None = None
        self.hearing = asyncio.create_task(self.hear())

    async def hear(self) -> None:
        try:
            while True:
                self.frames.append(json.loads(await self.socket.recv()))
        except ConnectionClosed as closed:
            self.closing = closed.rcvd and (closed.rcvd.code, closed.rcvd.reason)

    async def send(self, **frame: Any) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self.socket.send(json.dumps(frame))

    async def post(self, client_id: str) -> None:
        raise NotImplementedError

    @property
    def acknowledged(self) -> set[str]:
        raise NotImplementedError


class Browser(Client):
    async def post(self, client_id: str) -> None:
        await self.send(message="hi", client_id=client_id)

    @property
    def acknowledged(self) -> set[str]:
        return {frame["client_id"] for frame in self.frames if frame["kind"] == "message"}


class GraphQL(Client):
    async def post(self, client_id: str) -> None:
        payload = {"query": POST, "variables": {"id": client_id}}
        await self.send(type=self.start, id=client_id, payload=payload)

    @property
    def start(self) -> str:
        return "start" if self.socket.subprotocol == "graphql-ws" else "subscribe"

    @property
    def acknowledged(self) -> set[str]:
        found = [str(frame) for frame in self.frames if "postMessage" in str(frame)]
        return {frame["id"] for frame in self.frames if str(frame) in found}


@contextlib.asynccontextmanager
async def connected(server: Server, *, listening: bool = True) -> AsyncIterator[list[Client]]:
    """A client at each door."""
    browser = Browser(await connect(f"ws://{server.host}/ws/chat/room1/"))
    clients: list[Client] = [browser]
    for protocol in ("graphql-transport-ws", "graphql-ws"):
        socket = await connect(f"ws://{server.host}/graphql", subprotocols=[Subprotocol(protocol)])
        client = GraphQL(socket)
        clients.append(client)
        await client.send(type="connection_init")
        await client.send(type=client.start, id="listen", payload={"query": LISTEN})
    await wait_until(lambda: all(client.frames for client in clients[1:]))
    await browser.post("first")
    await wait_until(lambda: all("hi" in str(client.frames) for client in clients))
    yield clients
    for client in clients:
        client.hearing.cancel()
        await client.socket.close()


async def wait_until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.02)


async def gone(server: Server) -> float:
    """Waits for the end of the process; how many seconds that took."""
    began = time.monotonic()
    await asyncio.to_thread(server.process.wait, 15)
    return time.monotonic() - began


async def are_told_to_come_back(clients: list[Client]) -> None:
    await asyncio.wait([client.hearing for client in clients], timeout=5)
    assert [client.closing for client in clients] == [(1012, "restarting")] * 3


def assert_quiet(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    """The server ended by the signal, and its log has no errors."""
    assert server.process.returncode in {0, -signal.SIGTERM, -signal.SIGINT}
    output = "".join(capfd.readouterr())
    for word in ("Traceback", "ERROR", "CRITICAL", "Exception", "was destroyed", "never"):
        assert word not in output, output


@every_server
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_stopping_server_closes_all_sockets_with_1012(
    start_server: Callable[..., Server], capfd: pytest.CaptureFixture[str], program: str, number: signal.Signals
) -> None:
    server = start_server(program)
    async with connected(server) as clients:
        server.process.send_signal(number)
        seconds = await gone(server)
        await are_told_to_come_back(clients)
    assert seconds < LIMIT
    assert_quiet(server, capfd)


@every_server
async def test_ctrl_c_to_all_processes_stops_without_drain_and_without_errors(
    start_server: Callable[..., Server], capfd: pytest.CaptureFixture[str], program: str
) -> None:
    server = start_server(program, CHAT_DRAIN_SECONDS="60")
    async with connected(server) as clients:
        for process in [*psutil.Process(server.process.pid).children(recursive=True), server.process]:
            process.send_signal(signal.SIGINT)
        seconds = await gone(server)
        await are_told_to_come_back(clients)
    assert seconds < LIMIT
    assert_quiet(server, capfd)


@every_server
async def test_stopping_server_answers_exactly_the_posts_it_stored(
    start_server: Callable[..., Server], capfd: pytest.CaptureFixture[str], program: str
) -> None:
    server = start_server(program)
    async with connected(server) as clients, aiohttp.ClientSession() as session:

        async def keep_posting(client: Client, name: str) -> None:
            for number in range(1000):
                await client.post(f"{name}-{number}")
                if client.closing:
                    break

        async def keep_posting_over_http() -> set[str]:
            answered = set()
            for number in range(1000):
                body = {"query": POST, "variables": {"id": f"http-{number}"}}
                try:
                    async with session.post(f"http://{server.host}/graphql", json=body) as response:
                        if response.status == 503:
                            return answered
                        answer = (await response.json())["data"]["postMessage"]
                except aiohttp.ClientError:
                    return answered
                answered.add(answer["message"]["clientId"])
            return answered

        posting = [asyncio.create_task(keep_posting(client, f"{n}")) for n, client in enumerate(clients)]
        over_http = asyncio.create_task(keep_posting_over_http())
        await wait_until(lambda: all(len(client.acknowledged) > 3 for client in clients))
        server.process.send_signal(signal.SIGTERM)
        seconds = await gone(server)
        await asyncio.wait([*posting, *(client.hearing for client in clients), over_http], timeout=10)
        stored = {client_id async for client_id in Message.objects.values_list("client_id", flat=True)}
        # The browser hears the messages of all doors, so it has the others' acknowledgements as well.
        answered = set.union(over_http.result(), *(client.acknowledged for client in clients))
        assert answered <= stored
        if seconds < GRACE_SOCKETS:  # else the machine was too busy to answer all in the time of grace
            assert answered == stored
            for name, client in enumerate(clients):
                own = {client_id for client_id in stored if client_id.startswith(f"{name}-")}
                assert own <= client.acknowledged
            assert {client_id for client_id in stored if client_id.startswith("http-")} == over_http.result()
    assert seconds < LIMIT
    assert_quiet(server, capfd)


@every_server
async def test_draining_server_is_not_ready_and_still_serves_its_sockets(
    start_server: Callable[..., Server], capfd: pytest.CaptureFixture[str], program: str
) -> None:
    server = start_server(program, CHAT_DRAIN_SECONDS="2")
    async with connected(server) as clients:
        server.process.send_signal(signal.SIGTERM)
        await wait_until(lambda: readiness(server) == (503, True))
        await clients[0].post("while it drains")
        await wait_until(lambda: "while it drains" in clients[0].acknowledged)
        assert not any(client.closing for client in clients)
        assert 1 < await gone(server) < 2 + LIMIT
        await asyncio.wait([client.hearing for client in clients], timeout=5)
        assert {client.closing[0] for client in clients if client.closing} == {1012}
    assert_quiet(server, capfd)


def readiness(server: Server) -> tuple[int, bool]:
    try:
        with urllib.request.urlopen(f"http://{server.host}/readyz", timeout=5) as answer:
            return answer.status, json.load(answer)["stopping"]
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["stopping"]


@every_server
async def test_server_stops_in_time_despite_a_client_that_does_not_read(
    start_server: Callable[..., Server], capfd: pytest.CaptureFixture[str], program: str
) -> None:
    server = start_server(program, CHAT_MESSAGE_MAX="50000")
    asleep = sockets.create_connection(("127.0.0.1", server.port))
    asleep.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    lines = ["GET /ws/chat/room1/ HTTP/1.1", f"Host: {server.host}", "Upgrade: websocket", "Connection: Upgrade"]
    lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "", ""]
    asleep.sendall("\r\n".join(lines).encode())
    async with connected(server) as clients:
        for number in range(200):
            await clients[0].send(message="x" * 40_000, client_id=f"long-{number}")
        await wait_until(lambda: "long-199" in clients[0].acknowledged)
        server.process.send_signal(signal.SIGTERM)
        seconds = await gone(server)
        await asyncio.wait([client.hearing for client in clients], timeout=5)
        assert {client.closing[0] for client in clients if client.closing} == {1012}
    asleep.close()
    assert seconds < LIMIT
    if program is DAPHNE:
        assert_quiet(server, capfd)


@every_server
async def test_server_stops_in_time_despite_a_hanging_database(
    start_server: Callable[..., Server], program: str, tmp_path: Path
) -> None:
    path = tmp_path / "db.sqlite3"
    variables = {"DATABASE_URL": f"sqlite:///{path}"}
    command = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"]
    await asyncio.to_thread(subprocess.run, command, cwd=ROOT, env=environment(**variables), check=True)
    server = start_server(program, **variables)
    async with connected(server) as clients:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")  # nobody else can write now
            await clients[0].post("never stored")
            await asyncio.sleep(0.5)  # by then it hangs; nothing tells when
            server.process.send_signal(signal.SIGTERM)
            seconds = await gone(server)
            await asyncio.wait([client.hearing for client in clients], timeout=5)
            assert [client.closing for client in clients] == [(1012, "restarting")] * 3
            assert "never stored" not in clients[0].acknowledged
    assert seconds < LIMIT
