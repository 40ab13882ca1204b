"""The databases that storing is measured on: as durable as a site's, near or at a distance."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import servers
from tests.postgres import postgres


@dataclass(frozen=True)
class Database:
    """`delay` is in milliseconds, each way: what a network puts between the site and PostgreSQL."""

    product: str
    delay: float = 0

    @property
    def name(self) -> str:
        return f"{self.product}, {self.delay:g} ms away" if self.delay else self.product

    @property
    def round_trip(self) -> float:
        """In milliseconds."""
        return 2 * self.delay


SQLITE = Database("SQLite")
NEAR = Database("PostgreSQL")


@dataclass(frozen=True)
class Address:
    """A database: `url` for the site, `near_url` past the distance; `pids` of its server, if there is one."""

    url: str
    near_url: str
    pids: tuple[int, ...] = ()

    @property
    def conninfo(self) -> str:
        """The near PostgreSQL in libpq's words, which don't know Django's URL of a socket."""
        folder, _, name = urlsplit(self.near_url).path.removeprefix("/").rpartition("/")
        return f"host={folder} user=postgres dbname={name}"


@contextlib.contextmanager
def running(database: Database, directory: Path) -> Iterator[Address]:
    """An empty database that lives as long as the block. Raises Unavailable."""
    if database.product == "SQLite":
        url = f"sqlite:///{directory / 'db.sqlite3'}"
        yield Address(url, url)
        return
    with contextlib.ExitStack() as stack:
        try:
            url = stack.enter_context(postgres(options=()))
        except (SystemExit, subprocess.SubprocessError) as error:
            raise servers.Unavailable(str(error)) from error
        folder = Path(urlsplit(url).path).parent
        pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        far_url = stack.enter_context(distant(folder, database.delay, directory)) if database.delay else url
        yield Address(far_url, url, (pid,))


@contextlib.contextmanager
def distant(folder: Path, delay: float, directory: Path) -> Iterator[str]:
    """The URL of the PostgreSQL whose socket is in `folder`, so many milliseconds away."""
    port = servers.free_port()
    target = str(folder / ".s.PGSQL.5432")
    command = [sys.executable, "-m", "benchmarks.slow_proxy", target, str(port), str(delay)]
    with servers.started(command, servers.ROOT, dict(os.environ), directory / "proxy.log") as proxy:
        servers.wait_for(socket.AF_INET, ("127.0.0.1", port), proxy.pid, directory / "proxy.log")
        yield f"postgres://postgres@127.0.0.1:{port}/postgres"
