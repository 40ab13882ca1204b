"""How long a post waits for its echo, and how many a server takes: people who post at once, in one room or in many.

    python -m benchmarks.posters --base ws://127.0.0.1:8000 --posters 60 --rooms 60

prints one line of JSON. Each waits for the echo before the next post.
"""

import argparse
import asyncio
import json
import sys
import uuid
from typing import Any

import uvloop

from benchmarks import proc
from benchmarks.percentiles import milliseconds
from benchmarks.poster import Poster

ECHO_TIMEOUT = 30.0  # seconds after the end, for the last echoes
WARM = 1.0  # seconds of posting that don't count


async def run(args: argparse.Namespace) -> dict[str, Any]:
    posters = await connected(args)
    for poster in posters:
        poster.post()
    await asyncio.sleep(args.warm)
    for poster in posters:
        poster.samples.clear()
    if args.announce:
        print("posting", flush=True)
    used, stored, others = proc.cpu(args.pid), proc.cpu(args.database_pid), proc.others(args.pid)
    await asyncio.sleep(args.seconds)
    took = sorted(took for poster in posters for _, took in poster.samples)
    used, stored = proc.cpu(args.pid) - used, proc.cpu(args.database_pid) - stored
    others = proc.others(args.pid) - others - stored
    for poster in posters:
        poster.stop()
    await asyncio.wait([poster.stopped for poster in posters], timeout=ECHO_TIMEOUT)
    result = {
        "posters": args.posters,
        "rooms": args.rooms,
        "per_s": round(len(took) / args.seconds, 1),
        **{f"{name}_ms": milliseconds(took, share) for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1))},
        "cpu_us_per_post": round(used / max(1, len(took)) * 1e6),
        "database_cpu_us_per_post": round(stored / max(1, len(took)) * 1e6),
        "other_cpus": round(max(0, others) / args.seconds, 2),
        **problems(posters),
    }
    if args.samples:
        result["samples"] = [sample for poster in posters for sample in poster.samples]
    for poster in posters:
        poster.leave()
    return result


async def connected(args: argparse.Namespace) -> list[Poster]:
    room = args.room or f"posters-{uuid.uuid4().hex[:8]}"
    posters = [Poster(f"{room}-{number}", args.pause / 1000) for number in range(args.posters)]
    for number, poster in enumerate(posters):
        base = args.base[number % len(args.base)]
        await poster.connect(f"{base}/ws/chat/{room}-{number % args.rooms}/")
    return posters


def problems(posters: list[Poster]) -> dict[str, Any]:
    """How often a promise was broken: a post without an echo, a message that did not come, came twice or too late."""
    return {
        "lost": sum(poster.order.lost + poster.unanswered for poster in posters),
        "doubled": sum(poster.order.doubled for poster in posters),
        "disordered": sum(poster.order.disordered for poster in posters),
        "closed": sum(poster.closed for poster in posters),
        "errors": [error for poster in posters for error in poster.errors][:1],
    }


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--base", nargs="+", default=["ws://127.0.0.1:8000"], help="the servers; posters are spread over them")
    add("--pid", type=int, nargs="*", default=[], help="the servers' processes, to count their CPU")
    add("--database-pid", type=int, nargs="*", default=[], help="the database's, to count its CPU")
    add("--posters", type=int, default=1)
    add("--rooms", type=int, default=1, help="posters are spread over them")
    add("--room", help="the start of the rooms' names; default: one that nobody has used")
    add("--pause", type=float, default=0, help="milliseconds between an echo and the next post")
    add("--seconds", type=float, default=4)
    add("--warm", type=float, default=WARM, help="seconds of posting that don't count, before")
    add("--samples", action="store_true", help="each post by itself: when it was sent, and how long it took, in ns")
    add("--announce", action="store_true", help="say `posting` once it begins to count")
    return parser.parse_args()


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(options()))), file=sys.stdout)
