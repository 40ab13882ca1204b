"""A million connections, simulated by measured costs: what they take of each part, and what breaks first.

    python -m benchmarks.plan_million

reads results/latest.json and prints a table for each layout.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.costs import Costs
from benchmarks.crowd import Crowd
from benchmarks.large_site import Day, Layout, Simulation, first_to_break
from benchmarks.tables import number

LATEST = Path(__file__).with_name("results") / "latest.json"
LAYOUTS = {
    "by chance, one Redis": Layout(),
    "by chance, four Redis": Layout(redis_servers=4),
    "rooms of up to 1,000 together, one Redis": Layout(together=1000),
    "rooms of up to 1,000 together, four Redis": Layout(together=1000, redis_servers=4),
}


def main() -> None:
    args = options()
    costs = measured_costs(args.results)
    crowd = Crowd(args.connections, args.rooms, args.tail, args.messages, args.room_rate)
    console = Console(width=160)
    sizes = crowd.sizes()
    console.print(
        f"{crowd.connections:,} connections in {crowd.rooms:,} rooms; the largest have {sizes[0]:,}, {sizes[1]:,} and "
        f"{sizes[2]:,}, half have {sizes[len(sizes) // 2]:,} or fewer. {crowd.messages:,.0f} messages a second."
    )
    console.print("; ".join(f"{one.name} {number(getattr(costs, one.name))}" for one in fields(costs)))
    days = {name: Simulation(crowd, layout, costs).run() for name, layout in LAYOUTS.items()}
    console.print(used(days))
    for name, layout in LAYOUTS.items():
        times, part = first_to_break(crowd, layout, costs)
        console.print(f"{name}: {part.name} at {times:g} times the messages ({part.share:.0%})")


def measured_costs(results: Path) -> Costs:
    return Costs.measured(json.loads(results.read_text()))


def used(days: dict[str, Day]) -> Table:
    """A column for each layout."""
    table = Table("", *days, box=box.MARKDOWN)
    for row in lines(list(days.values())):
        table.add_row(*row)
    return table


def lines(days: list[Day]) -> Iterator[list[str]]:
    for parts in zip(*(day.parts for day in days), strict=True):
        limit = f"{parts[0].name}, of {number(parts[0].limit)} {parts[0].unit}".rstrip()
        yield [limit, *(f"{number(part.used)} ({part.share:.0%})" for part in parts)]
    yield ["deliveries a second", *(number(day.deliveries) for day in days)]
    yield ["Redis: messages in and out a second", *(number(day.redis_messages) for day in days)]
    yield ["PostgreSQL: commits a second", *(number(day.commits) for day in days)]
    yield ["PostgreSQL: messages that watches read a second", *(number(day.watched) for day in days)]
    yield ["seconds until everybody is back", *(number(day.return_of_all) for day in days)]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    crowd = Crowd()
    add("--results", type=Path, default=LATEST, help="measured costs, as `make bench` writes them")
    add("--connections", type=int, default=crowd.connections)
    add("--rooms", type=int, default=crowd.rooms)
    add("--tail", type=float, default=crowd.tail, help="the room of rank k is 1/k**tail as large as the largest")
    add("--messages", type=float, default=crowd.messages, help="a second, in all rooms together")
    add("--room-rate", type=float, default=crowd.room_rate, help="messages a second in one room, at most")
    return parser.parse_args()


if __name__ == "__main__":
    main()
