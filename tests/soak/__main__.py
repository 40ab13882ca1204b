"""python -m tests.soak [--minutes M] [--rate R] [--seed N]"""

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import IO

import aiohttp
import redis.asyncio

from tests.chaos.__main__ import CLEAR, invite, settle
from tests.chaos.report import Report
from tests.chaos.site import Site
from tests.soak.figures import Figures, by_minute, growth, growth_once_warm
from tests.soak.visitors import Visitors

INTERVAL = 0.5  # seconds from one look at the servers to the next
LEAVING = 30.0  # seconds in which everything has to be let go of, once everybody has left
GROWTH = 16e6  # bytes of memory for each server, from one third of the run to the next; see mysite/asgi.py on garbage
GROWTH_ONCE_WARM = 0.03  # of its memory for each server, from its fifth minute to the end
LASTING_TASKS = 1  # the channel layer's reading, once it was used
LASTING_FILES = 20  # connections to Redis, and what SQLite keeps at hand for the next threads, once they were used
ROOMS = ["soak-1", "soak-2", "soak-3"]


class Soak:
    """A run: residents who stay, visitors who come and go, and the servers' memory, tasks and files over time."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site = site
        self.residents = invite(ROOMS, [server.host for server in site.servers], seed)
        self.visitors = Visitors([server.host for server in site.servers], ROOMS, Random(seed))
        self.samples: list[list[Figures]] = []  # one list for each look, one of each server
        self.wrong: list[str] = []

    async def run(self, seconds: float, rate: float) -> None:
        async with aiohttp.ClientSession() as self.session:
            empty = await self.look()
            await self.be_used(seconds, rate)
            await self.let_go(empty)
        for server, samples in zip(self.site.servers, zip(*self.samples, strict=True), strict=True):
            if (more := growth(list(samples))) > GROWTH:
                self.wrong.append(f"{server.name} needs {more / 1e6:.1f} MB more in the end than half-way")
            share = growth_once_warm(by_minute(list(samples), INTERVAL))
            if share is not None and share > GROWTH_ONCE_WARM:
                self.wrong.append(f"{server.name} needs {share:.1%} more memory in the end than in its fifth minute")

    async def be_used(self, seconds: float, rate: float) -> None:
        async with asyncio.TaskGroup() as group:
            lasting = [group.create_task(client.live()) for client in self.residents]
            coming = group.create_task(self.visitors.come(rate))
            watching = group.create_task(self.watch(seconds))
            await asyncio.gather(*(client.talk(seconds) for client in self.residents))
            coming.cancel()
            watching.cancel()
            stored = await settle(self.residents, ROOMS, self.site)
            for task in lasting:
                task.cancel()
        self.report = Report(self.residents, stored)
        for room, told in self.visitors.acknowledged.items():
            if lost := told - set(stored[room].log):
                self.wrong.append(f"visitors were told that {len(lost)} messages are stored in {room}, which aren't")

    async def look(self) -> list[Figures]:
        return [await Figures.of(server, self.session) for server in self.site.servers]

    async def watch(self, seconds: float) -> None:
        started = time.monotonic()
        while True:
            self.samples.append(await self.look())
            now = self.samples[-1]
            if sys.stdout.isatty():
                visits, there = sum(self.visitors.made.values()), sum(one.connections for one in now)
                memory = sum(one.memory for one in now) / 1e6
                line = f"{time.monotonic() - started:6.1f} of {seconds:g} s: {visits} visits, {there} connections"
                print(f"{CLEAR}{line}, {memory:.0f} MB", end="", flush=True)
            await asyncio.sleep(INTERVAL)

    async def let_go(self, empty: list[Figures]) -> None:
        """Waits until the servers hold nothing of anybody any more, and as many tasks and files as in the beginning."""
        deadline = time.monotonic() + LEAVING
        while (left := await self.left(empty)) and time.monotonic() < deadline:
            await asyncio.sleep(INTERVAL)
        self.wrong += left

    async def left(self, empty: list[Figures]) -> list[str]:
        left = []
        for server, before, now in zip(self.site.servers, empty, await self.look(), strict=True):
            left += [f"{server.name} still has {count} {name}" for name, count in now.held.items() if count]
            if now.tasks > before.tasks + LASTING_TASKS:
                left.append(f"{server.name} has {now.tasks} tasks, and had {before.tasks}")
            if now.files > before.files + LASTING_FILES:
                left.append(f"{server.name} has {now.files} files open, and had {before.files}")
        async with redis.asyncio.from_url(self.site.valkey.url) as client:
            groups = [name.decode() for name in await client.pubsub_channels("*chat[_.]*")]
        return [*left, *(f"somebody is still in the group {name}" for name in groups)]

    def __str__(self) -> str:
        lines = [f"{count:>6} times {name.replace('_', ' ')}" for name, count in sorted(self.visitors.made.items())]
        lines += ["", "server    memory, MB: start, half-way, end   most connections, tasks, files"]
        third = len(self.samples) // 3
        for server, samples in zip(self.site.servers, zip(*self.samples, strict=True), strict=True):
            memory = "  ".join(f"{samples[index].memory / 1e6:6.1f}" for index in (0, 2 * third, -1))
            most = "  ".join(
                f"{max(getattr(one, name) for one in samples):5}" for name in ("connections", "tasks", "files")
            )
            lines.append(f"{server.name}  {memory}              {most}")
        lines += ["", *self.series()]
        return "\n".join([*lines, "", str(self.report), *self.wrong])

    def series(self) -> Iterator[str]:
        """Each server's memory, minute by minute."""
        for server, samples in zip(self.site.servers, zip(*self.samples, strict=True), strict=True):
            minutes = by_minute(list(samples), INTERVAL)
            share = growth_once_warm(minutes)
            grown = "" if share is None else f"; {share:+.1%} from the fifth minute to the end"
            yield f"{server.name}, MB each minute: {' '.join(f'{one / 1e6:.0f}' for one in minutes)}{grown}"

    @property
    def good(self) -> bool:
        return self.report.good and not self.wrong


async def run(seconds: float, rate: float, seed: int, database_url: str, log: IO[bytes]) -> Soak:
    if this := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    async with Site(database_url, log) as site:
        soak = Soak(site, seed)
        await soak.run(seconds, rate)
    return soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Looks what the servers keep.")
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--rate", type=float, default=20, help="visits a second")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    given = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="soak-"))
    print(f"Three servers in use for {given.minutes:g} minutes, --seed {given.seed}", flush=True)
    try:
        with (place / "log").open("ab") as log:
            database_url = f"sqlite:///{place}/db.sqlite3"
            soak = asyncio.run(run(given.minutes * 60, given.rate, given.seed, database_url, log))
    except (KeyboardInterrupt, asyncio.CancelledError):
        shutil.rmtree(place)
        return 130
    print(f"{CLEAR}{soak}")
    logged = (place / "log").read_text(errors="replace")
    if soak.good and "Traceback" not in logged:
        shutil.rmtree(place)
        return 0
    print(f"Not good: what the servers logged is in {place}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
