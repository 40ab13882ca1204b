"""python -m tests.chaos [--seed N] [--seconds S] [--database postgresql] [--delay MS] [--set-back] ..."""

import argparse
import asyncio
import contextlib
import math
import os
import random
import secrets
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

from tests.chaos import faults
from tests.chaos.acts import EMOJIS
from tests.chaos.clients import Browser, Client
from tests.chaos.database import Database
from tests.chaos.graphql_clients import EventsListener, GraphQLClient, HTTPPoster
from tests.chaos.report import Report
from tests.chaos.rooms import StoredRoom
from tests.chaos.site import SERVERS, Site

SETTLING = 30.0  # seconds without progress, once nothing is done to anybody any more, until it is no use to wait
IN_FLIGHT = 2.0  # seconds in which an acknowledgement by the primary that is gone may still arrive
AFTERWARDS = 2.0  # seconds in which more might come than should
CLEAR = "\r\033[K" if sys.stdout.isatty() else ""  # the line of the progress
LAST_WORDS = "Valkey ended by SIGKILL for good, and everybody says a last word"


async def run(
    seed: int,
    seconds: float,
    database: str | Database,
    log: IO[bytes],
    *,
    rate: float = 2.0,
    set_back: bool = False,
    valkeys: int = 1,
) -> Report:
    """The report of `seconds` under fire. All processes have ended when it returns, also by Ctrl+C or SIGTERM.

    Each client says about `rate` things a second. With `set_back`, a copy of the database that lags takes its place.
    """
    if this := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    name = secrets.token_hex(4)  # in a database that is kept, every run has rooms of its own
    rooms = [f"chaos-{name}-{number}" for number in (1, 2, 3)]
    possible = faults.FAULTS + (faults.POSTGRESQL_FAULTS if isinstance(database, Database) else [])
    async with Site(database, log, valkeys=valkeys) as site, asyncio.TaskGroup() as group:
        clients = invite(rooms, [server.host for server in site.servers], seed)
        lasting = [group.create_task(client.live()) for client in clients]
        lasting.append(group.create_task(show_progress(clients)))
        started = time.monotonic()
        await asyncio.gather(
            *(client.talk(seconds, rate) for client in clients),
            *(inflict(*fault, site, clients, started) for fault in faults.plan(seed, seconds, possible)),
            *([replace_database(site, clients, seconds, started)] if set_back else []),
        )
        # Nobody says anything after these, so nobody notices by the next message what Redis didn't bring.
        await asyncio.gather(*(valkey.stop(signal.SIGKILL) for valkey in site.valkeys))
        print(f"{CLEAR}{time.monotonic() - started:6.1f} s: {LAST_WORDS}", flush=True)
        for client in clients:
            client.say_something()
        stored = await settle(clients, rooms, site)
        for task in lasting:
            task.cancel()
    return Report(clients, stored, set_back=set_back)


def invite(rooms: list[str], hosts: list[str], seed: int) -> list[Client]:
    """Two browsers in each room, and GraphQL clients in each two: one at a WebSocket, and one that posts over HTTP."""
    pairs = [rooms[:2], rooms[1:], [rooms[0], rooms[2]]]
    emojis = iter(EMOJIS)
    return [
        *(Browser(f"browser-{number}", [room], hosts, seed, next(emojis)) for number, room in enumerate(rooms * 2, 1)),
        *(GraphQLClient(f"socket-{number}", pair, hosts, seed, next(emojis)) for number, pair in enumerate(pairs, 1)),
        *(HTTPPoster(f"http-{number}", pair, hosts, seed) for number, pair in enumerate(pairs[1:], 2)),
        EventsListener("events-1", pairs[0], hosts, seed),
    ]


async def inflict(
    at: float, fault: faults.Fault, dice: random.Random, site: Site, clients: list[Client], started: float
) -> None:
    await asyncio.sleep(at)
    told = await fault(site, clients, dice)
    print(f"{CLEAR}{at:6.1f} to {time.monotonic() - started:.1f} s: {told}", flush=True)


async def replace_database(site: Site, clients: list[Client], seconds: float, started: float) -> None:
    """A copy stays behind from a third of the time on, and takes the primary's place at two thirds."""
    assert site.database
    await asyncio.sleep(seconds / 3)
    async with site.database.lock:
        copied_at = await asyncio.to_thread(site.database.take_copy)
    await asyncio.sleep(max(0.0, started + seconds * 2 / 3 - time.monotonic()))
    async with site.database.lock:
        await asyncio.to_thread(site.database.fail_over)
        await asyncio.sleep(IN_FLIGHT)
    for client in clients:
        client.ledger.forget_acknowledged(copied_at)
    lag = time.time() - IN_FLIGHT - copied_at
    print(f"{CLEAR}{time.monotonic() - started:6.1f} s: a copy that lags by {lag:.1f} s took the database's place")


async def show_progress(clients: list[Client]) -> None:
    started = time.monotonic()
    while sys.stdout.isatty():
        sent = sum(len(client.ledger.sent) for client in clients)
        waiting = sum(len(client.unacknowledged) for client in clients)
        away = sum(client.socket is None for client in clients)
        seconds = time.monotonic() - started
        print(f"{CLEAR}{seconds:6.1f} s: {sent} sent, {waiting} to be acknowledged, {away} away", end="", flush=True)
        await asyncio.sleep(0.5)


async def settle(clients: list[Client], rooms: list[str], site: Site) -> dict[str, StoredRoom]:
    """Waits until everybody has heard everything, if that comes to pass. Returns what is stored then, by room."""
    deadline, least = time.monotonic() + SETTLING, math.inf
    while time.monotonic() < deadline:
        stored = await site.read_stored(rooms)
        missing = sum(
            len(client.unacknowledged)
            + sum(max(0, len(stored[room].log) - client.ledger.positions[room]) for room in client.ledger.rooms)
            for client in clients
        )
        if not missing:
            break
        if missing < least:
            deadline, least = time.monotonic() + SETTLING, missing
        await asyncio.sleep(0.5)
    await asyncio.sleep(AFTERWARDS)
    return await site.read_stored(rooms)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Counts what clients lose under fire.")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000), help="the same seed, the same faults")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--rate", type=float, default=2, help="messages of each client in a second")
    parser.add_argument(
        "--database-url",
        default=os.environ.get("TEST_DATABASE_URL"),
        help="default: TEST_DATABASE_URL, as tests.postgres sets it, or else an SQLite file",
    )
    parser.add_argument(
        "--database",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="postgresql starts one, and cuts its connections, too",
    )
    parser.add_argument("--delay", type=float, default=0, help="milliseconds to that PostgreSQL, each way")
    parser.add_argument("--set-back", action="store_true", help="a copy of that PostgreSQL that lags takes its place")
    parser.add_argument("--redis", type=int, default=1, help="how many Valkeys share the rooms")
    given = parser.parse_args()
    if (given.set_back or given.delay) and given.database != "postgresql":
        parser.error("--set-back and --delay need --database postgresql")
    place = Path(tempfile.mkdtemp(prefix="chaos-"))
    print(f"Three servers under fire for {given.seconds:g} s, --seed {given.seed}", flush=True)
    try:
        with (place / "log").open("ab") as log, contextlib.ExitStack() as stack:
            database: str | Database = given.database_url or f"sqlite:///{place}/db.sqlite3"
            if given.database == "postgresql":
                database = stack.enter_context(Database(SERVERS, delay=given.delay / 1000))
            running = run(
                given.seed,
                given.seconds,
                database,
                log,
                rate=given.rate,
                set_back=given.set_back,
                valkeys=given.redis,
            )
            report = asyncio.run(running)
    except (KeyboardInterrupt, asyncio.CancelledError):
        shutil.rmtree(place)
        return 130
    print(f"{CLEAR}\n{report}")
    if report.good:
        shutil.rmtree(place)
        return 0
    print(f"Not good: what the servers logged is in {place}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
