"""File descriptors of a server that serves pages."""

import asyncio
from collections.abc import Callable

import aiohttp
import psutil

from tests.servers import Server

BUSY = 10  # pages at a time


async def look_at_pages(host: str, count: int) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(count // BUSY):
            async with asyncio.TaskGroup() as group:
                for _ in range(BUSY):
                    group.create_task(look_at_page(session, host))


async def look_at_page(session: aiohttp.ClientSession, host: str) -> None:
    async with session.get(f"http://{host}/chat/room1/") as page:
        assert page.status == 200
        await page.read()


def test_serving_pages_leaves_no_database_connection_open(start_servers: Callable[[int], list[Server]]) -> None:
    (server,) = start_servers(1)
    process = psutil.Process(server.process.pid)
    asyncio.run(look_at_pages(server.host, BUSY))
    before = process.num_fds()
    asyncio.run(look_at_pages(server.host, 10 * BUSY))
    # SQLite keeps at hand what so many threads had open at a time: files of three kinds.
    assert process.num_fds() <= before + 4 * BUSY
