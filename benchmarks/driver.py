"""The instrument: N subscribers, M messages; deliveries, losses, latency, and what the servers spent on it.

    python -m benchmarks.driver --base ws://127.0.0.1:8000 --pid SERVER --mode gql --n 800

prints one line of JSON. The text of each message carries the clock of when it was sent, which only this process reads.
"""

import argparse
import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator
from statistics import median
from typing import Any

import uvloop
from redis import Redis

from benchmarks import operations, proc
from benchmarks.client_socket import CONNECT_ERRORS
from benchmarks.percentiles import milliseconds
from benchmarks.subscriber import Subscriber, Tally

CALM = 0.06  # of one CPU: a server that uses less is idle
LOOK = 0.5  # seconds from one look at the CPU to the next
SILENCE = 5.0  # seconds without any delivery, after which the rest is given up


class Driver:
    """One run, with the options of `options()`."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.tally = Tally()
        self.rooms = operations.room_names(args.room, args.rooms)
        self.audience = dict.fromkeys(self.rooms, 0)  # how many copies of a message each room's listeners are due
        self.present: list[Subscriber] = []
        self.redis = Redis.from_url(args.redis) if args.redis else None

    async def run(self) -> dict[str, Any]:
        args = self.args
        await self.warm()
        before, memory = proc.cpu(args.pid), proc.resident(args.pid)
        started = time.monotonic()
        failed = await self.connect(args.n)
        took = time.monotonic() - started
        await self.settle()
        connecting, growth = proc.cpu(args.pid) - before, proc.resident(args.pid) - memory
        senders = await self.connect_senders()
        await self.measure(senders, 2)  # what is compiled, cached or allocated on first use, is so now
        visits = asyncio.create_task(self.bring_visitors())
        phases = [await self.measure(senders, args.m) for _ in range(args.repeat)]
        visits.cancel()
        result = {
            "label": args.label,
            "mode": args.mode,
            "n": args.n,
            "m": args.m,
            **{key: sum(phase[key] for phase in phases) for key in ("expected", "got", "lost", "extra")},
            **{key: round(median(phase[key] for phase in phases), 1) for key in MEDIANS},
            "cpu_us_of_each": [phase["cpu_us_per_delivery"] for phase in phases],
            "connect_cpu_ms": round(connecting / args.n * 1e3, 2),
            "connects_per_s": round(args.n / took),
            "kib_per_conn": round(growth / args.n / 1024, 1),
            "rss_mib": round(proc.resident(args.pid) / 2**20),
            "disordered": self.tally.disordered,
            "failed": failed,
            "closed": self.tally.closed,
            "errors": self.tally.errors[:1],
        }
        self.leave()
        return result

    async def warm(self) -> None:
        """A few come, hear something and go, so that what a server does once is not put down to the others."""
        await self.connect(self.args.warm)
        senders = await self.connect_senders()
        await asyncio.sleep(LOOK)
        await self.measure(senders, 5, silence=LOOK)
        self.leave()
        await self.settle()
        self.audience = dict.fromkeys(self.rooms, 0)
        self.tally = Tally()

    async def bring_visitors(self) -> None:
        """Has others come and go all the while, each for a second. The events that they hear don't count."""
        if not self.args.visitors:
            return
        async with asyncio.TaskGroup() as visits:
            for number in itertools.count(self.args.n):
                visits.create_task(self.visit(number))
                await asyncio.sleep(1 / self.args.visitors)

    async def visit(self, number: int) -> None:
        names = self.rooms_of(number)
        try:
            visitor = await self.subscriber(number, names, Tally())
        except CONNECT_ERRORS as error:
            self.tally.errors.append(repr(error))
            return
        try:
            await asyncio.sleep(1)
        finally:
            visitor.leave()

    def leave(self) -> None:
        for subscriber in self.present:
            subscriber.leave()
        self.present = []

    async def connect(self, count: int) -> int:
        """Brings in so many subscribers, spread over servers and rooms. Returns how many were turned away."""
        args = self.args
        gate = asyncio.Semaphore(args.connect_concurrency)
        copies = len(args.query) * args.subscriptions if args.mode == "gql" else 1
        before = len(self.present)

        async def one(number: int) -> None:
            names = self.rooms_of(number)
            for name in names:
                self.audience[name] += copies
            async with gate:
                try:
                    subscriber = await self.subscriber(number, names, self.tally)
                except CONNECT_ERRORS as error:
                    self.tally.errors.append(repr(error))
                    return
            subscriber.due = dict.fromkeys(names, copies)
            self.present.append(subscriber)

        await asyncio.gather(*(one(number) for number in range(count)))
        return count - (len(self.present) - before)

    def rooms_of(self, number: int) -> list[str]:
        return [self.rooms[(number + i) % len(self.rooms)] for i in range(self.args.span)]

    async def subscriber(self, number: int, names: list[str], tally: Tally) -> Subscriber:
        args = self.args
        base = args.base[number % len(args.base)]
        if args.mode == "ws":
            subscriber = Subscriber(tally, ordered=True)
            await subscriber.connect(base + fill(args.ws_path, names[0]), origin=args.origin)
            return subscriber
        queries = args.query * args.subscriptions
        frames = [
            operations.subscribe(
                protocol=args.protocol, id=str(id), query=query, variables=args.variables, names=names, number=number
            )
            for id, query in enumerate(queries, 1)
        ]
        subscriber = Subscriber(tally, frames, ordered=len(frames) == args.span == 1)
        await subscriber.connect(base + args.gql_path, origin=args.origin, protocol=args.protocol)
        return subscriber

    async def connect_senders(self) -> dict[str, Subscriber]:
        """A browser for each room: it posts there, and hears it like everybody else."""
        args = self.args
        senders = {}
        for name in self.rooms:
            senders[name] = Subscriber(self.tally, ordered=True)
            base = args.send_base or args.base[0]
            await senders[name].connect(base + fill(args.send_path, name), origin=args.origin)
            senders[name].due = {name: 1}
            self.audience[name] += 1
        self.present.extend(senders.values())
        return senders

    async def settle(self) -> None:
        """Waits until the servers have been idle for a while: with all that connecting brings about, greetings too."""
        calm_since = time.monotonic()
        deadline = calm_since + self.args.patience
        used = proc.cpu(self.args.pid)
        while time.monotonic() < min(deadline, calm_since + self.args.settle):
            await asyncio.sleep(LOOK)
            used, before = proc.cpu(self.args.pid), used
            if used - before > CALM * LOOK * len(self.args.pid):
                calm_since = time.monotonic()

    async def measure(self, senders: dict[str, Subscriber], messages: int, silence: float = SILENCE) -> dict[str, Any]:
        """Posts so many messages, room after room at the rate asked for, and waits for the last delivery."""
        args = self.args
        names = list(itertools.islice(itertools.cycle(self.rooms), messages))
        expected = sum(self.audience[name] for name in names)
        self.tally.start()
        for subscriber in self.present:
            subscriber.heard = 0
        ran = proc.redis_use(self.redis)
        used, others, started = proc.cpu(args.pid), proc.others(args.pid), time.monotonic()
        for name, due in zip(names, schedule(started, args.rate), strict=False):
            await asyncio.sleep(max(0, due - time.monotonic()))
            text = f"@{time.monotonic_ns()}@ hello from the bench"
            senders[name].say(json.dumps({"message": text}).encode())
        await self.wait_for(expected, silence)
        used, others = proc.cpu(args.pid) - used, (proc.others(args.pid) - others) / (time.monotonic() - started)
        ran = proc.redis_use(self.redis) - ran
        got = len(self.tally.latencies)
        extra = self.extra(Counter(names))
        latencies = sorted(self.tally.latencies) or [0]
        return {
            "expected": expected,
            "got": got,
            "lost": expected - got + extra,
            "extra": extra,
            "cpu_us_per_delivery": round(used / max(got, 1) * 1e6, 1),
            "deliveries_per_s": round(got / max(self.tally.last - started, 1e-9)),
            "p50_ms": milliseconds(latencies, 0.5),
            "p99_ms": milliseconds(latencies, 0.99),
            "max_ms": milliseconds(latencies, 1),
            "redis_per_message": round(ran.commands / messages, 2),
            "redis_cpu_us_per_message": round(ran.cpu / messages * 1e6, 1),
            "other_cpus": round(max(0, others), 2),
        }

    async def wait_for(self, deliveries: int, silence: float) -> None:
        deadline = time.monotonic() + self.args.patience
        while len(self.tally.latencies) < deliveries:
            await asyncio.sleep(0.02)
            if time.monotonic() > min(deadline, self.tally.last + silence):
                return

    def extra(self, posted: Counter[str]) -> int:
        """How many deliveries were not due: the same message once more."""
        due = (sum(copies * posted[name] for name, copies in one.due.items()) for one in self.present)
        return sum(max(0, one.heard - its) for one, its in zip(self.present, due, strict=True))


MEDIANS = (
    "cpu_us_per_delivery",
    "deliveries_per_s",
    "p50_ms",
    "p99_ms",
    "max_ms",
    "redis_per_message",
    "redis_cpu_us_per_message",
    "other_cpus",
)


def fill(path: str, room: str) -> str:
    return path.replace("ROOM", room)


def schedule(start: float, rate: float) -> Iterator[float]:
    """The times at which to send messages, on the monotonic clock."""
    return (start + number / rate for number in itertools.count())


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--label", default="", help="goes into the result as it is")
    add("--base", nargs="+", default=["ws://127.0.0.1:8000"], help="the servers; subscribers are spread over them")
    add("--send-base", help="the server of those who post, if that isn't the first of these")
    add("--pid", type=int, nargs="+", required=True, help="the servers' processes; their children count too")
    add("--origin", help="the Origin header of all sockets; default: each server's own")
    add("--redis", help="URL of the servers' Redis, to count its commands")
    add("--mode", choices=["ws", "gql"], default="ws", help="browser sockets or GraphQL")
    add("--n", type=int, default=200, help="subscribers")
    add("--m", type=int, default=20, help="messages, in all")
    add("--rate", type=float, default=20, help="messages a second, in all")
    add("--repeat", type=int, default=1, help="how often the messages are sent; the result has medians")
    add("--room", default="bench", help="the room, or the start of the rooms' names")
    add("--rooms", type=int, default=1, help="how many rooms; subscribers are spread over them")
    add("--span", type=int, default=1, help="how many of the rooms each subscription names (ROOMS)")
    add("--protocol", choices=list(operations.START), default="graphql-transport-ws")
    add("--users", choices=["same", "distinct"], default="same", help="the `user` of the usual query")
    add("--query", action="append", help="instead of the usual one; again for several subscriptions a connection")
    add("--variables", help="JSON, for all queries; see benchmarks/operations.py for what is replaced in both")
    add("--subscriptions", type=int, default=1, help="how often each connection subscribes to each query")
    add("--gql-path", default="/graphql")
    add("--ws-path", default="/ws/chat/ROOM/")
    add("--send-path", default="/ws/chat/ROOM/")
    add("--visitors", type=float, default=0, help="others that come, every second, and go after one")
    add("--warm", type=int, default=20, help="subscribers that come and go first")
    add("--settle", type=float, default=1.5, help="seconds that the servers have to be idle before messages are sent")
    add("--patience", type=float, default=60, help="seconds at most for settling, and for the last delivery")
    add("--connect-concurrency", type=int, default=50, help="connections that are being made at once")
    args = parser.parse_args()
    if args.mode == "ws" and (args.query or args.subscriptions > 1 or args.span > 1):
        parser.error("queries, --subscriptions and --span are GraphQL's: --mode gql")
    if not args.query:
        args.query = [operations.DISTINCT if args.users == "distinct" else operations.SAME]
        args.variables = args.variables or (operations.DISTINCT_VARIABLES if args.users == "distinct" else None)
    return args


if __name__ == "__main__":
    print(json.dumps(uvloop.run(Driver(options()).run())))
