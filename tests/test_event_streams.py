"""Server-sent events by curl, on real servers that stop."""

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import aiohttp
import pytest

from tests.servers import DAPHNE, UVICORN, Server
from tests.test_slow_readers import at_graphqls_door_for_events

LISTEN = 'subscription { roomMessages(rooms: [{roomName: "room1"}]) { message } }'
SAY = 'mutation ($text: String!) { sendChatMessage(message: $text, room: {roomName: "room1"}) }'

programs = pytest.mark.parametrize("program", [UVICORN, DAPHNE], ids=["uvicorn", "daphne"])


@contextlib.asynccontextmanager
async def curl(server: Server, query: str, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    url = f"http://{server.host}/graphql?{urlencode({'query': query})}"
    command = ["curl", "--silent", "--no-buffer", "--header", "Accept: text/event-stream", *options, url]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def lines_until(process: asyncio.subprocess.Process, beginning: str) -> list[str]:
    """The lines that the process writes, up to the first that begins like this."""
    assert process.stdout
    lines: list[str] = []
    async with asyncio.timeout(20):
        while not lines or not lines[-1].startswith(beginning):
            line = await process.stdout.readline()
            assert line, lines
            lines.append(line.decode().rstrip("\n"))
    return lines


async def say(session: aiohttp.ClientSession, server: Server, text: str) -> None:
    body = {"query": SAY, "variables": {"text": text}}
    async with session.post(f"http://{server.host}/graphql", json=body) as answer:
        assert await answer.json() == {"data": {"sendChatMessage": None}}


@programs
async def test_curl_hears_comes_back_and_is_told_to_wait_when_the_server_stops(start_servers, program: str) -> None:
    (server,) = start_servers(1, program)
    async with aiohttp.ClientSession() as session:
        async with curl(server, LISTEN) as listening:
            await lines_until(listening, "id: ")
            await say(session, server, "one")
            heard = await lines_until(listening, "data: ")
            assert heard[-3] == "event: next"
            event_id = heard[-2]
            assert json.loads(heard[-1].removeprefix("data: ")) == {"data": {"roomMessages": {"message": "one"}}}
        await say(session, server, "two")
        back = f"Last-Event-ID: {event_id.removeprefix('id: ')}"
        async with curl(server, LISTEN, "--header", back) as listening:
            assert '"two"' in (await lines_until(listening, "data: "))[-1]
            server.process.send_signal(signal.SIGTERM)
            assert listening.stdout
            async with asyncio.timeout(20):
                rest = (await listening.stdout.read()).decode()
            assert "retry: " in rest
            assert "event: complete" not in rest
            assert await listening.wait() == 0  # the answer is whole
    await asyncio.to_thread(server.process.wait, 15)


async def test_client_that_never_reads_is_dropped_under_daphne(start_servers) -> None:
    (server,) = start_servers(1, DAPHNE, CHAT_MESSAGE_MAX="200000", CHAT_LIMITS="off")
    client = at_graphqls_door_for_events(server.host, LISTEN)
    async with aiohttp.ClientSession() as session, asyncio.timeout(120):
        said = 0
        while client.is_connected(server):
            assert said < 400  # 80 MB
            await say(session, server, "x" * 200_000)
            said += 1
        await say(session, server, "still here")
    client.socket.close()
