"""The ZIP file that Slack makes: read entry by entry, and never unpacked to the paths in it."""

import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from chat.storage.transfer.errors import TransferError

JSON_MAX = 100_000_000  # bytes of one file of messages, unpacked
MEMBERS_MAX = 1_000_000  # files in the archive
PIECE_BYTES = 1 << 16  # that are unpacked at once
# Others unpack a small piece of the archive to as much as it likes, whatever the reader asks for.
COMPRESSIONS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
UNREADABLE = (OSError, ValueError, RuntimeError, NotImplementedError, EOFError, zipfile.BadZipFile, zlib.error)
DAY = re.compile(r"(?P<folder>[^/]+)/[0-9]{4}-[0-9]{2}-[0-9]{2}\.json")
LISTS = {"channels.json": False, "groups.json": True, "dms.json": True, "mpims.json": True}
"""The lists of channels, and whether what they list is private."""

Json = dict[str, Any]


class UnreadableEntry(TransferError):
    """An entry of the archive is damaged, encrypted, or compressed in a way that Slack never uses."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, by what its list says. `folder` is where its messages are; `name` is empty for direct messages."""

    id: str
    name: str
    folder: str
    private: bool
    members: tuple[str, ...]
    creator: str


class SlackArchive:
    """Raises TransferError for all that can't be read."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise TransferError(f"{path} can’t be read as a ZIP file: {error}") from error
        names = self._zip.namelist()
        if len(names) > MEMBERS_MAX:
            raise TransferError(f"{path} has more than {MEMBERS_MAX:,} files in it.")
        self._names = {*names}
        self._days: dict[str, list[str]] = {}
        for name in sorted(self._names):
            if day := DAY.fullmatch(name):
                self._days.setdefault(day["folder"], []).append(name)
        if "users.json" not in self._names or not self._names & {*LISTS}:
            raise TransferError(f"{path} is no export of Slack: it has no users.json, or no channels.json.")

    def __enter__(self) -> "SlackArchive":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def users(self) -> list[Json]:
        return self._list("users.json")

    def channels(self) -> list[Channel]:
        """All channels, in the order of their lists."""
        found = {}
        for list_name, private in LISTS.items():
            for one in self._list(list_name) if list_name in self._names else []:
                id, name = one.get("id"), one.get("name", "")
                if isinstance(id, str) and isinstance(name, str):
                    members = tuple(member for member in one.get("members") or () if isinstance(member, str))
                    found[id] = Channel(id, name, name or id, private, members, str(one.get("creator") or ""))
        return list(found.values())

    def messages(self, channel: Channel) -> Iterator[Json]:
        """The messages of a channel, the oldest first; a day of them at once is in memory."""
        for name in self._days.get(channel.folder, []):
            yield from sorted(self._list(name), key=lambda one: str(one.get("ts", "")))

    def names(self) -> list[str]:
        """The names of all entries but days of messages, in an order that is always the same."""
        return sorted(name for name in self._names if not DAY.fullmatch(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of an entry as they are unpacked, however many it says that it has. Raises UnreadableEntry."""
        try:
            if self._zip.getinfo(name).compress_type not in COMPRESSIONS:
                raise NotImplementedError("It is compressed otherwise than by Deflate.")
            with self._zip.open(name) as file:
                while piece := file.read(PIECE_BYTES):
                    yield piece
        except UNREADABLE as error:
            raise UnreadableEntry(f"{name} can’t be read: {error}") from error

    def _list(self, name: str) -> list[Json]:
        """The objects of a JSON file that is a list."""
        content = bytearray()
        for piece in self.pieces(name):
            content += piece
            if len(content) > JSON_MAX:
                raise TransferError(f"{name} has more than {JSON_MAX:,} bytes.")
        try:
            value = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise TransferError(f"{name} can’t be read: {error}") from error
        if not isinstance(value, list):
            raise TransferError(f"{name} is no list.")
        return [one for one in value if isinstance(one, dict)]
