"""Runs everything in turn, one server at a time: `make bench`, or `python -m benchmarks`."""

import argparse
import contextlib
import dataclasses
import json
import os
import platform
import resource
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import figures, plan, plot, servers, tables
from benchmarks.plan import Run
from tests.postgres import postgres

RESULTS = Path(__file__).with_name("results")
RUN_TIMEOUT = 420  # seconds that a run may take
console = Console(width=None if sys.stdout.isatty() else 200)


def main() -> None:
    args = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that what was started is ended then, too
    runs = [run for run in (plan.quick() if args.quick else plan.full()) if args.only in title(run)]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # for the servers too: a subscriber is an open file
    no_node = servers.install_node() if any(run.server is servers.NODE_PEER for run in runs) else None
    results = []
    with progress() as bar:
        task = bar.add_task("", total=len(runs))
        for run in runs:
            bar.update(task, description=title(run))
            problem = no_node if run.server is servers.NODE_PEER else None
            result = {"problem": problem} if problem else measure(run)
            results.append((run, result))
            bar.advance(task)
            if not sys.stdout.isatty():
                console.print_json(json.dumps(result), indent=None)
        bar.update(task, description="this site: writing")
        stored = [] if args.only else [measure_writing(name) for name in plan.databases(args.quick)]
    compared = list(figures.Figures(results, stored))
    measured = [figure for figure in compared if figure.value is not None]
    figures_shown = measured if args.quick else compared
    console.print(tables.measured(results), tables.stored(stored), tables.compared(figures_shown))
    path = RESULTS / (args.name or ("quick" if args.quick else "latest"))
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(report(results, stored, compared), indent=1, ensure_ascii=False)
    path.with_suffix(".json").write_text(text + "\n")
    plot.draw(results, path.with_suffix(".png"))
    console.print(f"Written: {path.with_suffix('.json')} and .png")


def measure(run: Run) -> dict[str, Any]:
    """The driver's report, or a `problem`."""
    with TemporaryDirectory(prefix="bench-") as directory:
        try:
            with servers.running(run.server, run.processes, Path(directory)) as server:
                bases = [f"ws://127.0.0.1:{port}" for port in server.ports]
                where = ["--base", *bases, "--pid", *map(str, server.pids), "--redis", server.redis]
                command = [sys.executable, "-m", "benchmarks.driver", *run.options, *where]
                driver = subprocess.run(
                    command, cwd=servers.ROOT, capture_output=True, text=True, timeout=RUN_TIMEOUT, check=False
                )
        except servers.Unavailable as error:
            return {"problem": str(error)}
        except subprocess.TimeoutExpired:
            return {"problem": f"not done after {RUN_TIMEOUT} seconds"}
    if driver.returncode:
        return {"problem": driver.stderr.strip() or "the driver failed"}
    result: dict[str, Any] = json.loads(driver.stdout)
    return result


def measure_writing(database: str) -> dict[str, Any]:
    """What `benchmarks.writing` says of one database, or a `problem`."""
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        try:
            url = stack.enter_context(postgres(options=())) if database == "PostgreSQL" else ""
            variables = stack.enter_context(servers.ready(servers.SITE, directory, url))
            command = [sys.executable, "-m", "benchmarks.writing"]
            done = subprocess.run(
                command,
                cwd=servers.ROOT,
                env=variables,
                capture_output=True,
                text=True,
                timeout=RUN_TIMEOUT,
                check=True,
            )
        except (servers.Unavailable, subprocess.SubprocessError, SystemExit) as error:
            return {"database": database, "problem": str(error)}
    return {"database": database, **json.loads(done.stdout)}


def report(
    results: list[tuple[Run, dict[str, Any]]], stored: list[dict[str, Any]], compared: list[figures.Figure]
) -> dict[str, Any]:
    """All that was found, and where."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version()},
        "runs": [
            {"server": run.server.name, "audience": run.audience, "processes": run.processes, **result}
            for run, result in results
        ],
        "writing": stored,
        "figures": [dataclasses.asdict(figure) | {"verdict": figure.verdict} for figure in compared],
    }


def progress() -> Progress:
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=console, disable=not sys.stdout.isatty())


def title(run: Run) -> str:
    return f"{run.server.name}: {run.audience}"


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer subscribers and messages, in about a minute")
    parser.add_argument("--only", default="", help="those runs whose name has this in it, like 'this site: GraphQL'")
    parser.add_argument("--name", help="of the files in benchmarks/results, instead of latest or quick")
    return parser.parse_args()


if __name__ == "__main__":
    main()
