"""Manifests: what a backup consists of, and by which it is checked."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from chat.storage.backup.errors import BackupError

MANIFEST = "manifest.json"
FILE_LIST = "files.sha256"  # in the form that `sha256sum --check` reads, in the folder `files`
FOLDER_OF_FILES = "files"
PART = ".part"
NAME_FORMAT = "%Y%m%dT%H%M%SZ"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A backup that is whole. `tables` has the number of rows of each table, `digests` the SHA-256 of each file beside
    the manifest. `missing` files were deleted on the site while they were to be copied.
    """

    version: int = VERSION
    at: str
    database: str
    """`sqlite` or `postgresql`."""
    server: str
    """The version of SQLite, or of the pg_dump that has written the dump."""
    migrations: list[str]
    tables: dict[str, int]
    files: int = 0
    missing: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        path = folder / MANIFEST
        with path.open("w") as file:
            json.dump(asdict(self), file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())


class ListedFile(NamedTuple):
    name: str
    digest: str


def read(folder: Path) -> Manifest:
    """The manifest of the backup in `folder`. Raises BackupError."""
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_bytes()))
    except FileNotFoundError as error:
        raise BackupError(f"{folder} isn’t a backup, or one that was broken off: it has no {MANIFEST}.") from error
    except (OSError, ValueError, TypeError) as error:
        raise BackupError(f"{folder / MANIFEST} can’t be read: {error}") from error
    if manifest.version != VERSION:
        raise BackupError(f"{folder} is a backup of another version of the site: see its {MANIFEST}.")
    return manifest


def listed_files(folder: Path) -> Iterator[ListedFile]:
    """The files that the backup in `folder` names, and their SHA-256."""
    with (folder / FILE_LIST).open() as file:
        for line in file:
            digest, _, name = line.rstrip("\n").partition("  ")
            if not is_safe(name):
                raise BackupError(f"{folder / FILE_LIST} names a file outside of its folder: {name!r}")
            yield ListedFile(name, digest)


def is_safe(name: str) -> bool:
    """Whether a file of that name lies in the folder that it is looked for in."""
    parts = Path(name).parts
    return bool(parts) and not Path(name).is_absolute() and ".." not in parts and name.isprintable()


def whole_backups(directory: Path) -> list[Path]:
    """The folders of the backups that are whole, the oldest first."""
    return sorted(path.parent for path in directory.glob(f"*/{MANIFEST}") if path.parent.suffix != PART)


def new_name() -> str:
    return datetime.now(UTC).strftime(NAME_FORMAT)


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
