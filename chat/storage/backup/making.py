"""Makes a backup while the site runs."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from chat.storage.backup import manifest, named_files, postgresql_copy, sqlite_copy
from chat.storage.backup.errors import BackupError
from chat.storage.backup.file_copies import FileCopies
from chat.storage.backup.manifest import FILE_LIST, PART, ListedFile, Manifest
from chat.storage.transfer.exclusive import exclusive
from chat.storage.transfer.progress import Progress, silent

LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class Made:
    """A new backup, and how many older ones were deleted."""

    folder: Path
    manifest: Manifest
    dropped: int = 0


def make(
    directory: Path,
    *,
    keep: int | None = None,
    of_database: Progress = silent,
    of_files: Progress = silent,
) -> Made:
    """Makes a backup in `directory`; with `keep`, only the last so many stay. Raises BackupError.

    What one that was broken off has copied of the files needn't be copied again. Its database is: all that was
    acknowledged before this begins is to be in the backup. The progress of the database is in bytes.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with exclusive(directory / LOCK):
        return _make(directory, keep, of_database, of_files)


def _make(directory: Path, keep: int | None, of_database: Progress, of_files: Progress) -> Made:
    for unfinished in directory.glob(f"*{PART}"):
        shutil.rmtree(unfinished)
    name = manifest.new_name()
    if (directory / name).exists():
        raise BackupError(f"{directory / name} is there already: it was made within the same second.")
    part = directory / f"{name}{PART}"
    part.mkdir()
    at = datetime.now(UTC).isoformat(timespec="seconds")
    copy = _Copy(directory, part, of_files)
    copy.database(of_database)
    made = copy.manifest(at)
    made.write(part)
    _sync(part)
    part.rename(directory / name)
    _sync(directory)
    return Made(directory / name, made, _drop_old(directory, keep))


class _Copy:
    """The parts of one backup, as they are made."""

    def __init__(self, directory: Path, part: Path, progress: Progress) -> None:
        self._part = part
        self._files = FileCopies(directory, named_files.storage)
        self._known = _known_digests(directory)
        self._progress = progress
        self._count = 0
        self._missing: list[str] = []
        self._tables: dict[str, int] = {}
        self._migrations: list[str] = []
        self._path = part

    def database(self, progress: Progress) -> None:
        if connection.vendor == "postgresql":
            with postgresql_copy.snapshot() as snapshot:
                self._path = postgresql_copy.dump(self._part, snapshot, progress)
                self._tables = postgresql_copy.row_counts(snapshot.cursor)
                self._migrations = applied_migrations()
                self._copy_files(snapshot.read)
        else:
            self._path = sqlite_copy.copy(self._part, progress)
            self._tables = sqlite_copy.row_counts(self._path)
            self._migrations = sqlite_copy.migrations(self._path)
            self._copy_files(lambda statement: sqlite_copy.rows(self._path, statement))

    def _copy_files(self, read: named_files.Read) -> None:
        with (self._part / FILE_LIST).open("w") as listed:
            for file in self._files.fetch(
                named_files.named_files(read, self._tables, self._migrations), self._known, self._progress
            ):
                if isinstance(file, ListedFile):
                    listed.write(f"{file.digest}  {file.name}\n")
                    self._count += 1
                else:
                    self._missing.append(file)
            listed.flush()
            os.fsync(listed.fileno())

    def manifest(self, at: str) -> Manifest:
        is_postgresql = connection.vendor == "postgresql"
        return Manifest(
            at=at,
            database=connection.vendor,
            server=postgresql_copy.version() if is_postgresql else sqlite_copy.version(),
            migrations=self._migrations,
            tables=self._tables,
            files=self._count,
            missing=self._missing,
            digests={path.name: manifest.digest(path) for path in (self._path, self._part / FILE_LIST)},
        )


def applied_migrations() -> list[str]:
    """The migrations of the site's database, as `chat.0001_rooms_and_messages`."""
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def _known_digests(directory: Path) -> dict[str, str]:
    """The SHA-256 of the files of the last backup."""
    last = manifest.whole_backups(directory)[-1:]
    return {file.name: file.digest for folder in last for file in manifest.listed_files(folder)}


def _drop_old(directory: Path, keep: int | None) -> int:
    """Deletes all but the last `keep` backups, and the files that only these name. Returns how many."""
    old = manifest.whole_backups(directory)[: -keep if keep else None] if keep else []
    for folder in old:
        (folder / manifest.MANIFEST).unlink()  # from here on it isn't whole
        shutil.rmtree(folder)
    if old:
        _drop_files(directory, manifest.whole_backups(directory))
    return len(old)


def _drop_files(directory: Path, folders: Iterable[Path]) -> None:
    names = {file.name for folder in folders for file in manifest.listed_files(folder)}
    FileCopies(directory, named_files.storage).keep_only(names)


def _sync(folder: Path) -> None:
    """Has the disk know the names in the folder."""
    descriptor: Any = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
