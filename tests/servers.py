"""The site as a real server process."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent


def environment(**variables: str) -> dict[str, str]:
    """For a process of the site: the tests' settings and database as variables, and `variables` instead of them."""
    settings = {"DJANGO_SETTINGS_MODULE": "mysite.settings", "DATABASE_URL": database_url()}
    return {**os.environ, **settings, **variables}


def database_url() -> str:
    """The database of the running test. Its server is the one in DATABASE_URL, its name is not."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    url = urlsplit(os.environ["DATABASE_URL"])
    return url._replace(path=f"{url.path.rpartition('/')[0]}/{name}").geturl()


_kept: list[socket.socket] = []


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens.

    On Linux nobody is given it again while this process lasts: no caller, no other process, no outgoing connection. A
    port stays with the socket that is bound to it, and a server that sets SO_REUSEADDR, as all do, may listen there.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        if sys.platform == "linux":
            _kept.append(probe.dup())
        return probe.getsockname()[1]


def web_of(root: Path) -> str:
    """The command in the Procfile beside the code in `root`."""
    (command,) = re.findall(r"^web: (.*)$", (root / "Procfile").read_text(), re.MULTILINE)
    return command


def uvicorn_of(root: Path) -> str:
    """The same without its address."""
    return re.sub(r" --(host|port) \S+", "", web_of(root)) + " --log-level warning --host 127.0.0.1"


WEB, UVICORN = web_of(ROOT), uvicorn_of(ROOT)
DAPHNE = "daphne mysite.asgi:application --verbosity 0 --bind 127.0.0.1"


class Server:
    """One instance, on the database of the running test; `variables` are set beside the tests' own.

    `root` is the folder of its code.
    """

    def __init__(self, program: str = UVICORN, root: Path = ROOT, **variables: str) -> None:
        self.program = program
        self.root = root
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.environment = environment(**variables)

    def __enter__(self) -> "Server":
        command = [sys.executable, "-m", *self.program.split(), "--port", str(self.port)]
        self.process = subprocess.Popen(command, cwd=self.root, env=self.environment)
        return self

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 120  # seconds, for a machine on which much else runs
        while True:
            assert self.process.poll() is None, "the server ended at once"
            try:
                urllib.request.urlopen(f"http://{self.host}/chat/", timeout=5).close()
            except urllib.error.URLError:
                assert time.monotonic() < deadline, "the server doesn't answer"
                time.sleep(0.05)
            else:
                return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
