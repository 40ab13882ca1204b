"""Starts what a measurement needs, runs the program that measures, and returns what that says."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import databases, servers
from benchmarks.databases import NEAR, Database
from benchmarks.plan import Run
from benchmarks.repeats import Result
from benchmarks.servers import Running
from benchmarks.storing_plan import Load, Stage

RUN_TIMEOUT = 420  # seconds that a program may take


def fan_out(run: Run) -> Result:
    """The driver's measurements of one run, or a `problem`."""
    with TemporaryDirectory(prefix="bench-") as directory:
        try:
            with servers.running(run.server, run.processes, Path(directory)) as server:
                apart = ["--send-base", bases(server)[0]] if run.apart else []
                if run.apart:
                    server = Running(server.ports[1:], server.pids[1:], server.redis)
                where = ["--base", *bases(server), *pids(server), "--redis", server.redis]
                return said_by("driver", [*run.options, *apart, *where])
        except servers.Unavailable as error:
            return {"problem": str(error)}


def storing(stage: Stage) -> Iterator[tuple[Load, Result]]:
    """Each load, and what its program says of a server on the stage's database, or a `problem`."""
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        try:
            address = stack.enter_context(databases.running(stage.database, directory))
            urls = {"database_url": address.url, "near_url": address.near_url}
            server = stack.enter_context(servers.running(servers.SITE, 1, directory, **urls))
        except servers.Unavailable as error:
            yield from ((load, {"problem": str(error)}) for load in stage.loads)
            return
        for load in stage.loads:
            where = ["--base", *bases(server), *pids(server), "--database-pid", *map(str, address.pids)]
            if load.program == "idle_rooms":
                where += ["--database", address.conninfo, "--redis", server.redis]
            yield load, said_by(load.program, [*load.options, *where])


def writing(database: Database, *, quick: bool) -> Result:
    """The measurements of `benchmarks.writing` on one database, or a `problem`."""
    options = ["--rounds", "2", "--messages", "240"] if quick else []
    if database.delay:
        options = ["--rounds", "3", "--messages", "180"]
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        try:
            address = stack.enter_context(databases.running(database, directory))
            variables = stack.enter_context(servers.ready(servers.SITE, directory, address.near_url))
        except servers.Unavailable as error:
            return {"database": database.name, "problem": str(error)}
        variables |= {"DATABASE_URL": address.url, "PYTHONPATH": str(servers.SITE_FOLDER)}
        result = {"database": database.name, **output(["-P", str(servers.HERE / "writing.py"), *options], variables)}
        if database == NEAR:
            program = ["-P", str(servers.HERE / "watching.py"), "--database-pid", *map(str, address.pids)]
            result |= output(program, variables)
        return result


def searching(database: Database, *, quick: bool) -> Result:
    """The result of `benchmarks.searching` with one database, or a `problem`."""
    fewer = ["--messages", "100000", "--times", "20"] if quick else []
    return {"database": database.name, **said_by("searching", ["--database", database.product, *fewer])}


def presence(*, quick: bool) -> Result:
    """The runs of `benchmarks.presence`, or a `problem`."""
    fewer = ["--people", "300", "--churn", "20", "--typing", "10", "--seconds", "3", "--settle", "2"]
    return said_by("presence", fewer if quick else [])


def bases(server: Running) -> list[str]:
    return [f"ws://127.0.0.1:{port}" for port in server.ports]


def pids(server: Running) -> list[str]:
    return ["--pid", *map(str, server.pids)]


def said_by(program: str, options: Sequence[str]) -> Result:
    """The output of a program of this folder."""
    return output(["-m", f"benchmarks.{program}", *options])


def output(arguments: Sequence[str], variables: Mapping[str, str] | None = None) -> Result:
    """The JSON that Python prints with these arguments, or a `problem`."""
    command = [sys.executable, *arguments]
    try:
        done = subprocess.run(
            command, cwd=servers.ROOT, env=variables, capture_output=True, text=True, timeout=RUN_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        return {"problem": f"not done after {RUN_TIMEOUT} seconds"}
    if done.returncode:
        return {"problem": done.stderr.strip() or "the program failed"}
    result: Result = json.loads(done.stdout)
    return result
