"""Files of messages that are in the archive. Slack puts only links to them there; programs that load them add them.

An entry of the archive is found by the file's id in its path, in any folder. Paths of the archive are never those of
files that are written: these are named by ids that are made here.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings

from chat.domain.files import OCTETS, clean_file_name
from chat.file_errors import StorageFull
from chat.storage.transfer.slack.archive import Json, SlackArchive, UnreadableEntry
from chat.storage.transfer.stored_files import FOLDER

IDS = uuid5(NAMESPACE_URL, "files.slack.com")
FILE_ID = re.compile(r"F[0-9A-Z]{2,30}", re.ASCII)
NAMED_BY_ID = re.compile(r"(F[0-9A-Z]{2,30})(?:[-_.](.*))?", re.ASCII | re.DOTALL)  # F02PM6A1AUA-plan.pdf


class ArchivedFiles:
    """The entries of the archive that have the bytes of files."""

    def __init__(self, archive: SlackArchive) -> None:
        self.archive = archive
        self._by_id: dict[str, str] = {}
        self._by_name: dict[tuple[str, str], str] = {}
        for entry in archive.names():
            self._add(entry)

    def _add(self, entry: str) -> None:
        *folders, last = entry.split("/")
        named = NAMED_BY_ID.fullmatch(last)
        # A folder goes before a name, which people have chosen: in F1/F2-plan.pdf is the file F1.
        id = next((folder for folder in reversed(folders) if FILE_ID.fullmatch(folder)), None)
        name = last
        if id is None and named is not None:
            id, name = named[1], named[2] or ""
        if id is not None and last:  # or else it is a folder
            self._by_id.setdefault(id, entry)
            self._by_name.setdefault((id, name), entry)

    def entry(self, id: object, name: object) -> str | None:
        """The name of the entry with the file: of several with its id, the one that is also called `name`."""
        if not isinstance(id, str):
            return None
        return self._by_name.get((id, name) if isinstance(name, str) else (id, ""), self._by_id.get(id))


class Taken(NamedTuple):
    """The files of a message as its line has them, and the names of those that couldn't be taken over."""

    lines: list[Json]
    named: list[str]


class Refused(Exception):
    """A file can't be taken over; says what it is counted as."""


class FileCopies:
    """Copies files of the archive into the export of a channel, in `directory`.

    `left_out` counts those that can't be taken over, by the reason.
    """

    def __init__(self, archived: ArchivedFiles, directory: Path, left_out: Counter[str]) -> None:
        self._archived = archived
        self._directory = directory / FOLDER
        self._left_out = left_out
        self._size = 0  # bytes of all copies

    def take(self, files: Iterable[Json], message: str) -> Taken:
        """Copies the files of the message with that id. Raises StorageFull and OSError."""
        taken, seen = Taken([], []), set()
        for file in files:
            id, name = file.get("id"), file.get("name")
            if isinstance(id, str):
                if id in seen:
                    continue
                seen.add(id)
            try:
                if len(taken.lines) >= settings.CHAT_FILES_PER_MESSAGE:
                    raise Refused(f"files of messages that have more than {settings.CHAT_FILES_PER_MESSAGE:,}")
                taken.lines.append(self._take(id, name, message))
            except Refused as refusal:
                if isinstance(name, str):
                    taken.named.append(name)
                    self._left_out[f"{refusal}: only their names are taken over"] += 1
        return taken

    def _take(self, id: object, name: object, message: str) -> Json:
        """Copies a file, and returns what the message's line says of it. Its type is found when it is imported."""
        entry = self._archived.entry(id, name)
        if entry is None:
            raise Refused("files that aren’t in the ZIP file")
        here = uuid5(IDS, f"{message}/{id}").hex
        size, sha256 = self._copy(entry, self._directory / here)
        called = clean_file_name(name if isinstance(name, str) else entry)
        path = f"{FOLDER}/{here}"
        return {"id": here, "name": called, "type": OCTETS, "size": size, "path": path, "sha256": sha256}

    def _copy(self, entry: str, path: Path) -> tuple[int, str]:
        """Returns the size and the SHA-256 of the entry, by what was unpacked, and not by what the archive says."""
        path.parent.mkdir(exist_ok=True)
        size, digest = 0, hashlib.sha256()
        try:
            with path.open("wb") as copy:
                for piece in self._archived.archive.pieces(entry):
                    size += len(piece)
                    if size > settings.CHAT_FILE_SIZE:
                        raise Refused(f"files of more than {settings.CHAT_FILE_SIZE:,} bytes")
                    if self._size + size > settings.CHAT_FILES_TOTAL:
                        raise StorageFull
                    digest.update(piece)
                    copy.write(piece)
        except UnreadableEntry as error:
            path.unlink()
            raise Refused("files that can’t be read") from error
        except Refused:
            path.unlink()
            raise
        self._size += size
        return size, digest.hexdigest()
