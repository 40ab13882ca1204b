"""Nothing of a closed connection waits for the garbage collector, under the server of the Procfile."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import websockets
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState
from websockets.server import ServerProtocol

from chat.connections.socket_consumer import SocketConsumer
from chat.connections.sockets import Socket
from chat.delivery.listener import Listener
from mysite.asgi import application
from mysite.websocket import WebSocket

KINDS = (HttpToolsProtocol, ServerProtocol, WebSocket, Socket, SocketConsumer, Listener)
CONNECTIONS = 5

Eventually = Callable[[Callable[[], Any]], Awaitable[None]]


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[str]:
    """The address of the site, under uvicorn with its own WebSocket."""
    config = Config(application, http="httptools", ws=WebSocket, ws_per_message_deflate=False, log_config=None)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: HttpToolsProtocol(config, state, {}), "127.0.0.1", 0
    )
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def kept() -> Iterator[Callable[[], list[str]]]:
    """`kept()` names what was made since the test began, and is still there although the collector doesn't run."""
    gc.collect()
    before = there()  # of tests before this one, which end when they like
    gc.disable()
    yield lambda: [type(one).__name__ for one in there() if not any(one is old for old in before)]
    gc.enable()


def there() -> list[Any]:
    return [one for one in gc.get_objects() if issubclass(type(one), KINDS)]


async def close(socket: websockets.ClientConnection) -> None:
    await socket.close()


async def vanish(socket: websockets.ClientConnection) -> None:
    socket.transport.abort()
    await socket.wait_closed()


@pytest.mark.parametrize("leave", [close, vanish])
@pytest.mark.parametrize("path", ["/ws/chat/room1/", "/ws/chat/room1/?after=0", "/ws/chat//", "/nowhere/"])
async def test_closed_connection_leaves_nothing_for_the_collector(
    path: str,
    leave: Callable[[websockets.ClientConnection], Awaitable[None]],
    eventually: Eventually,
    kept: Callable[[], list[str]],
) -> None:
    async with served() as address:
        for _ in range(CONNECTIONS):
            with contextlib.suppress(websockets.InvalidStatus):
                socket = await websockets.connect(address + path, compression=None)
                if path.startswith("/ws/chat/room1/"):
                    await socket.send('{"message": "hi"}')
                    await socket.recv()
                await leave(socket)
        await eventually(lambda: not kept())
