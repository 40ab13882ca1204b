"""Pages of rooms' histories: parts of them, found by where they begin or end and not by counting.

The pages of many rooms are read together, by one statement for a hundred of them, one for what the replies in them
quote, and one query for the permissions.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from chat import models
from chat.domain.events import HISTORY_KINDS, Change, Event
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import ChatError
from chat.storage import permissions, quotes
from chat.storage.database import reads_long
from chat.storage.history import as_event

PAGE_SIZE = 50  # items, where nobody says how many
PAGE_MAX = 100  # items
PAGES_PER_STATEMENT = 100  # SQLite puts at most 500 SELECTs into one statement
OFFSET_MAX = 2**63 - 1
COLUMNS = ", ".join(f'"{field.column}"' for field in models.Message._meta.concrete_fields)
# Edits and reactions are passed over, since the message's row has what they say, and what only a newer release knows.
KINDS = ", ".join(f"'{kind}'" for kind in sorted(HISTORY_KINDS))
CHANGES = ", ".join(f"'{change}'" for change in ["", *Change])
# The room by a subquery: after a join, PostgreSQL takes all messages of the room and sorts them.
SELECT_PAGE = """SELECT * FROM (
    SELECT {number} AS number, {columns} FROM chat_message
    WHERE room_id = (SELECT id FROM chat_room WHERE name = %s) AND "offset" > %s AND "offset" < %s
        AND kind IN ({kinds}) AND access IN ({changes})
    ORDER BY "offset" {order} LIMIT %s
) AS page{number}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Asks for at most `size` entries strictly between two offsets: the first of them or, `from_end`, the last."""

    room: Room
    size: int
    after: int | None = None
    before: int | None = None
    from_end: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a room's history in its order, and whether there is more on either side."""

    events: list[Event]
    has_earlier: bool
    has_later: bool


@reads_long
def page(
    room: Room, *, person: Person | None, size: int, after: int | None = None, before: int | None = None, from_end: bool
) -> Page:
    """The page that a PageRequest asks for. Raises Banned or NotAMember, unless `person` is the site itself (None)."""
    request = PageRequest(room=room, size=size, after=after, before=before, from_end=from_end)
    (found,) = pages([request], person=person)
    if isinstance(found, ChatError):
        raise found
    return found


@reads_long
def around(room: Room, offset: int, *, person: Person | None, size: int = PAGE_SIZE) -> Page:
    """The entry at `offset` with about half of `size` on either side of it. Raises Banned or NotAMember."""
    half, following = size // 2, min(offset + 1, OFFSET_MAX)
    earlier, later = pages(
        [
            PageRequest(room=room, size=half + 1, before=following, from_end=True),
            PageRequest(room=room, size=half, after=offset, from_end=False),
        ],
        person=person,
    )
    for half_page in (earlier, later):
        if isinstance(half_page, ChatError):
            raise half_page
    assert isinstance(earlier, Page)
    assert isinstance(later, Page)
    return Page([*earlier.events, *later.events], earlier.has_earlier, later.has_later)


@reads_long
def pages(requests: Sequence[PageRequest], *, person: Person | None) -> list[Page | ChatError]:
    """A page for each of `requests`, in their order; Banned or NotAMember in the place of one that may not be read."""
    distinct = list(dict.fromkeys(requests))
    found: dict[PageRequest, list[models.Message]] = {}
    for first in range(0, len(distinct), PAGES_PER_STATEMENT):
        found |= _read(distinct[first : first + PAGES_PER_STATEMENT])
    made = _pages(found)
    # Asked last: somebody who was removed while this was read is told nothing.
    problems = permissions.problems({request.room for request in distinct}, person)
    return [problems[request.room] or made[request] for request in requests]


def _read(requests: Sequence[PageRequest]) -> dict[PageRequest, list[models.Message]]:
    """The rows of each page, and one more of it where there is one."""
    selects = [
        SELECT_PAGE.format(
            number=number,
            columns=COLUMNS,
            kinds=KINDS,
            changes=CHANGES,
            order="DESC" if request.from_end else "ASC",
        )
        for number, request in enumerate(requests)
    ]
    rows: dict[int, list[models.Message]] = defaultdict(list)
    found: Iterable[Any] = models.Message.objects.raw(" UNION ALL ".join(selects), list(_parameters(requests)))
    for row in found:
        rows[row.number].append(row)
    return {request: sorted(rows[number], key=attrgetter("offset")) for number, request in enumerate(requests)}


def _parameters(requests: Iterable[PageRequest]) -> Iterable[object]:
    return itertools.chain.from_iterable(
        (
            request.room.name,
            -1 if request.after is None else request.after,
            OFFSET_MAX if request.before is None else request.before,
            request.size + 1,
        )
        for request in requests
    )


def _pages(found: Mapping[PageRequest, list[models.Message]]) -> dict[PageRequest, Page]:
    """The pages of those rows. Quotes in replies take one query for some hundreds of them."""
    made = {request: _page(request, messages) for request, messages in found.items()}
    events = iter(quotes.with_quotes([event for page in made.values() for event in page.events]))
    return {
        request: replace(page, events=list(itertools.islice(events, len(page.events))))
        for request, page in made.items()
    }


def _page(request: PageRequest, messages: list[models.Message]) -> Page:
    more = len(messages) > request.size
    kept = messages[-request.size :] if request.from_end else messages[: request.size]
    return Page(
        events=[as_event(message, request.room) for message in kept],
        has_earlier=more if request.from_end else bool(request.after),
        has_later=request.before is not None if request.from_end else more,
    )
