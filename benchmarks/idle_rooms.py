"""The cost of rooms in which nobody says anything: a server's CPU while its clients only listen.

    python -m benchmarks.idle_rooms --base ws://127.0.0.1:8000 --pid SERVER --database CONNINFO --redis URL

prints one line of JSON. Each room has a message, and a listener: GraphQL connections that subscribe to very many rooms.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import psycopg
import uvloop
from redis import Redis

from benchmarks import proc
from benchmarks.client_socket import ClientSocket

ROOMS_PER_SUBSCRIPTION = 50  # CHAT_ROOMS_PER_SUBSCRIPTION
SUBSCRIPTIONS = 20  # on a connection; CHAT_SUBSCRIPTIONS_PER_CONNECTION
JOIN_TIMEOUT = 30.0  # seconds for the rooms of one subscription
FALLING = 0.9  # of what it was; once CPU has not been below that for LOOKS, what joining brought about is over
LOOKS = 3
QUERY = "subscription($rooms:[RoomPosition!]!){roomMessages(rooms:$rooms){message}}"
ROOMS = "INSERT INTO chat_room (name, last_offset, pruned_to) SELECT %s || n, 1, 0 FROM generate_series(1, %s) n"
MESSAGES = """
    INSERT INTO chat_message
    (room_id, "offset", text, person_id, person_name, sender, client_id, sent_at, process, thread)
    SELECT id, 1, 'hello', 'guest-1', 'bench', '', NULL, now(), 1, 'MainThread' FROM chat_room WHERE name LIKE %s
"""


class IdleListener(ClientSocket):
    """A GraphQL connection that subscribes to rooms, and hears nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[str] = []

    def opened(self) -> None:
        self.say(b'{"type":"connection_init"}')

    def take(self, text: bytes) -> None:
        if b'"connection_ack"' in text:
            self.ready.set_result(None)
        elif b'"ping"' in text:
            self.say(b'{"type":"pong"}')
        else:  # there is nothing to hear
            self.errors.append(text[:300].decode(errors="replace"))

    def subscribe(self, rooms: Sequence[str]) -> None:
        variables = {"rooms": [{"roomName": name} for name in rooms]}
        payload = {"query": QUERY, "variables": variables}
        self.say(json.dumps({"type": "subscribe", "id": rooms[0], "payload": payload}).encode())


async def run(args: argparse.Namespace) -> dict[str, Any]:
    await asyncio.to_thread(make_rooms, args.database, args.rooms)
    memory, used, started = proc.resident(args.pid), proc.cpu(args.pid), time.monotonic()
    listeners = await join(args, [f"idle-{number}" for number in range(1, args.rooms + 1)])
    joining, took = proc.cpu(args.pid) - used, time.monotonic() - started
    await settle(args.pid, args.look)
    result = {
        "rooms": args.rooms,
        **await measure(args),
        "join_cpu_us_per_room": round(joining / args.rooms * 1e6),
        "join_s": round(took, 1),
        "kib_per_room": round((proc.resident(args.pid) - memory) / args.rooms / 1024, 2),
        "closed": sum(listener.closed for listener in listeners),
        "errors": [error for listener in listeners for error in listener.errors][:1],
    }
    for listener in listeners:
        listener.leave()
    return result


async def measure(args: argparse.Namespace) -> dict[str, float]:
    """The share of a core, in percent, that the servers use, and the database's processes."""
    used, stored, started = proc.cpu(args.pid), proc.cpu(args.database_pid), time.monotonic()
    await asyncio.sleep(args.seconds)
    took = time.monotonic() - started
    return {
        "percent_of_a_core": round((proc.cpu(args.pid) - used) / took * 100, 2),
        "database_percent": round((proc.cpu(args.database_pid) - stored) / took * 100, 2),
    }


def make_rooms(database: str, count: int) -> None:
    """So many rooms with a message each, in the PostgreSQL that `database` names to libpq."""
    with psycopg.connect(database) as connection:
        connection.execute(ROOMS, ["idle-", count])
        connection.execute(MESSAGES, ["idle-%"])


async def join(args: argparse.Namespace, rooms: Sequence[str]) -> list[IdleListener]:
    """Subscribes to so many rooms, some at a time: the server is in the groups of these before it is given more."""
    redis = Redis.from_url(args.redis)
    listeners: list[IdleListener] = []
    for start in range(0, len(rooms), ROOMS_PER_SUBSCRIPTION):
        if start % (ROOMS_PER_SUBSCRIPTION * SUBSCRIPTIONS) == 0:
            listeners.append(IdleListener())
            await listeners[-1].connect(f"{args.base}/graphql", protocol="graphql-transport-ws")
        names = rooms[start : start + ROOMS_PER_SUBSCRIPTION]
        listeners[-1].subscribe(names)
        async with asyncio.timeout(JOIN_TIMEOUT):
            while not joined(redis, names):  # noqa: ASYNC110  # Redis tells nobody
                await asyncio.sleep(0.005)
    return listeners


def joined(redis: Redis, rooms: Sequence[str]) -> bool:
    """Whether somebody is in the groups of all these rooms."""
    found: Any = redis.pubsub_numsub(*(f"asgi__group__chat_{name}" for name in rooms))
    return all(count for _, count in found)


async def settle(pids: Sequence[int], look: float) -> None:
    """Waits until the servers' CPU doesn't fall any more."""
    least, since = float("inf"), 0
    while since < LOOKS:
        used = proc.cpu(pids)
        await asyncio.sleep(look)
        used = proc.cpu(pids) - used
        since = 0 if used < least * FALLING else since + 1
        least = min(least, used)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--base", default="ws://127.0.0.1:8000")
    add("--pid", type=int, nargs="+", required=True, help="the server's processes")
    add("--database", required=True, help="the server's PostgreSQL as libpq takes it; the rooms are made there")
    add("--database-pid", type=int, nargs="*", default=[], help="its process, to count its CPU")
    add("--redis", required=True, help="URL of its Redis, which tells what groups it is in")
    add("--rooms", type=int, default=40_000)
    add("--seconds", type=float, default=10)
    add("--look", type=float, default=2, help="seconds from one look at the CPU to the next, until it has settled")
    return parser.parse_args()


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(options()))))
