"""The directory: rooms where something was said, the last active one first, searched by parts of their names."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from chat.domain import rooms
from chat.domain.cursors import cursor, read_cursor, read_number
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.domain.texts import is_storable
from chat.storage.database import reads_long

# By the index on the minute of the last entry, and within a minute by the entries' keys: that is sorted a minute at a
# time. A private room is in the second part, for its members.
LISTED = """
    SELECT * FROM (
        SELECT room.name, room.active_at, COALESCE(last.id, 0) AS last_id
        FROM {rooms}
        LEFT JOIN chat_message AS last ON last.room_id = room.id AND last."offset" = room.last_offset
        WHERE {condition} AND room.last_offset > 0 {matching} {after}
        ORDER BY room.active_at DESC, last_id DESC LIMIT %s
    ) AS {name}
"""
MATCHING = r"AND room.search_name LIKE %s ESCAPE '\'"
AFTER = "AND room.active_at <= %s AND (room.active_at < %s OR COALESCE(last.id, 0) < %s)"
PUBLIC = "chat_room AS room", "NOT room.is_private"
OWN_PRIVATE = (
    "chat_roommember AS member JOIN chat_room AS room ON room.id = member.room_id",
    "member.user_id = %s AND room.is_private AND SUBSTR(room.name, 1, 1) <> '@'",  # without direct rooms
)


@dataclass(frozen=True, slots=True)
class Place:
    """A room's place in the directory, by its last entry: the minute of that, and its key."""

    active_at: datetime
    last_id: int

    @property
    def cursor(self) -> str:
        """The place as a text, from which `at` makes it again."""
        return cursor(self.active_at, self.last_id)

    @classmethod
    def at(cls, given: str) -> "Place":
        """Raises InvalidPage for a text that is no cursor."""
        active_at, last_id = read_cursor(given)
        return cls(active_at, read_number(last_id))


@dataclass(frozen=True, slots=True)
class Listed:
    """A room of the directory."""

    room: Room
    place: Place


@reads_long
def listed(*, person: Person | None = None, size: int, matching: str = "", after: Place | None = None) -> list[Listed]:
    """The next `size` rooms after `after` whose names have `matching` in them, without regard to case.

    Public rooms, and the private ones that `person` is a member of. One statement.
    """
    if not is_storable(matching):
        return []
    parts: list[tuple[str, tuple[str, str], list[Any]]] = [("public", PUBLIC, [])]
    if person is not None and not person.is_guest:
        parts.append(("own", OWN_PRIVATE, [person.user_id]))
    selects: list[str] = []
    values: list[Any] = []
    for name, (tables, condition), given in parts:
        found = LISTED.format(
            name=name,
            rooms=tables,
            condition=condition,
            matching=MATCHING if matching else "",
            after=AFTER if after else "",
        )
        selects.append(found)
        values += [*given, *_pattern(matching), *_place(after), size]
    statement = f"{' UNION ALL '.join(selects)} ORDER BY 2 DESC, 3 DESC LIMIT %s"
    with connection.cursor() as database:
        database.execute(statement, [*values, size])
        rows = database.fetchall()
    return [Listed(Room(name), Place(_time(active_at), last_id)) for name, active_at, last_id in rows]


def _pattern(matching: str) -> list[str]:
    if not matching:
        return []
    plain = rooms.folded(matching)
    for special in ("\\", "%", "_"):
        plain = plain.replace(special, f"\\{special}")
    return [f"%{plain}%"]


def _place(after: Place | None) -> list[Any]:
    if after is None:
        return []
    at = connection.ops.adapt_datetimefield_value(after.active_at)
    return [at, at, after.last_id]


def _time(value: datetime | str) -> datetime:
    """A time as the database gives it: SQLite has no type for it."""
    time = datetime.fromisoformat(value) if isinstance(value, str) else value
    return time if time.tzinfo else time.replace(tzinfo=UTC)
