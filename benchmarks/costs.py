"""Costs of connections, deliveries and messages, taken from the results of a run of the benchmarks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.plan import HEARING, Run
from benchmarks.servers import SITE
from benchmarks.storing_plan import posters_title

Report = Mapping[str, Any]  # results/latest.json

LARGE = Run(SITE, "ws", 3000)


@dataclass(frozen=True)
class Costs:
    """CPU is in microseconds, memory in KiB."""

    connect: float  # a browser that comes, without what it missed
    come_back: float  # a browser that comes with a session and twenty missed messages
    delivery: float  # to a browser, rendered already
    post: float  # a message, in the process that it was posted in: received, stored, published, and its echo
    hear: float  # a message, in another process that has listeners in its room
    idle_room: float  # a second, for a process that listens to the room
    publish: float  # Redis: a message with the copy for one process
    copy: float  # Redis: the copy for each further process
    store: float  # PostgreSQL: a message, in commits of several
    watch: float  # a message anywhere on the site, for each process that looks what is new
    watched: float  # PostgreSQL: the same
    connection_memory: float
    room_memory: float
    process_memory: float

    @classmethod
    def measured(cls, report: Report) -> "Costs":
        """Raises LookupError where a result that is needed isn't in the report."""
        large, hearing = (_run(report, run) for run in (LARGE, HEARING))
        delivery = large["cpu_us_per_delivery"]
        posting = _load(report, "posters", posters_title(60, 60))
        storm = _load(report, "storm", "400 browsers")
        idle = _load(report, "idle_rooms", "40,000")
        watching = _written(report)
        # A thousand messages a second, each with two copies. That reading one costs what writing one does is assumed.
        copy = hearing["redis_cpu_us_per_message"] / 3
        return cls(
            connect=large["connect_cpu_ms"] * 1000,
            come_back=storm["cpu_ms_per_return"] * 1000,
            delivery=delivery,
            post=posting["cpu_us_per_post"],
            # Each message was delivered twice, once of it in the process that isn't counted.
            hear=max(delivery, 2 * hearing["cpu_us_per_delivery"] - delivery),
            idle_room=idle["percent_of_a_core"] / 100 * 1e6 / idle["rooms"],
            publish=2 * copy,
            copy=copy,
            store=posting["database_cpu_us_per_post"],
            watch=watching["µs to look at a changed room"],
            watched=watching["µs of the database's"],
            connection_memory=large["kib_per_conn"],
            room_memory=idle["kib_per_room"],
            process_memory=large["rss_mib"] * 1024 - large["kib_per_conn"] * large["n"],
        )


def _run(report: Report, wanted: Run) -> Mapping[str, Any]:
    for one in report["runs"]:
        if (one["server"], one["audience"]) == (wanted.server.name, wanted.audience):
            return _whole(one)
    raise LookupError(f"{wanted.server.name}: {wanted.audience}")


def _load(report: Report, program: str, title: str) -> Mapping[str, Any]:
    for one in report["storing"]:
        if (one["database"], one["program"], one["load"]) == ("PostgreSQL", program, title):
            return _whole(one)
    raise LookupError(f"{program}: {title}")


def _written(report: Report) -> Mapping[str, Any]:
    for one in report["writing"]:
        if one["database"] == "PostgreSQL":
            return _whole(one)
    raise LookupError("writing: PostgreSQL")


def _whole(result: Mapping[str, Any]) -> Mapping[str, Any]:
    if "problem" in result:
        raise LookupError(result["problem"])
    return result
