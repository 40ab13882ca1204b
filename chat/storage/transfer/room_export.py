"""Exports a room: its log, the people in it, its settings. It may be in use meanwhile.

The log is read up to where it ends by then; the last entries, and what isn't in the log, are read while the room is
locked. So all that the file says is as of its last entry.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from chat import models
from chat.domain import people
from chat.domain.people import USER, USER_ID
from chat.domain.rooms import Room
from chat.models import Message
from chat.storage import accounts
from chat.storage.transfer import entry_lines
from chat.storage.transfer.entry_lines import ENTRY_TYPES, UNKNOWN
from chat.storage.transfer.errors import TransferError
from chat.storage.transfer.exclusive import exclusive
from chat.storage.transfer.file_lines import file_lines
from chat.storage.transfer.line_file import Json, LineWriter
from chat.storage.transfer.progress import Progress, silent
from chat.storage.transfer.site import site_id

FILE_NAME = "room.jsonl"
LOCK = ".lock"
VERSION = 1
BATCH_SIZE = 500  # entries that are read at once


@dataclass(frozen=True, slots=True)
class Exported:
    """The file, and how many entries it has."""

    path: Path
    entries: int


def header(room_name: str) -> Json:
    return {"type": "room-export", "version": VERSION, "site": site_id(), "room": room_name}


def export_room(room: Room, directory: Path, progress: Progress = silent) -> Exported:
    """Writes the room into `directory`, or goes on where that was broken off. Raises TransferError."""
    here = models.Room.objects.filter(name=room.name).first()
    if here is None:
        raise TransferError(f"There is no room “{room.name}”.")
    export = _RoomExport(here, directory)
    directory.mkdir(parents=True, exist_ok=True)
    with exclusive(directory / LOCK), LineWriter(directory / FILE_NAME, export.keep) as file:
        export.check()
        for line in export.lines(progress):
            file.write(line)
        file.finish()
    return Exported(directory / FILE_NAME, export.entries)


class _RoomExport:
    """How far the export of one room is: the last entry that is in the file, and the users who are named there."""

    def __init__(self, room: models.Room, directory: Path) -> None:
        self._room = room
        self._directory = directory
        self._header = header(room.name)
        self._has_header = False
        self._first: int | None = None
        self._last: Json | None = None
        self._users: set[str] = set()
        self.entries = 0

    def keep(self, line: Json) -> bool:
        """Whether the line, which the file has already, stays. All after the entries is written anew."""
        if not self._has_header:
            if line != self._header:
                raise TransferError("The directory has an unfinished export of something else. Choose another one.")
            self._has_header = True
            return True
        if line.get("type") not in {*ENTRY_TYPES, UNKNOWN}:
            return False
        self._note(line)
        return True

    def check(self) -> None:
        """Raises TransferError if the file goes on with another log than it began with."""
        if self._last is not None:
            there = Message.objects.filter(room=self._room.pk, offset=self._last["offset"]).first()
            if there is None or there.entry_id != self._last["id"]:
                raise TransferError("The unfinished export is of entries that are gone. Remove it, and start over.")

    def lines(self, progress: Progress) -> Iterator[Json]:
        """The lines that are missing in the file."""
        if not self._has_header:
            yield self._header
        while len(rows := self._next_rows()) == BATCH_SIZE:
            yield from self._lines_of(rows)
            progress(self.entries, self._room.last_offset - self._room.pruned_to)
        with transaction.atomic():
            self._room = models.Room.objects.select_for_update().get(pk=self._room.pk)
            while rows := self._next_rows():
                yield from self._lines_of(rows)
            yield from self._closing_lines()
        progress(self.entries, self.entries)

    def _next_rows(self) -> list[Message]:
        after = self._last["offset"] if self._last else 0
        log = Message.objects.filter(room=self._room.pk, offset__gt=after).order_by("offset")
        rows = list(log[:BATCH_SIZE])
        if rows and self._last and rows[0].offset != after + 1:
            raise TransferError("Messages were pruned while they were exported. Remove the unfinished export.")
        return rows

    def _lines_of(self, rows: list[Message]) -> Iterator[Json]:
        around = entry_lines.surroundings(self._room.pk, rows)
        for row in rows:
            line = entry_lines.line_of(row, around)
            if files := file_lines(row, self._directory):
                line["files"] = files
            self._note(line)
            yield line

    def _note(self, line: Json) -> None:
        self._last = line
        self._first = self._first or line["offset"]
        self.entries += 1
        named = [line.get("person"), *line.get("mentions", ()), *(one["person"] for one in line.get("everybody", ()))]
        self._users.update(person["id"] for person in named if person and USER_ID.fullmatch(person["id"]))

    def _closing_lines(self) -> Iterator[Json]:
        room = self._room
        members = list(room.members.select_related("user__chat_profile").order_by("user_id"))
        users = {people.of_user(member.user).id for member in members} | self._users
        by_pk = accounts.users().in_bulk([int(id.removeprefix(USER)) for id in users])
        for pk in sorted(by_pk):
            yield {"type": "person", "person": people.of_user(by_pk[pk]).as_json()}
        for member in members:
            yield {"type": "member", "person": people.of_user(member.user).as_json(), "role": member.role}
        for ban in room.bans.order_by("id"):
            person = {"id": ban.person_id, "name": ban.person_name}
            yield {"type": "ban", "person": person, "by": ban.by, "at": ban.at.isoformat()}
        settings = {"private": room.is_private, "read_only": room.read_only, "slow_mode": room.slow_mode}
        if room.link_previews is not None:
            settings["link_previews"] = room.link_previews
        yield {"type": "settings", **settings}
        yield {"type": "end", "first": self._first or room.last_offset + 1, "last": room.last_offset}
