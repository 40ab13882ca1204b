"""Changes: the rooms that have new entries since one looked last, at a cost by these and not by all rooms.

Every entry is a row with a primary key of its own, whichever release or program writes it, and keys are given in the
order 1, 2, 3 … So a look reads the rows above the highest key that it has seen. PostgreSQL shows rows in the order of
the commits, though, and not of the keys: a key that is missing below may still be that of a transaction under way. So
gaps are remembered, and looked at again for a while. Most of them stay empty: keys of what was rolled back.
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection

from chat import models
from chat.domain.logs import Changes
from chat.domain.positions import Position
from chat.domain.rooms import Room

GAP_LIFETIME = 60.0  # seconds that a transaction may take from its first entry to its end, and is still noticed here
GAPS_MAX = 200  # the oldest ones are given up where there are more
FIRST_LOOK = 1000  # keys below the highest one in which the first look searches for gaps

# All in one statement, so it is as of one moment. Rows of three shapes: first what is at the key that was the highest
# when one looked last, and what is at the one that is now; the last entry of each room that has changed; the gaps.
SELECT_CHANGES = """
    WITH new AS (
        SELECT id, room_id, "offset", LAG(id, 1, CAST(%s AS bigint)) OVER (ORDER BY id) AS previous
        FROM chat_message WHERE id > %s
    ),
    changed AS (
        SELECT room_id, MAX("offset") AS "offset"
        FROM (SELECT room_id, "offset" FROM new {in_gaps}) AS entry GROUP BY room_id
    )
    SELECT 'newest' AS shape, (SELECT CAST(uid AS text) FROM chat_message WHERE id = %s) AS name,
        (SELECT id FROM chat_message WHERE id = %s) AS "offset",
        (SELECT MAX(id) FROM new) AS id,
        (SELECT CAST(uid AS text) FROM chat_message WHERE id = (SELECT MAX(id) FROM new)) AS uid
    UNION ALL
    SELECT 'changed', room.name, message."offset", message.id, CAST(message.uid AS text)
    FROM changed
    JOIN chat_room AS room ON room.id = changed.room_id
    JOIN chat_message AS message ON message.room_id = changed.room_id AND message."offset" = changed."offset"
    UNION ALL
    SELECT 'gap', NULL, previous + 1, id - 1, NULL FROM new WHERE id > previous + 1
"""
IN_GAPS = 'UNION ALL SELECT room_id, "offset" FROM chat_message WHERE {ranges}'


class Newest(NamedTuple):
    """The entry with the highest primary key, and its id. A database that was set back may give the key again."""

    pk: int
    id: str | None


NOTHING = Newest(0, None)  # in a database without entries


class Gap(NamedTuple):
    """The first and the last of some missing keys, and when they were first missed, as time.monotonic() has it."""

    first: int
    last: int
    since: float


class ChangeLook:
    """Looks for changes, each time for those since the time before. Not to be used by two threads at once."""

    def __init__(self) -> None:
        self._newest: Newest | None = None
        self._gaps: list[Gap] = []

    def look(self) -> Changes:
        """The changes since the last time. One statement, but for the first time.

        Everything may have changed the first time, and where the log went back: the entry that was the newest is gone,
        or it is another one.
        """
        if self._newest is not None:
            found = _read(self._newest.pk, self._newest.pk, self._gaps)
            if found.before == self._newest:
                self._remember(found)
                return Changes({Room(name).group: end for name, end in found.ends.items()})
        self._newest, self._gaps = _read_newest(), []
        self._remember(_read(max(0, self._newest.pk - FIRST_LOOK), self._newest.pk, []))
        return Changes(everything=True)

    def _remember(self, found: "Found") -> None:
        now = time.monotonic()
        self._newest = found.newest or self._newest
        gaps = [gap for gap in self._gaps if gap.since > now - GAP_LIFETIME]
        self._gaps = [*gaps, *(Gap(first, last, now) for first, last in sorted(found.gaps))][-GAPS_MAX:]


class Found(NamedTuple):
    """One read: what is at the key that was asked for, the newest of the new entries, and the gaps between these."""

    before: Newest
    newest: Newest | None
    ends: dict[str, Position]
    gaps: list[tuple[int, int]]


def _read_newest() -> Newest:
    newest = models.Message.objects.order_by("-id").values_list("id", "uid").first()
    return Newest(newest[0], models.entry_id(*newest)) if newest else NOTHING


def _read(above: int, newest: int, gaps: Sequence[Gap]) -> Found:
    """Reads what is new `above` a key and in the gaps, and what is at the key `newest`."""
    ranges = " OR ".join(["id BETWEEN %s AND %s"] * len(gaps))
    statement = SELECT_CHANGES.format(in_gaps=IN_GAPS.format(ranges=ranges) if gaps else "")
    ends_of_gaps = [key for gap in gaps for key in (gap.first, gap.last)]
    with connection.cursor() as cursor:
        cursor.execute(statement, [above, above, *ends_of_gaps, newest, newest])
        rows = cursor.fetchall()
    found = Found(NOTHING, None, {}, [])
    for shape, name, number, pk, uid in rows:
        if shape == "changed":
            found.ends[name] = Position(number, models.entry_id(pk, uid))
        elif shape == "gap":
            found.gaps.append((number, pk))
        else:
            before = NOTHING if number is None else Newest(number, models.entry_id(number, name))
            found = found._replace(before=before, newest=None if pk is None else Newest(pk, models.entry_id(pk, uid)))
    return found
