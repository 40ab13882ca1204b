"""Parts of bodies that are written past ASGI's `send`, on a real connection to uvicorn's protocol."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from mysite.http_protocol import Http

Application = Callable[[Any, Any, Any], Awaitable[None]]
START = {"type": "http.response.start", "status": 200, "headers": []}
GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
LAST_GET = b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"


@pytest.fixture
async def ask() -> AsyncIterator[Callable[..., Awaitable[bytes]]]:
    """`await ask(application, requests)`: what a client is sent until the connection ends."""
    servers = []

    async def connect(application: Application, requests: bytes) -> bytes:
        config, state = Config(application, log_level="warning"), ServerState()
        config.load()
        server = await asyncio.get_running_loop().create_server(lambda: Http(config, state, {}), "127.0.0.1", 0)
        servers.append(server)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(requests)
        async with asyncio.timeout(5):
            answer = await reader.read()
        writer.close()
        return answer

    yield connect
    for server in servers:
        server.close()


async def test_part_is_written_as_a_chunk_between_those_that_are_sent(ask: Callable[..., Awaitable[bytes]]) -> None:
    written = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        written.append(scope["write_body"](b"too early"))
        await send(START)
        written.append(scope["write_body"](b"one"))
        await send({"type": "http.response.body", "body": b"two", "more_body": True})
        written.append(scope["write_body"](b"three"))
        await send({"type": "http.response.body", "body": b""})
        written.append(scope["write_body"](b"too late"))

    answer = await ask(application, LAST_GET)
    assert answer.endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n")
    assert written == [False, True, True, False]


async def test_part_of_one_answer_never_comes_into_the_next(ask: Callable[..., Awaitable[bytes]]) -> None:
    scopes: list[Any] = []
    written = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await send(START)
        if len(scopes) == 2:
            written.append(scopes[0]["write_body"](b"of the first"))
        await send({"type": "http.response.body", "body": b"end"})

    answer = await ask(application, GET + LAST_GET)
    assert answer.count(b"end") == 2
    assert written == [False]
    assert b"of the first" not in answer
