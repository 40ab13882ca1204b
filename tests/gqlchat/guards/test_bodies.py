"""Bodies and URLs over HTTP that are too long are refused before they have arrived."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from channels.testing import ApplicationCommunicator, HttpCommunicator
from pytest_django import Settings

from mysite.asgi import application
from tests.servers import Server

QUERY = '{"query": "{ me { isGuest } }"}'


async def status_of(communicator: HttpCommunicator) -> int:
    response = await communicator.get_response(timeout=5)
    if response["status"] in {413, 414}:
        (error,) = json.loads(response["body"])["errors"]
        assert error["extensions"] == {"code": "body_too_long" if response["status"] == 413 else "url_too_long"}
    return response["status"]


@pytest.mark.parametrize(("spare", "status"), [(1, 200), (0, 200), (-1, 413)])
@pytest.mark.parametrize("announced", [True, False])
async def test_http_body_may_be_as_long_as_the_limit_and_no_longer(
    settings: Settings, spare: int, status: int, announced: bool
) -> None:
    settings.CHAT_BODY_MAX = len(QUERY) + spare
    headers = [(b"content-type", b"application/json")]
    if announced:
        headers.append((b"content-length", str(len(QUERY)).encode()))
    assert await status_of(HttpCommunicator(application, "POST", "/graphql", QUERY.encode(), headers)) == status


@pytest.mark.parametrize(("spare", "status"), [(1, 200), (0, 200), (-1, 414)])
async def test_query_string_may_be_as_long_as_the_limit_and_no_longer(
    settings: Settings, spare: int, status: int
) -> None:
    query = "query={me{isGuest}}"
    settings.CHAT_BODY_MAX = len(query) + spare
    assert await status_of(HttpCommunicator(application, "GET", f"/graphql?{query}")) == status


@pytest.mark.parametrize("length", ["many", "-1", "", "1e9", "٣"])
async def test_invalid_content_length_is_ignored(length: str) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", length.encode())]
    assert await status_of(HttpCommunicator(application, "POST", "/graphql", QUERY.encode(), headers)) == 200


async def test_body_in_pieces_is_refused_as_soon_as_it_passes_the_limit(settings: Settings) -> None:
    settings.CHAT_BODY_MAX = 100
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": []}
    request = ApplicationCommunicator(application, scope)
    for _ in range(3):
        await request.send_input({"type": "http.request", "body": b"x" * 40, "more_body": True})
    assert (await request.receive_output(timeout=5))["status"] == 413
    await request.send_input({"type": "http.disconnect"})
    await request.receive_output(timeout=5)
    assert (await request.receive_output(timeout=5)) == {"type": "http.response.body", "body": b"", "more_body": False}


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[Server]:
    with Server(CHAT_BODY_MAX="1000") as server:
        server.wait_until_it_answers()
        yield server


@pytest.mark.parametrize("announcement", ["Content-Length: 1000000000", "Transfer-Encoding: chunked"])
async def test_real_server_refuses_a_long_body_before_it_has_arrived(
    server: Server, transactional_db: None, announcement: str
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"POST /graphql HTTP/1.1\r\nHost: {server.host}\r\nContent-Type: application/json\r\n{announcement}\r\n\r\n"
    writer.write(head.encode())
    sent = 0
    answering = asyncio.create_task(reader.readuntil(b"\r\n"))
    async with asyncio.timeout(10):
        while not answering.done():
            piece = b"x" * 100
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if "chunked" in announcement else piece)
            await writer.drain()
            sent += len(piece)
            await asyncio.wait([answering], timeout=0.01)
    assert b" 413 " in answering.result()
    assert sent < 100_000
    writer.close()
