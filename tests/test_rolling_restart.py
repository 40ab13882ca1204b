"""A deploy under load: three instances are restarted one after the other, and no message is lost."""

import asyncio
import contextlib
import secrets
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from signal import Signals

import pytest

from tests.chaos.__main__ import invite, settle
from tests.chaos.clients import Client
from tests.chaos.report import Report
from tests.chaos.site import Site
from tests.servers import WEB

DAPHNE = "daphne --verbosity 0 --bind $HOST --port $PORT mysite.asgi:application"
LIMIT = 5.0  # seconds that an instance may take to stop


@pytest.mark.parametrize("web", [WEB, DAPHNE], ids=["uvicorn", "daphne"])
async def test_rolling_restart_under_load_loses_no_message(tmp_path: Path, web: str) -> None:
    rooms = [f"deploy-{secrets.token_hex(4)}-{number}" for number in (1, 2, 3)]
    with (tmp_path / "log").open("ab") as log:
        async with Site(f"sqlite:///{tmp_path}/db.sqlite3", log, web) as site:
            clients = invite(rooms, [server.host for server in site.servers], seed=1)
            working = [asyncio.create_task(client.live()) for client in clients]
            working += [asyncio.create_task(client.talk(60)) for client in clients]
            try:
                await everybody_goes_on(clients)
                for server in site.servers:
                    began = time.monotonic()
                    assert await server.stop(Signals.SIGTERM) in {0, -Signals.SIGTERM}
                    assert time.monotonic() - began < LIMIT
                    await server.start()
                    await everybody_goes_on(clients)
                for task in working[len(clients) :]:
                    task.cancel()
                stored = await settle(clients, rooms, site)
            finally:
                for task in working:
                    task.cancel()
                for task in working:
                    with contextlib.suppress(asyncio.CancelledError):
                        await task
            for server in site.servers:
                assert await server.stop(Signals.SIGTERM) in {0, -Signals.SIGTERM}
    report = Report(clients, stored)
    assert report.good, str(report)
    closings: Counter[int | None] = sum((client.ledger.closings for client in clients), Counter())
    assert closings.keys() == {1012}, closings  # nobody was just dropped
    assert "Traceback" not in (tmp_path / "log").read_text(), (tmp_path / "log").read_text()


async def everybody_goes_on(clients: list[Client]) -> None:
    """Waits until each has something acknowledged that wasn't so far."""
    so_far = {client.name: len(client.ledger.acknowledged) for client in clients}
    await until(lambda: all(len(client.ledger.acknowledged) > so_far[client.name] for client in clients))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.05)
