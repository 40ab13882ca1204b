"""A copy of the site's SQLite file, by SQLite's own way to copy a database that is in use.

The source is read in one transaction: so the copy is as of one moment, and needn't begin anew when somebody writes.
In WAL mode nobody waits for it.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.db import connection

from chat.storage.backup.errors import BackupError
from chat.storage.transfer.progress import Progress

FILE_NAME = "database.sqlite3"
PAGES = 1000  # copied at once
PAGE_SIZE = 4096  # bytes, as SQLite makes them by default
BUSY_TIMEOUT = 20.0  # seconds that a writer may take


def version() -> str:
    return sqlite3.sqlite_version


def copy(folder: Path, progress: Progress) -> Path:
    """Copies the site's database into `folder`. The progress is in bytes."""
    path = folder / FILE_NAME
    with _opened(Path(_site()), "ro") as source, _opened(path, "rwc") as target:
        source.execute("BEGIN")
        source.execute("SELECT 1 FROM sqlite_master").fetchone()  # from here on it reads what there is now
        source.backup(target, pages=PAGES, progress=_pages(progress), sleep=0)
        target.execute("PRAGMA journal_mode=DELETE")  # one file
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return path


def restore(path: Path, progress: Progress) -> None:
    """Makes the site's database what is at `path`, in one transaction: broken off, it is what it was."""
    connection.close()
    site = Path(_site())
    site.parent.mkdir(parents=True, exist_ok=True)
    with _opened(path, "ro") as source, _opened(site, "rwc") as target:
        try:
            source.backup(target, pages=PAGES, progress=_pages(progress), sleep=0.1)
        except sqlite3.OperationalError as error:
            raise BackupError(f"{site} can’t be written: {error}. Stop the site first.") from error


def row_counts(path: Path) -> dict[str, int]:
    """The number of rows of each table. Raises BackupError if the file isn't a database that is in order."""
    try:
        with _opened(path, "ro") as copied:
            problem = copied.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if problem != "ok":
                raise BackupError(f"{path} is damaged: {problem}")
            named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
            tables = [name for (name,) in copied.execute(named)]
            return {table: copied.execute(f'SELECT COUNT(*) FROM "{table}"').fetchone()[0] for table in tables}
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{path} is damaged: {error}") from error


def rows(path: Path, statement: str) -> Iterator[tuple[Any, ...]]:
    with _opened(path, "ro") as copied:
        yield from copied.execute(statement)


def migrations(path: Path) -> list[str]:
    """The migrations of the database at `path`, as `chat.0001_rooms_and_messages`."""
    return sorted(f"{app}.{name}" for app, name in rows(path, "SELECT app, name FROM django_migrations"))


def _site() -> str:
    return str(connection.settings_dict["NAME"])


@contextmanager
def _opened(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_TIMEOUT)) as opened:
        yield opened


def _pages(progress: Progress) -> Callable[[int, int, int], None]:
    return lambda status, remaining, total: progress((total - remaining) * PAGE_SIZE, total * PAGE_SIZE)
