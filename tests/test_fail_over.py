"""A copy of PostgreSQL that lags takes the primary's place under three running servers, with Redis and without."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from pathlib import Path
from signal import Signals

import pytest

from tests.chaos.__main__ import invite, settle
from tests.chaos.clients import Client
from tests.chaos.database import Database
from tests.chaos.report import Report
from tests.chaos.site import SERVERS, Site

TIMEOUT = 30.0  # seconds in which everybody hears of something


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT):
        while not condition():
            await asyncio.sleep(0.05)


async def everybody_says(clients: list[Client], rooms: list[str], site: Site) -> None:
    """Everybody says two things, and hears everything."""
    for client in clients * 2:
        client.say_something()
    await until(lambda: not any(client.unacknowledged for client in clients))
    stored = await site.read_stored(rooms)
    await until(
        lambda: all(ends_at(client) == [len(stored[room].log) for room in client.ledger.rooms] for client in clients)
    )


def ends_at(client: Client) -> list[int]:
    return [client.ledger.positions[room] for room in client.ledger.rooms]


@pytest.mark.parametrize("redis", [True, False], ids=["with Redis", "without Redis"])
async def test_every_listener_starts_over_and_then_misses_nothing_when_a_lagging_copy_replaces_the_primary(
    tmp_path: Path, redis: bool
) -> None:
    rooms = [f"fail-over-{secrets.token_hex(4)}-{number}" for number in (1, 2, 3)]
    async with contextlib.AsyncExitStack() as stack:
        log = stack.enter_context((tmp_path / "log").open("ab"))
        database = stack.enter_context(Database(SERVERS))
        site = await stack.enter_async_context(Site(database, log))
        if not redis:
            await site.valkey.stop(Signals.SIGKILL)
        clients = invite(rooms, [server.host for server in site.servers], seed=1)
        async with asyncio.TaskGroup() as group:
            living = [group.create_task(client.live()) for client in clients]
            await everybody_says(clients, rooms, site)
            copied_at = await asyncio.to_thread(database.take_copy)
            await everybody_says(clients, rooms, site)

            await asyncio.to_thread(database.fail_over)

            # Nobody says anything: the servers find out by themselves.
            await until(lambda: all(started_over(client) for client in clients))
            for client in clients:
                client.ledger.forget_acknowledged(copied_at)
            await everybody_says(clients, rooms, site)
            stored = await settle(clients, rooms, site)
            for task in living:
                task.cancel()
    report = Report(clients, stored, set_back=True)
    assert report.good, report
    assert report.gone, "nothing was lost, so nothing was tested"


def started_over(client: Client) -> bool:
    """Whether the client was told to start over in each room where it had heard something that is gone."""
    return all(client.ledger.heard_before[room] for room in client.ledger.rooms)
