"""PostgreSQL's own programs: where they are, and how they find the site's database."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

from chat.storage.backup.errors import BackupError

MESSAGE_MAX = 2000  # characters of what a program says, at its end


def program(name: str, least: int) -> Path:
    """The program of that name, in the folder CHAT_PG_BIN or on PATH, of the major version `least` or later.

    Raises BackupError, which says what to install.
    """
    folder = settings.CHAT_PG_BIN
    found = shutil.which(name, path=folder) if folder else shutil.which(name)
    wanted = f"Install postgresql-client-{least}, or name the folder of its programs in CHAT_PG_BIN."
    if found is None:
        raise BackupError(f"There is no {name} {f'in {folder}' if folder else 'on PATH'}. {wanted}")
    if version_of(Path(found)) < least:
        raise BackupError(f"{found} is of version {version_of(Path(found))}, and {least} is needed. {wanted}")
    return Path(found)


def version_of(program: Path) -> int:
    """Its major version."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    number = re.search(r"\(PostgreSQL\) ([0-9]+)", said)
    return int(number[1]) if number else 0


def server_version() -> int:
    """The major version of the site's server."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10_000


def parameters(name: str | None = None) -> dict[str, Any]:
    """Parameters by which libpq finds the site's database, or the one called `name` on the same server."""
    given: dict[str, Any] = connection.get_connection_params()
    known = {option.keyword.decode() for option in Conninfo.get_defaults()} - {"client_encoding"}
    found = {key: value for key, value in given.items() if key in known and value is not None}
    return found if name is None else {**found, "dbname": name}


def database(name: str | None = None) -> tuple[str, dict[str, str]]:
    """An argument and the environment by which a program finds the site's database, or another one on the same server.

    The password is in the environment, since all users of the machine can see arguments.
    """
    found = parameters(name)
    password = found.pop("password", None)
    return f"--dbname={make_conninfo(**found)}", os.environ | ({"PGPASSWORD": password} if password else {})


@contextmanager
def running(command: list[str | Path], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program, which is fed and read through pipes: so it ends without success if this process is killed.

    Raises BackupError, with what the program says, if it fails.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, start_new_session=True
        )
        try:
            with process, suppress(BrokenPipeError):  # it says by itself why it has gone
                yield process
        except BaseException:
            process.kill()
            raise
        if process.returncode:
            said.seek(0)
            problem = said.read().decode(errors="replace").strip()[-MESSAGE_MAX:]
            name = Path(command[0]).name
            raise BackupError(f"{name} has failed: {problem or f'exit code {process.returncode}'}")
