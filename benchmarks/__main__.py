"""Runs everything in turn, one server at a time: `make bench`, or `python -m benchmarks`."""

import argparse
import dataclasses
import json
import os
import platform
import resource
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import measuring, plan, plot, servers, storing_plan, tables
from benchmarks.databases import Database
from benchmarks.figures import FAR, figures
from benchmarks.measured import Measured, Stored
from benchmarks.plan import Run
from benchmarks.repeats import Result, merged
from benchmarks.storing_plan import Load, Stage

RESULTS = Path(__file__).with_name("results")
PRESENCE = "presence and typing"  # the title of that step
console = Console(width=None if sys.stdout.isatty() else 200)


def main() -> None:
    args = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that what was started is ended then, too
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # for the servers too: a subscriber is an open file
    runs = [run for run in (plan.quick() if args.quick else plan.full()) if args.only in title(run)]
    planned = storing_plan.quick(args.delays) if args.quick else storing_plan.full(args.delays)
    stages = [stage for stage in planned if args.only in stage.title]
    databases = [one for one in plan.databases(args.delays, quick=args.quick) if args.only in writing_title(one)]
    searched = [one for one in plan.searched(quick=args.quick) if args.only in searching_title(one)]
    with_presence = args.only in PRESENCE
    steps_ahead = len(runs) + sum(len(stage.loads) for stage in stages) + len(databases) + len(searched) + with_presence
    with progress() as bar:
        steps = Steps(bar, bar.add_task("", total=steps_ahead))
        measured = Measured(
            steps.fan_out(runs),
            steps.storing(stages),
            steps.writing(databases, quick=args.quick),
            steps.presence(quick=args.quick) if with_presence else [],
            steps.searching(searched, quick=args.quick),
        )
    show(measured, earlier(args.against) if args.against else {}, everything=not (args.quick or args.only))
    path = RESULTS / (args.name or ("quick" if args.quick else "latest"))
    path.parent.mkdir(exist_ok=True)
    path.with_suffix(".json").write_text(json.dumps(report(measured), indent=1, ensure_ascii=False) + "\n")
    plot.draw(measured, path.with_suffix(".png"))
    console.print(f"Written: {path.with_suffix('.json')} and .png")


class Steps:
    """The parts of the plan, with progress: on a terminal a bar, elsewhere a line of JSON for each result."""

    def __init__(self, bar: Progress, task: Any) -> None:
        self.bar = bar
        self.task = task

    def fan_out(self, runs: list[Run]) -> list[tuple[Run, Result]]:
        no_node = servers.install_node() if any(run.server is servers.NODE_PEER for run in runs) else None
        results = []
        for run in runs:
            self.begin(title(run))
            problem = no_node if run.server is servers.NODE_PEER else None
            results.append((run, {"problem": problem} if problem else measuring.fan_out(run)))
            self.end(results[-1][1])
        return results

    def storing(self, stages: list[Stage]) -> list[Stored]:
        """The results of each load on each database, those of repetitions as one."""
        found: dict[tuple[Database, Load], list[Result]] = {}
        for stage in stages:
            self.begin(stage.title)
            for load, result in measuring.storing(stage):
                found.setdefault((stage.database, load), []).append(result)
                self.end({"database": stage.database.name, "load": load.title, **result})
        return [Stored(database, load, merged(results)) for (database, load), results in found.items()]

    def writing(self, databases: list[Database], *, quick: bool) -> list[Result]:
        results = []
        for database in databases:
            self.begin(writing_title(database))
            results.append(measuring.writing(database, quick=quick))
            self.end(results[-1])
        return results

    def searching(self, databases: list[Database], *, quick: bool) -> list[Result]:
        results = []
        for database in databases:
            self.begin(searching_title(database))
            results.append(measuring.searching(database, quick=quick))
            self.end(results[-1])
        return results

    def presence(self, *, quick: bool) -> list[Result]:
        self.begin(PRESENCE)
        result = measuring.presence(quick=quick)
        self.end(result)
        return [result] if "problem" in result else result["runs"]

    def begin(self, what: str) -> None:
        self.bar.update(self.task, description=what)

    def end(self, result: Result) -> None:
        self.bar.advance(self.task)
        if not sys.stdout.isatty():
            console.print_json(json.dumps(result), indent=None)


def show(measured: Measured, before: dict[str, float | None], *, everything: bool) -> None:
    """All tables that have a line; of the figures those that were measured, or `everything`."""
    stored = measured.storing
    shown = [
        tables.deliveries(measured.fan_out),
        tables.loads("posters", "posters", tables.POSTERS, stored),
        tables.loads("storm", "storm", tables.STORMS, stored),
        tables.loads("idle rooms", "idle_rooms", tables.IDLE_ROOMS, stored),
        tables.written(measured.writing),
        tables.presence(measured.presence),
        tables.searched(measured.searching),
        tables.compared((one for one in figures(measured) if everything or one.value is not None), before),
    ]
    console.print(*(table for table in shown if table.row_count))


def report(measured: Measured) -> dict[str, Any]:
    """All that was found, and where."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version()},
        "runs": [
            {"server": run.server.name, "audience": run.audience, "processes": run.processes, **result}
            for run, result in measured.fan_out
        ],
        "storing": [one.row for one in measured.storing],
        "writing": list(measured.writing),
        "presence": list(measured.presence),
        "searching": list(measured.searching),
        "figures": [dataclasses.asdict(figure) | {"verdict": figure.verdict} for figure in figures(measured)],
    }


def earlier(name: str) -> dict[str, float | None]:
    """The values of the figures in a file of results, by what they are."""
    found = json.loads((RESULTS / name).with_suffix(".json").read_text())
    return {figure["what"]: figure["value"] for figure in found["figures"]}


def progress() -> Progress:
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=console, disable=not sys.stdout.isatty())


def title(run: Run) -> str:
    return f"{run.server.name}: {run.audience}"


def writing_title(database: Database) -> str:
    return f"writing: {database.name}"


def searching_title(database: Database) -> str:
    return f"searching: {database.name}"


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer subscribers and messages, in about a minute")
    parser.add_argument("--only", default="", help="what has this in its name, like 'this site: GraphQL' or 'storing'")
    parser.add_argument("--name", help="of the files in benchmarks/results, instead of latest or quick")
    parser.add_argument("--against", help="the name of other results there, to be shown beside the figures")
    distances = "distances of PostgreSQL, in milliseconds each way, beside none"
    parser.add_argument("--delays", type=float, nargs="*", default=[FAR], help=distances)
    return parser.parse_args()


if __name__ == "__main__":
    main()
