"""Pages and GraphQL over HTTP while connections to PostgreSQL pass nothing on, and stay open."""

import asyncio
import time
from collections.abc import Callable

import aiohttp

from benchmarks.slow_proxy import SlowProxy
from tests.servers import Server

PAGES = 6  # at once: more than the pool has connections
GIVEN_UP = 5.0 + 2.0  # seconds until a page gives its connection up, or the pool gives it another one
QUERY = {"query": '{ rooms(names: ["room1"]) { name } }'}


async def get(session: aiohttp.ClientSession, server: Server) -> tuple[int, str | None]:
    async with session.get(f"http://{server.host}/chat/room1/") as page:
        await page.read()
        return page.status, page.headers.get("Retry-After")


async def test_pages_give_up_connections_that_hang_and_come_back_without_a_restart(
    far_postgresql: tuple[str, SlowProxy], start_servers: Callable[..., list[Server]]
) -> None:
    url, proxy = far_postgresql
    (server,) = start_servers(1, DATABASE_URL=url)
    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        assert await asyncio.gather(*(get(session, server) for _ in range(PAGES))) == [(200, None)] * PAGES
        proxy.black_hole()
        started = time.monotonic()
        answers = await asyncio.gather(*(get(session, server) for _ in range(PAGES)))
        assert time.monotonic() - started < 2 * GIVEN_UP
        assert set(answers) <= {(200, None), (503, "5")}  # one that waited for a connection may get a new one
        assert (503, "5") in answers
        while (await get(session, server))[0] != 200:
            assert time.monotonic() - started < 3 * GIVEN_UP
        assert await asyncio.gather(*(get(session, server) for _ in range(PAGES))) == [(200, None)] * PAGES


async def test_graphql_over_http_says_in_its_form_that_the_database_is_away(
    far_postgresql: tuple[str, SlowProxy], start_servers: Callable[..., list[Server]]
) -> None:
    url, proxy = far_postgresql
    (server,) = start_servers(1, DATABASE_URL=url)
    cookies = aiohttp.CookieJar(unsafe=True)  # those of an address, too
    async with asyncio.timeout(60), aiohttp.ClientSession(cookie_jar=cookies) as session:
        await get(session, server)  # gives a session, which has to be read
        proxy.switch("127.0.0.1:1")
        proxy.cut()
        async with session.post(f"http://{server.host}/graphql", json=QUERY) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            (error,) = (await answer.json())["errors"]
            assert error["extensions"] == {"code": "unavailable"}
        assert (await get(session, server))[0] == 503
