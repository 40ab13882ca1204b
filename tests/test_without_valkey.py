"""The site without its embedded Valkey, which can't start: slower, but complete."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

import aiohttp

from tests.servers import Server

# Seconds. Where each post waited for Valkey, all would be late; a busy machine makes some late.
HEARD_WITHIN = 2.0
ANSWERED_WITHIN = 1.0


async def waits_for_answers(session: aiohttp.ClientSession, server: Server, stop: asyncio.Event) -> list[float]:
    waits = []
    while not stop.is_set():
        asked_at = time.monotonic()
        async with session.get(f"http://{server.host}/livez") as answer:
            assert answer.status == 200
        waits.append(time.monotonic() - asked_at)
        await asyncio.sleep(0.02)
    return waits


async def hear(socket: aiohttp.ClientWebSocketResponse, text: str) -> None:
    async with asyncio.timeout(10):
        while json.loads(await socket.receive_str())["message"] != text:
            pass


async def test_posts_reach_other_instances_without_delay_when_valkey_can_not_start(
    start_servers: Callable[..., list[Server]], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    place = str(tmp_path / "file" / "valkey")
    first, second = start_servers(2, CHAT_VALKEY_DIR=place, CHAT_LIMITS="on")
    stop = asyncio.Event()
    async with aiohttp.ClientSession() as session:
        waiting = [asyncio.create_task(waits_for_answers(session, one, stop)) for one in (first, second)]
        answered, heard = [], []
        async with (
            session.ws_connect(f"ws://{first.host}/ws/chat/alone/") as here,
            session.ws_connect(f"ws://{second.host}/ws/chat/alone/") as there,
        ):
            for number in range(5):
                said_at = time.monotonic()
                await here.send_json({"message": f"hello {number}"})
                await hear(here, f"hello {number}")
                answered.append(time.monotonic() - said_at)
                await hear(there, f"hello {number}")
                heard.append(time.monotonic() - said_at)
            stop.set()
            waits = await asyncio.gather(*waiting)
        assert median(answered) < ANSWERED_WITHIN
        assert median(heard) < HEARD_WITHIN
        assert all(quantiles(some, n=20)[-1] < ANSWERED_WITHIN for some in waits)
