"""The cost of presence and typing in a large room: people who stay, while others come and go, and some type.

    python -m benchmarks.presence --people 3000 --churn 50 --processes 2

starts the site, with a Redis and a database of its own, and prints JSON with three runs: clients that ask for nothing,
those that ask for presence and typing, and the first once more. Everybody is a guest.
"""

import argparse
import asyncio
import contextlib
import json
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvloop
from redis import Redis

from benchmarks import proc, servers
from benchmarks.client_socket import ClientSocket

TYPES_EVERY = 3.0  # seconds, of each who types
STAYS = 2.0  # seconds, of those who come and go
CONNECTING_MAX = 50  # at once
WISHES = "presence,typing"  # of clients that ask for both


class Visitor(ClientSocket):
    """Counts frames of presence and typing, in all and in each second."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0
        self.frames: dict[str, int] = {"presence": 0, "typing": 0}
        self.by_second: dict[tuple[str, int], int] = {}
        self.count = 0

    def take(self, text: bytes) -> None:
        self.bytes += len(text)
        for kind in self.frames:
            if text.startswith(f'{{"kind":"{kind}"'.encode()):
                self.frames[kind] += 1
                second = kind, int(time.monotonic())
                self.by_second[second] = self.by_second.get(second, 0) + 1
                if kind == "presence":
                    self.count = json.loads(text)["count"]

    def start(self) -> None:
        self.bytes, self.by_second = 0, {}
        self.frames = dict.fromkeys(self.frames, 0)


async def measure(running: servers.Running, redis: Redis, args: argparse.Namespace, wishes: str) -> dict[str, Any]:
    bases = [f"ws://127.0.0.1:{port}" for port in running.ports]
    room = f"/ws/chat/bench-{time.monotonic_ns()}/?with={wishes}"
    people = [Visitor() for _ in range(args.people)]
    gate = asyncio.Semaphore(CONNECTING_MAX)

    async def enter(number: int, visitor: Visitor) -> None:
        async with gate:
            await visitor.connect(f"{bases[number % len(bases)]}{room}")

    await asyncio.gather(*(enter(number, one) for number, one in enumerate(people)))
    await asyncio.sleep(args.settle)
    known = people[0].count
    for one in people:
        one.start()
    published, used, began = commands(redis), proc.cpu(running.pids), time.monotonic()
    async with asyncio.timeout(args.seconds + 30):
        await asyncio.gather(
            churn(bases, room, args), *(type_on(one, args.seconds) for one in people[: args.typing if wishes else 0])
        )
    took = time.monotonic() - began
    used, published = proc.cpu(running.pids) - used, commands(redis) - published
    for one in people:
        one.leave()
    return {
        "with": wishes,
        "people": args.people,
        "churn": args.churn,
        "processes": len(running.ports),
        "seconds": round(took, 1),
        "known_of": known,
        "presence_frames_per_client_per_s": round(
            sum(one.frames["presence"] for one in people) / len(people) / took, 2
        ),
        "typing_frames_per_client_per_s": round(sum(one.frames["typing"] for one in people) / len(people) / took, 2),
        "most_frames_of_a_kind_in_any_second": max((n for one in people for n in one.by_second.values()), default=0),
        "kib_per_client_per_s": round(sum(one.bytes for one in people) / len(people) / took / 1024, 2),
        "percent_of_a_core": round(used / took * 100, 1),
        "redis_publishes_per_s": round(published / took, 1),
    }


async def churn(bases: list[str], room: str, args: argparse.Namespace) -> None:
    """Half of `churn` come in each second, and stay for a while; as many go."""
    loop = asyncio.get_running_loop()
    until, pause = loop.time() + args.seconds, 2 / args.churn

    async def visit(base: str) -> None:
        visitor = Visitor()
        with contextlib.suppress(OSError):
            await visitor.connect(f"{base}{room}")
            await asyncio.sleep(STAYS)
            visitor.leave()

    visits: list[asyncio.Task[None]] = []
    next_at = loop.time()
    while loop.time() < until:
        visits.append(asyncio.create_task(visit(bases[len(visits) % len(bases)])))
        next_at += pause
        await asyncio.sleep(max(0.0, next_at - loop.time()))
    await asyncio.gather(*visits)


async def type_on(visitor: Visitor, seconds: float) -> None:
    for _ in range(int(seconds / TYPES_EVERY)):
        visitor.say(b'{"typing":true}')
        await asyncio.sleep(TYPES_EVERY)


def commands(redis: Redis) -> int:
    found: Any = redis.info("commandstats")
    return int(found.get("cmdstat_publish", {"calls": 0})["calls"])


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--people", type=int, default=3000, help="who stay")
    add("--churn", type=int, default=50, help="comings and goings in a second")
    add("--typing", type=int, default=30, help="who type")
    add("--processes", type=int, default=2, help="of the site")
    add("--seconds", type=float, default=15)
    add("--settle", type=float, default=6, help="seconds after all have come")
    return parser.parse_args()


def main() -> None:
    args = options()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with (
        TemporaryDirectory(prefix="bench-") as directory,
        servers.running(servers.SITE, args.processes, Path(directory)) as running,
    ):
        redis = Redis.from_url(running.redis)
        runs = [uvloop.run(measure(running, redis, args, wishes)) for wishes in ("", WISHES, "")]
    print(json.dumps({"runs": runs}))


if __name__ == "__main__":
    main()
