"""Checks that a backup is what its manifest says, and that its database can be restored."""

from pathlib import Path

from chat.storage.backup import manifest, named_files, postgresql_copy, sqlite_copy
from chat.storage.backup.errors import BackupError
from chat.storage.backup.file_copies import FileCopies
from chat.storage.backup.manifest import Manifest
from chat.storage.transfer.progress import Progress, silent

SHOWN_MAX = 5  # names in an error


def check(folder: Path, progress: Progress = silent) -> Manifest:
    """Compares all files of the backup with their digests, and restores its database where nobody uses it.

    Raises BackupError.
    """
    made = check_digests(folder)
    copies = FileCopies(folder.parent, named_files.storage)
    if wrong := list(copies.wrong(manifest.listed_files(folder), progress)):
        more = f" and {len(wrong) - SHOWN_MAX:,} more" if len(wrong) > SHOWN_MAX else ""
        raise BackupError(f"Files are missing or damaged: {', '.join(wrong[:SHOWN_MAX])}{more}")
    counts = _counts(folder, made)
    if counts != made.tables:
        differing = {name for name, _ in counts.items() ^ made.tables.items()}
        raise BackupError(f"The tables have other numbers of rows than they had: {', '.join(sorted(differing))}")
    return made


def check_digests(folder: Path) -> Manifest:
    """Compares what is beside the manifest. Raises BackupError."""
    made = manifest.read(folder)
    for name, digest in made.digests.items():
        if not manifest.is_safe(name) or "/" in name:
            raise BackupError(f"The manifest names a file outside of its folder: {name!r}")
        if not (folder / name).is_file() or manifest.digest(folder / name) != digest:
            raise BackupError(f"{folder / name} is missing or damaged.")
    return made


def _counts(folder: Path, made: Manifest) -> dict[str, int]:
    if made.database == "postgresql":
        return postgresql_copy.counts_of_restored(folder / postgresql_copy.FILE_NAME, int(made.server))
    return sqlite_copy.row_counts(folder / sqlite_copy.FILE_NAME)
