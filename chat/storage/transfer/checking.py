"""Looks through a whole export before anything of it is stored: nothing half gets in."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from chat.domain import rooms
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import ChatError
from chat.models import Role
from chat.storage.transfer.entry_rows import TYPES, EntryLine, read_entry
from chat.storage.transfer.errors import InvalidExport
from chat.storage.transfer.fields import PERSON_NAME_MAX, Fields
from chat.storage.transfer.file_lines import check_file
from chat.storage.transfer.line_file import digest, read_lines
from chat.storage.transfer.progress import Progress, silent

VERSION = 1
SITE_MAX = 100  # characters
SLOW_MODE_MAX = 2**31 - 1  # seconds, as the column takes them
ROLES = frozenset(role.value for role in Role)
PROGRESS_SIZE = 1000  # lines
# The order of the lines by their types.
STAGES = {**dict.fromkeys(TYPES, 0), "person": 1, "member": 2, "ban": 3, "settings": 4, "end": 5}
ONCE = frozenset({"settings", "end"})
TABLE = """
    CREATE TABLE entry ("offset" INTEGER PRIMARY KEY, id TEXT UNIQUE, type TEXT, target INTEGER, deleted INTEGER,
        author TEXT, client_id TEXT, number INTEGER, UNIQUE (author, client_id))
"""
# Changes of what is no message. A message may be missing: it was pruned.
WRONG_TARGETS = """
    SELECT change.number, 'is a change of what is no message' FROM entry AS change
    JOIN entry AS target ON target."offset" = change.target WHERE target.type <> 'message' LIMIT 1
"""
WRONG_DELETIONS = """
    SELECT entry.number, 'names no deletion that deletes it' FROM entry
    LEFT JOIN entry AS deletion ON deletion."offset" = entry.deleted AND deletion.type = 'deletion'
        AND deletion.target = COALESCE(entry.target, entry."offset")
    WHERE entry.deleted IS NOT NULL AND deletion."offset" IS NULL LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Member:
    person: Person
    role: str


@dataclass(frozen=True, slots=True)
class BanLine:
    person: Person
    by: str
    at: datetime


@dataclass(slots=True)
class CheckedExport:
    """All of an export but its entries, of which there is the number, the first and the last."""

    path: Path
    digest: str
    site: str
    room: Room
    entries: int = 0
    files: int = 0
    first: int = 1
    last: EntryLine | None = None
    last_offset: int = 0
    people: dict[str, Person] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    bans: dict[str, BanLine] = field(default_factory=dict)
    private: bool = False
    read_only: bool = False
    slow_mode: int = 0
    link_previews: bool | None = None


def check(path: Path, progress: Progress = silent) -> CheckedExport:
    """Reads the export at `path` from its beginning to its end. Raises InvalidExport."""
    lines = (Fields(line) for line in read_lines(path))
    first = next(lines, None)
    if first is None:
        raise InvalidExport("The file is empty.")
    export = _read_header(first, path)
    stage = STAGES["message"]
    with _entries() as entries:
        for fields in lines:
            type = fields.one_of("type", frozenset(STAGES))
            is_early = type == "end" and stage != STAGES["settings"]
            if STAGES[type] < stage or (STAGES[type] == stage and type in ONCE) or is_early:
                raise fields.fail(f"a line “{type}” can’t stand here")
            stage = STAGES[type]
            if type in TYPES:
                _add_entry(export, fields, entries)
            else:
                _add_other(export, fields, type)
            if fields.number % PROGRESS_SIZE == 0:
                progress(fields.number, None)
        _find_wrong(entries)
    if stage != STAGES["end"]:
        raise InvalidExport("The file isn’t whole: it has to end with a line “end”.")
    return export


def _read_header(fields: Fields, path: Path) -> CheckedExport:
    fields.one_of("type", frozenset({"room-export"}))
    fields.whole("version", 1, VERSION)
    try:
        room = rooms.find(fields.text("room", rooms.NAME_MAX))
    except ChatError as error:
        raise fields.fail(str(error)) from error
    return CheckedExport(path, digest(path), fields.line_of_text("site", SITE_MAX, shortest=1), room)


def _add_entry(export: CheckedExport, fields: Fields, entries: sqlite3.Connection) -> None:
    entry = read_entry(fields)
    if export.last is None:
        export.first = entry.offset
    elif entry.offset != export.last.offset + 1:
        raise fields.fail(f"has the offset {entry.offset} after {export.last.offset}")
    for file in entry.files:
        check_file(file, export.path.parent, fields)
        export.files += 1
    export.last = entry
    export.entries += 1
    author = entry.person.id if entry.person else ""
    row = (entry.offset, entry.id, entry.type, entry.target, entry.deleted, author, entry.client_id, fields.number)
    try:
        entries.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    except sqlite3.IntegrityError as error:
        raise fields.fail("has the id, or the client id, of an entry before it") from error


def _add_other(export: CheckedExport, fields: Fields, type: str) -> None:
    if type == "person":
        person = fields.person("person")
        export.people[person.id] = person
    elif type == "member":
        member = Member(fields.person("person"), fields.one_of("role", ROLES))
        export.members[member.person.id] = member
    elif type == "ban":
        ban = BanLine(fields.person("person"), fields.line_of_text("by", PERSON_NAME_MAX), fields.time("at"))
        export.bans[ban.person.id] = ban
    elif type == "settings":
        export.private, export.read_only = fields.switch("private"), fields.switch("read_only")
        export.link_previews = fields.switch("link_previews") if fields.has("link_previews") else None
        export.slow_mode = fields.whole("slow_mode", 0, SLOW_MODE_MAX)
    else:
        _add_end(export, fields)


def _add_end(export: CheckedExport, fields: Fields) -> None:
    first, export.last_offset = fields.whole("first", 1), fields.whole("last", 0)
    if export.last is None:
        export.first = first
    expected = export.last.offset if export.last else first - 1
    if (first, export.last_offset) != (export.first, expected):
        raise fields.fail(f"says that the entries are {first} to {export.last_offset}, and they aren’t")


@contextmanager
def _entries() -> Iterator[sqlite3.Connection]:
    """A database of the entries' ids and offsets in a temporary file: a long log needs no memory."""
    connection = sqlite3.connect("", isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute(TABLE)
        connection.execute("BEGIN")
        yield connection
    finally:
        connection.close()


def _find_wrong(entries: sqlite3.Connection) -> None:
    for query in (WRONG_TARGETS, WRONG_DELETIONS):
        if found := entries.execute(query).fetchone():
            raise InvalidExport(found[1], found[0])
