"""A dump of the site's PostgreSQL database, by pg_dump, in its custom format.

The number of rows and the names of files are read in a transaction of ours, and the dump is made from the same
snapshot. So all are of one moment, and nobody waits for it.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from chat.storage.backup import postgresql_programs as programs
from chat.storage.backup.errors import BackupError
from chat.storage.transfer.progress import Progress, silent

FILE_NAME = "database.dump"
ROWS = 1000  # that are read at once
CHUNK_SIZE = 1_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of the database: its name for pg_dump, and a cursor that reads it."""

    name: str
    cursor: CursorWrapper

    def read(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement, some at a time."""
        named = f"DECLARE backup_rows NO SCROLL CURSOR FOR {statement}"
        self.cursor.execute(named)
        while True:
            self.cursor.execute(f"FETCH {ROWS} FROM backup_rows")
            rows = self.cursor.fetchall()
            if not rows:
                break
            yield from rows
        self.cursor.execute("CLOSE backup_rows")


@contextmanager
def snapshot() -> Iterator[Snapshot]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        yield Snapshot(cursor.fetchone()[0], cursor)


def version() -> str:
    return str(programs.version_of(programs.program("pg_dump", programs.server_version())))


def dump(folder: Path, of: Snapshot, progress: Progress) -> Path:
    """Dumps the site's database into `folder`. The progress is in bytes."""
    pg_dump = programs.program("pg_dump", programs.server_version())
    argument, environment = programs.database()
    path = folder / FILE_NAME
    options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={of.name}"]
    with programs.running([pg_dump, *options, argument], environment) as process, path.open("wb") as file:
        assert process.stdout is not None
        while chunk := process.stdout.read(CHUNK_SIZE):
            file.write(chunk)
            progress(file.tell(), None)
        file.flush()
        os.fsync(file.fileno())
    return path


def row_counts(cursor: CursorWrapper | psycopg.Cursor) -> dict[str, int]:
    """The number of rows of each table."""
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename")
    counts = {}
    for (table,) in cursor.fetchall():
        cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")
        ((counts[table],),) = cursor.fetchall()
    return counts


def restore(path: Path, made_by: int, *, into: str | None = None, progress: Progress = silent) -> None:
    """Makes the site's database, or the one called `into`, what is in the dump, in one transaction.

    `made_by` is the major version of the pg_dump that has written it. The progress is in bytes.
    """
    pg_restore = programs.program("pg_restore", max(made_by, programs.server_version()))
    argument, environment = programs.database(into)
    connection.close()
    options = ["--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction"]
    size = path.stat().st_size
    with programs.running([pg_restore, *options, argument], environment) as process, path.open("rb") as file:
        assert process.stdin is not None
        while chunk := file.read(CHUNK_SIZE):
            process.stdin.write(chunk)
            progress(file.tell(), size)
        process.stdin.close()


def drop_other_tables(kept: set[str]) -> None:
    """Drops tables that weren't in the backup. A newer release has made them; its migrations make them again."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table not in kept:
                cursor.execute(f"DROP TABLE {connection.ops.quote_name(table)} CASCADE")


def counts_of_restored(path: Path, made_by: int) -> dict[str, int]:
    """Restores the dump into a database of its own, counts, and drops that again. Needs the right to CREATEDB."""
    name = f"check_{secrets.token_hex(8)}"
    with _connected() as server:
        try:
            server.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        except psycopg.errors.InsufficientPrivilege:
            user = server.info.user
            raise BackupError(
                "The backup is there, and hasn't been tried: PostgreSQL doesn't let its user make a database for that. "
                f"As postgres: psql --command 'ALTER ROLE \"{user}\" CREATEDB'"
            ) from None
        try:
            restore(path, made_by, into=name)
            with _connected(name) as restored, restored.cursor() as cursor:
                return row_counts(cursor)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _connected(name: str | None = None) -> Iterator[psycopg.Connection]:
    try:
        with psycopg.connect(**programs.parameters(name), autocommit=True) as server:
            yield server
    except psycopg.Error as error:
        raise BackupError(f"PostgreSQL refuses: {error}") from error
