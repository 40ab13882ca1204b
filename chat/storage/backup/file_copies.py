"""The files that a backup's database names, in the site's storage and in the directory of the backups.

A file doesn't change under its name. So one that is there needs no second copy, and on the same file system the copy is
a hard link. Only the picture of a linked page may be another one later; then the first one stays in the backups.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from django.core.files import File
from django.core.files.storage import Storage

from chat.storage.backup import manifest
from chat.storage.backup.manifest import FOLDER_OF_FILES, PART, ListedFile
from chat.storage.file_store import outages_as_os_errors
from chat.storage.transfer.progress import Progress


class FileCopies:
    """The files of all backups in `directory`, copied from and to `storage`."""

    def __init__(self, directory: Path, storage: Callable[[], Storage]) -> None:
        self._folder = directory / FOLDER_OF_FILES
        self._storage = storage

    def path(self, name: str) -> Path:
        return self._folder / name

    def fetch(self, names: Iterable[str], known: dict[str, str], progress: Progress) -> Iterator[ListedFile | str]:
        """Copies those that aren't here yet, and yields all with their SHA-256; or the name alone of a missing one.

        `known` has the SHA-256 of what earlier backups have copied.
        """
        for number, name in enumerate(names, 1):
            path = self.path(name)
            digest = known.get(name) if path.exists() else None
            if digest is None and not self._fetch(name, path):
                yield name
            else:
                yield ListedFile(name, digest or manifest.digest(path))
            progress(number, None)

    def _fetch(self, name: str, path: Path) -> bool:
        """Copies one file, under another name until it is whole. Returns whether the storage has it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + PART)
        part.unlink(missing_ok=True)
        try:
            with suppress(NotImplementedError, OSError):  # no folder, or one on another file system
                os.link(self._storage().path(name), part)
            if not part.exists():
                with outages_as_os_errors(), self._storage().open(name, "rb") as source, part.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
                    copy.flush()
                    os.fsync(copy.fileno())
        except FileNotFoundError:
            part.unlink(missing_ok=True)
            return False
        part.rename(path)
        return True

    def bring_back(self, files: Iterable[ListedFile], progress: Progress) -> int:
        """Copies those into the storage that it hasn't. Returns how many these were."""
        copied = 0
        for number, file in enumerate(files, 1):
            path = self.path(file.name)
            storage = self._storage()
            with outages_as_os_errors():
                copied += _bring_back(path, file.name, storage)
            progress(number, None)
        return copied

    def wrong(self, files: Iterable[ListedFile], progress: Progress) -> Iterator[str]:
        """The names of those that are missing, or aren't what they were."""
        for number, file in enumerate(files, 1):
            path = self.path(file.name)
            if not path.is_file() or manifest.digest(path) != file.digest:
                yield file.name
            progress(number, None)

    def keep_only(self, names: set[str]) -> int:
        """Deletes all other files. Returns how many these were."""
        deleted = 0
        for path in [*self._folder.rglob("*")] if self._folder.exists() else []:
            if path.is_file() and path.relative_to(self._folder).as_posix() not in names:
                path.unlink()
                deleted += 1
        return deleted


def _bring_back(path: Path, name: str, storage: Storage) -> bool:
    """Copies one file into the storage, unless that has it whole. Returns whether it had to."""
    if storage.exists(name):
        if storage.size(name) == path.stat().st_size:
            return False
        storage.delete(name)  # a half that was broken off
    with path.open("rb") as content:
        storage.save(name, File(content))
    return True
