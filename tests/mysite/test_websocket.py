"""uvicorn's WebSocket of this site: ready-made frames between what the application sends, over a real connection."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import websockets
from uvicorn.config import Config
from uvicorn.server import ServerState

from chat.delivery.text_frames import text_frame
from mysite.websocket import WebSocket
from tests.servers import UVICORN

Application = Callable[[Any, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


@asynccontextmanager
async def served(application: Application, *, compressed: bool = False) -> AsyncIterator[str]:
    """The address of `application`, behind a WebSocket of this site."""
    config = Config(application, ws_per_message_deflate=compressed, log_config=None)
    config.load()
    server = await asyncio.get_running_loop().create_server(
        lambda: WebSocket(config, ServerState(), {}), "127.0.0.1", 0
    )
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def test_write_frame_keeps_order_with_send_and_works_only_between_accept_and_close() -> None:
    written: list[bool] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        def write(text: str) -> None:
            written.append(scope["write_frame"](text_frame(text.encode())))

        await receive()
        write("before the connection is accepted")
        await send({"type": "websocket.accept"})
        for number in range(0, 100, 2):
            write(f"{number} 🍓")
            await send({"type": "websocket.send", "text": f"{number + 1} 🍓"})
        await send({"type": "websocket.close", "code": 4008, "reason": "over"})
        write("after the end")

    async with served(application) as url, asyncio.timeout(10), websockets.connect(url, compression=None) as client:
        assert [await client.recv() for _ in range(100)] == [f"{number} 🍓" for number in range(100)]
        await client.wait_closed()
    assert (client.close_code, client.close_reason) == (4008, "over")
    assert written == [False, *[True] * 50, False]


async def test_write_frame_refuses_while_the_client_reads_nothing_and_loses_no_frame() -> None:
    refused, read = asyncio.Event(), asyncio.Event()
    accepted = 0

    async def application(scope: Any, receive: Any, send: Any) -> None:
        nonlocal accepted
        await receive()
        await send({"type": "websocket.accept"})
        while accepted < 10_000 and scope["write_frame"](text_frame(f"{accepted} {'x' * 10_000}".encode())):
            accepted += 1
        refused.set()
        await send({"type": "websocket.send", "text": f"{accepted} waited for"})
        assert scope["write_frame"](text_frame(f"{accepted + 1} written again".encode()))
        await read.wait()

    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    async with served(application) as url, asyncio.timeout(20):
        narrow.connect(("127.0.0.1", int(url.rstrip("/").rpartition(":")[2])))
        async with websockets.connect(url, compression=None, max_queue=1, sock=narrow) as client:
            await refused.wait()
            assert 0 < accepted < 10_000
            numbers = [int(str(await client.recv()).partition(" ")[0]) for _ in range(accepted + 2)]
            assert numbers == [*range(accepted + 2)]
            read.set()


async def test_write_frame_refuses_once_the_connection_is_dropped() -> None:
    written = asyncio.Queue[bool]()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        written.put_nowait(scope["write_frame"](text_frame(b"hi")))
        scope["drop"]()
        written.put_nowait(scope["write_frame"](text_frame(b"too late")))

    async with served(application) as url, asyncio.timeout(10), websockets.connect(url, compression=None):
        assert [await written.get() for _ in range(2)] == [True, False]


async def test_write_frame_refuses_and_send_raises_once_the_client_is_gone() -> None:
    written = asyncio.Queue[bool]()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        assert (await receive())["type"] == "websocket.disconnect"
        written.put_nowait(scope["write_frame"](text_frame(b"too late")))
        with pytest.raises(OSError):  # noqa: PT011  whichever the server has
            await send({"type": "websocket.send", "text": "too late"})
        written.put_nowait(True)

    async with served(application) as url, asyncio.timeout(10):
        client = await websockets.connect(url, compression=None)
        client.transport.abort()
        assert await written.get() is False
        assert await written.get() is True


@pytest.mark.parametrize(
    ("server_does", "client_does", "is_there"),
    [(False, False, True), (False, True, True), (True, False, True), (True, True, False)],
)
async def test_write_frame_is_offered_only_without_compression(
    server_does: bool, client_does: bool, is_there: bool
) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": str("write_frame" in scope)})
        await receive()

    offered = "deflate" if client_does else None
    async with (
        served(application, compressed=server_does) as url,
        websockets.connect(url, compression=offered) as client,
    ):
        assert await asyncio.wait_for(client.recv(), 10) == str(is_there)


@pytest.mark.parametrize("compressed", [False, True])
async def test_room_frames_keep_order_with_error_answers_with_and_without_compression(
    start_servers: Callable[..., Any], compressed: bool
) -> None:
    program = UVICORN.replace("--ws-per-message-deflate false", f"--ws-per-message-deflate {str(compressed).lower()}")
    (server,) = start_servers(1, program)
    url = f"ws://{server.host}/ws/chat/order/"
    async with asyncio.timeout(30), websockets.connect(url, compression="deflate", max_queue=None) as client:
        for number in range(1, 51):
            await client.send(json.dumps({"message": f"{number} 🍓"}, ensure_ascii=False))
            await client.send("nonsense")
        frames = [json.loads(await client.recv()) for _ in range(100)]
    assert [frame["offset"] for frame in frames[::2]] == [*range(1, 51)]
    assert [frame["kind"] for frame in frames[1::2]] == ["error"] * 50
