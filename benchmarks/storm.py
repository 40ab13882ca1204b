"""The effect of a deploy on posting: hundreds of clients come back at once, each with messages that it missed.

    python -m benchmarks.storm --base ws://127.0.0.1:8000 --returning 400

prints one line of JSON. A few posters at a human pace, in a process of their own, say how long their echoes take: in
calm, and in the seconds around the storm.
"""

import argparse
import asyncio
import contextlib
import http.client
import json
import sys
import time
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import uvloop

from benchmarks import proc
from benchmarks.client_socket import CONNECT_ERRORS
from benchmarks.percentiles import milliseconds
from benchmarks.poster import TEXT
from benchmarks.returner import GraphQLReturner, Returner

BACK_TIMEOUT = 60.0  # seconds that those who come back have to get what they missed
LEAD = 1.0  # seconds of posting before the storm
PAGES_AT_ONCE = 8  # that are asked for, for their cookies
PAUSE = 20  # milliseconds between a poster's echo and its next post

Posts = dict[str, Any]  # what `benchmarks.posters` says of them


class Storm:
    """One storm, with the options of `options()`."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.name = f"storm-{uuid.uuid4().hex[:8]}"
        self.rooms = [f"{self.name}-{number}" for number in range(args.rooms)]
        self.present: list[Returner] = []

    async def run(self) -> dict[str, Any]:
        args = self.args
        await asyncio.gather(*(self.fill(room) for room in self.rooms))
        cookies = await asyncio.to_thread(self.cookies, args.returning) if args.cookies else [""] * args.returning
        leavers = await self.bring(args.leavers)
        calm = await self.posts(f"{self.name}-calm", args.calm)
        posting = asyncio.Event()
        around = asyncio.create_task(self.posts(f"{self.name}-around", args.around, posting))
        await posting.wait()
        await asyncio.sleep(LEAD)
        started = time.monotonic()
        returned = await self.break_loose(cookies, leavers)
        ended = time.monotonic()
        storm = await around
        for one in self.present:
            one.leave_if_open()
        during = between(storm["samples"], started, ended)
        return {
            "returning": args.returning,
            "graphql": args.graphql,
            "leavers": args.leavers,
            "rooms": args.rooms,
            **compared(calm, storm),
            **{f"during_{name}_ms": milliseconds(during, share) for name, share in (("p99", 0.99), ("max", 1))},
            **returned,
            "other_cpus": storm["other_cpus"],
        }

    async def break_loose(self, cookies: Sequence[str], leavers: Sequence[Returner]) -> dict[str, Any]:
        """Has all come back at once. Returns when they had everything, and what that took."""
        args = self.args
        self.present = returners = self.returners()
        used, stored = proc.cpu(args.pid), proc.cpu(args.database_pid)
        leaving = asyncio.create_task(leave_one_by_one(leavers))
        outcomes = await asyncio.gather(*map(self.come_back, returners, cookies), return_exceptions=True)
        used, stored = proc.cpu(args.pid) - used, proc.cpu(args.database_pid) - stored
        await leaving
        return {
            **returned(returners, outcomes),
            "cpu_ms_per_return": round(used / max(1, args.returning) * 1e3, 2),
            "database_cpu_ms_per_return": round(stored / max(1, args.returning) * 1e3, 2),
        }

    async def fill(self, room: str) -> None:
        """Has a browser say what is going to be missed, and wait until it has all been stored."""
        browser = Returner(room, self.args.missed)
        await browser.connect(f"{self.args.base}/ws/chat/{room}/")
        for _ in range(self.args.missed):
            browser.say(b'{"message":"%s"}' % TEXT.encode())
        async with asyncio.timeout(BACK_TIMEOUT):
            await browser.back
        browser.leave()

    def cookies(self, count: int) -> list[str]:
        """So many guests' sessions, each given by the page of a room."""
        with ThreadPoolExecutor(PAGES_AT_ONCE) as pool:
            return list(pool.map(self.cookie, range(count)))

    def cookie(self, number: int) -> str:
        page = http.client.HTTPConnection(urlsplit(self.args.base).netloc, timeout=BACK_TIMEOUT)
        with contextlib.closing(page):
            page.request("GET", f"/chat/{self.rooms[number % len(self.rooms)]}/")
            answer = page.getresponse()
            answer.read()
            set_by = answer.headers.get_all("Set-Cookie") or []
            return "; ".join(cookie.partition(";")[0] for cookie in set_by)

    async def bring(self, count: int) -> list[Returner]:
        """Browsers that are there already, and go while the others come."""
        browsers = [Returner(self.rooms[number % len(self.rooms)], self.args.missed) for number in range(count)]
        for browser in browsers:
            await browser.come_back(self.args.base)
        return browsers

    def returners(self) -> list[Returner]:
        """Of each hundred, as many as asked for by GraphQL."""
        kinds = [GraphQLReturner if number % 100 < self.args.graphql else Returner for number in range(100)]
        return [
            kinds[number * 37 % 100](self.rooms[number % len(self.rooms)], self.args.missed)
            for number in range(self.args.returning)
        ]

    async def come_back(self, returner: Returner, cookie: str) -> float:
        """Seconds until it has all. Raises one of CONNECT_ERRORS."""
        async with asyncio.timeout(BACK_TIMEOUT):
            await returner.come_back(self.args.base, cookie)
            return await returner.back

    async def posts(self, room: str, seconds: float, posting: asyncio.Event | None = None) -> Posts:
        """The measurements of `benchmarks.posters` in so many seconds; `posting` is set once they begin."""
        args = self.args
        options = ["--base", args.base, "--room", room, "--posters", str(args.posters), "--rooms", str(args.posters)]
        times = ["--seconds", str(seconds), "--pause", str(PAUSE), "--samples", "--announce"]
        command = [sys.executable, "-m", "benchmarks.posters", *options, *times, "--pid", *map(str, args.pid)]
        program = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, limit=1 << 24)
        assert program.stdout is not None
        try:
            await program.stdout.readline()
            if posting:
                posting.set()
            found = await program.stdout.read()
        finally:
            if program.returncode is None:
                program.terminate()
            await program.wait()
        result: Posts = json.loads(found)
        return result


def between(samples: Iterable[tuple[int, int]], started: float, ended: float) -> list[int]:
    """The times of posts that were under way in these seconds, in ascending order."""
    return sorted(took for sent, took in samples if sent < ended * 1e9 and sent + took > started * 1e9)


def compared(calm: Posts, storm: Posts) -> dict[str, Any]:
    """Those who post, in calm and around the storm."""
    keys = ("lost", "doubled", "disordered")
    return {
        **{f"calm_{key}": calm[key] for key in ("p50_ms", "p99_ms")},
        **{f"storm_{key}": storm[key] for key in ("p50_ms", "p99_ms", "max_ms")},
        **{f"posts_{key}": calm[key] + storm[key] for key in keys},
    }


def returned(returners: list[Returner], outcomes: list[float | BaseException]) -> dict[str, Any]:
    """Those who come back: when they had all, and what was not as promised."""
    took = [outcome for outcome in outcomes if isinstance(outcome, float)]
    failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    unforeseen = [error for error in failed if not isinstance(error, CONNECT_ERRORS)]
    if unforeseen:
        raise unforeseen[0]
    ordered = sorted(round(one * 1e9) for one in took)
    return {
        "all_back_s": round(max(took), 2) if took and not failed else None,
        "back_p50_ms": milliseconds(ordered, 0.5),
        "turned_away": len(failed),
        "lost": sum(max(one.never_came, one.order.lost) for one in returners),
        "doubled": sum(one.order.doubled for one in returners),
        "disordered": sum(one.order.disordered for one in returners),
        "errors": [repr(error) for error in failed[:1]],
    }


async def leave_one_by_one(leavers: Sequence[Returner]) -> None:
    """All within a second."""
    for leaver in leavers:
        leaver.leave()
        await asyncio.sleep(1 / len(leavers))


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--base", default="ws://127.0.0.1:8000")
    add("--pid", type=int, nargs="*", default=[], help="the server's processes, to count their CPU")
    add("--database-pid", type=int, nargs="*", default=[], help="the database's, to count its CPU")
    add("--returning", type=int, default=400, help="clients that come back at once")
    add("--graphql", type=int, default=0, help="how many in a hundred of them are GraphQL subscriptions")
    add("--cookies", action="store_true", help="browsers bring the session of a guest, as real ones do")
    add("--leavers", type=int, default=0, help="browsers that are there, and leave within a second of the storm")
    add("--rooms", type=int, default=50, help="that they come back to")
    add("--missed", type=int, default=20, help="messages that each has missed")
    add("--posters", type=int, default=3, help="people who post, each in a room of their own")
    add("--calm", type=float, default=3, help="seconds of their posting without a storm")
    add("--around", type=float, default=6, help="seconds of it around the storm, of which the first is before")
    return parser.parse_args()


if __name__ == "__main__":
    print(json.dumps(uvloop.run(Storm(options()).run())))
