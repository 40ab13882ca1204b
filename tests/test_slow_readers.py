"""Clients that don't read, beside many that do: a real server, real connections, and the server's memory."""

import asyncio
import base64
import contextlib
import json
import os
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import quote, urlencode

import aiohttp
import psutil
import pytest
import websockets

from tests.servers import DAPHNE, UVICORN, Server

ROOM = "slow"
TEXT = "🍓" * 4000  # 16 KB
MESSAGES = 300  # together much more than the system keeps of what a client doesn't read
READERS = 100
GROWTH = 60_000_000  # bytes; half a gigabyte is sent
SUBSCRIBE = 'subscription { roomMessages(rooms: [{roomName: "slow"}]) { offset message } }'


class Unread:
    """A client that never reads what it is sent, with a window as small as can be."""

    def __init__(self, host: str) -> None:
        name, _, port = host.partition(":")
        self.host = host
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect((name, int(port)))
        self.port = self.socket.getsockname()[1]

    def ask(self, path: str, *headers: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: {self.host}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", *headers]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.socket.recv(4096)  # the answer, so that it is known to be in

    def send(self, text: str, opcode: int = 1) -> None:
        data = text.encode()
        assert len(data) < 65536
        length = bytes([128 + len(data)]) if len(data) < 126 else struct.pack("!BH", 128 + 126, len(data))
        self.socket.sendall(bytes([128 + opcode]) + length + bytes(4) + data)

    def is_connected(self, server: Server) -> bool:
        """Whether the server still has this connection."""
        connections = psutil.Process(server.process.pid).net_connections()
        return any(one.raddr and one.raddr.port == self.port for one in connections)


def at_the_browsers_door(host: str) -> Unread:
    client = Unread(host)
    client.ask(f"/ws/chat/{ROOM}/")
    return client


def at_graphqls_door(host: str) -> Unread:
    client = Unread(host)
    client.ask("/graphql", "Sec-WebSocket-Protocol: graphql-transport-ws")
    client.send('{"type": "connection_init"}')
    client.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": SUBSCRIBE}}))
    return client


def at_graphqls_door_for_events(host: str, query: str = SUBSCRIBE) -> Unread:
    client = Unread(host)
    lines = [f"GET /graphql?{urlencode({'query': query})} HTTP/1.1", f"Host: {host}", "Accept: text/event-stream"]
    client.socket.sendall("\r\n".join([*lines, "", ""]).encode())
    heard = b""
    while b"id: " not in heard:
        heard += client.socket.recv(4096)
    return client


@asynccontextmanager
async def readers(host: str, count: int) -> AsyncIterator[list[asyncio.Task[int]]]:
    """Tasks that read until they have all that is said, and return how much that was."""

    async def read(connection: websockets.ClientConnection) -> int:
        heard = 0
        while heard < MESSAGES:
            frame = await connection.recv()
            assert f'"offset":{heard + 1},' in str(frame)
            heard += 1
        return heard

    async with AsyncExitStack() as stack:
        tasks = []
        for _ in range(count):
            connection = await stack.enter_async_context(
                websockets.connect(f"ws://{host}/ws/chat/{quote(ROOM)}/", compression=None, max_queue=None)
            )
            tasks.append(asyncio.create_task(read(connection)))
        yield tasks


def memory_of(server: Server) -> int:
    return psutil.Process(server.process.pid).memory_info().rss


async def test_clients_that_never_read_are_dropped_while_a_hundred_readers_hear_everything(start_servers) -> None:
    (server,) = start_servers(1, CHAT_BACKLOG_BYTES="200000")
    slow = [door(server.host) for door in (at_the_browsers_door, at_graphqls_door, at_graphqls_door_for_events)]
    async with readers(server.host, READERS) as reading, asyncio.timeout(180):
        before = most = memory_of(server)
        async with websockets.connect(f"ws://{server.host}/ws/chat/{ROOM}/", compression=None) as poster:
            for number in range(MESSAGES):
                await poster.send(json.dumps({"message": TEXT, "client_id": str(number)}, ensure_ascii=False))
                await poster.recv()
                most = max(most, memory_of(server))
        assert await asyncio.gather(*reading) == [MESSAGES] * READERS
        while any(client.is_connected(server) for client in slow):
            await asyncio.sleep(0.2)
    assert most - before < GROWTH
    assert server.process.poll() is None
    for client in slow:
        client.socket.close()


async def test_client_that_never_reads_is_dropped_under_daphne(start_servers) -> None:
    (server,) = start_servers(1, DAPHNE)
    client = at_the_browsers_door(server.host)
    before = most = memory_of(server)
    url = f"ws://{server.host}/ws/chat/{ROOM}/"
    async with asyncio.timeout(120), websockets.connect(url, compression=None, max_queue=None) as poster:
        for _ in range(6000):  # 96 MB
            await poster.send(json.dumps({"message": TEXT}, ensure_ascii=False))
            await poster.recv()
            most = max(most, memory_of(server))
        while client.is_connected(server):
            await asyncio.sleep(0.2)
    assert most - before < 64_000_000  # without an end to what waits it is twice that
    client.socket.close()


async def test_client_that_pings_without_reading_costs_no_memory(start_servers) -> None:
    (server,) = start_servers(1)
    client = at_the_browsers_door(server.host)
    before, deadline = memory_of(server), time.monotonic() + 60
    client.socket.settimeout(60)
    for _ in range(3000):
        client.socket.sendall((bytes([128 + 9, 128 + 125]) + bytes(4) + b"x" * 125) * 100)  # 13 KB, of 39 MB
        assert time.monotonic() < deadline
    async with websockets.connect(f"ws://{server.host}/ws/chat/{ROOM}/") as other:
        await other.send(json.dumps({"message": "still here"}))
        assert json.loads(await asyncio.wait_for(other.recv(), 10))["message"] == "still here"
    assert memory_of(server) - before < 10_000_000
    client.socket.close()


async def test_slow_client_that_was_cut_off_recovers_all_it_missed(start_servers) -> None:
    (server,) = start_servers(1, CHAT_BACKLOG_BYTES="200000")
    url = f"ws://{server.host}/ws/chat/{ROOM}/"
    # One that takes what it is sent only when it is asked to read, and not much in advance.
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    narrow.connect(("127.0.0.1", server.port))
    slow = await websockets.connect(url, compression=None, max_queue=1, sock=narrow)
    async with asyncio.timeout(120), websockets.connect(url, compression=None) as poster:
        said = 0
        while "chat_slow_listeners_total 1.0" not in await metrics_of(server):
            await poster.send(json.dumps({"message": TEXT}, ensure_ascii=False))
            said = json.loads(await poster.recv())["offset"]
        frames = [json.loads(frame) async for frame in all_of(slow)]
        assert (slow.close_code, slow.close_reason) == (4008, "slow_listener")
        assert frames[-1]["error"]["code"] == "slow_listener"
        position = frames[-2]["offset"]
        assert [frame["offset"] for frame in frames[:-1]] == [*range(1, position + 1)]
        assert position < said
        async with websockets.connect(f"{url}?after={position}", compression=None) as back:
            heard = [json.loads(await back.recv())["offset"] for _ in range(said - position)]
        assert heard == [*range(position + 1, said + 1)]


async def metrics_of(server: Server) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"http://{server.host}/metrics") as answer:
        return await answer.text()


async def all_of(client: websockets.ClientConnection) -> AsyncIterator[websockets.Data]:
    """All messages sent to `client` until the connection ends in any way."""
    try:
        while True:
            yield await client.recv()
    except websockets.ConnectionClosed:
        pass


@pytest.mark.parametrize("path", ["/ws/chat/slow/", "/graphql"])
@pytest.mark.parametrize("pieces", [1, 10])
@pytest.mark.parametrize("program", [UVICORN, DAPHNE], ids=["uvicorn", "daphne"])
async def test_frame_beyond_the_servers_limit_ends_the_connection(
    start_servers, path: str, pieces: int, program: str
) -> None:
    (server,) = start_servers(1, program)
    protocol = [websockets.Subprotocol("graphql-transport-ws")] if path == "/graphql" else None
    url = f"ws://{server.host}{path}"
    async with asyncio.timeout(20), websockets.connect(url, compression=None, subprotocols=protocol) as client:
        with contextlib.suppress(websockets.ConnectionClosed):
            await client.send(["x" * (300_000 // pieces)] * pieces)
        assert [frame async for frame in all_of(client)] == []
        # The server doesn't read the rest, so its last word may be lost on the way.
        assert client.close_code in {1006, 1009}
