"""Search in SQLite's FTS5, which gives rows in the order of their keys, from either end, as they are asked for."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from chat.domain.search import Phrase
from chat.storage.search_hits import Asked
from chat.storage.search_index import FILE_TAG

TIMEOUT = 4.0  # seconds; as the statement_timeout of lanes to PostgreSQL
INSTRUCTIONS = 100_000  # of SQLite's virtual machine, from one look at the time to the next
SELECT_KEYS = """
    SELECT chat_search.rowid FROM chat_search
    CROSS JOIN chat_message AS message ON message.id = chat_search.rowid
    CROSS JOIN chat_room AS room ON room.id = message.room_id
    WHERE chat_search MATCH %s AND chat_search.rowid < %s {days} AND {readable}
    ORDER BY chat_search.rowid DESC LIMIT %s
"""


def keys(asked: Asked, size: int, before: int) -> list[int]:
    """The keys of the newest `size` messages below the key `before`. One statement, broken off after TIMEOUT."""
    days, values = asked.days
    statement = SELECT_KEYS.format(days=days, readable=Asked.READABLE)
    given = [match(asked), before, *values, *Asked.readable_values(asked.person), size]
    with time_limit(), connection.cursor() as cursor:
        cursor.execute(statement, given)
        return [key for (key,) in cursor.fetchall()]


@contextmanager
def time_limit() -> Iterator[None]:
    """Has a statement that takes longer than TIMEOUT raise OperationalError."""
    connection.ensure_connection()
    end = time.monotonic() + TIMEOUT
    connection.connection.set_progress_handler(lambda: time.monotonic() > end, INSTRUCTIONS)
    try:
        yield
    finally:
        connection.connection.set_progress_handler(None, 0)


def match(asked: Asked) -> str:
    """The query in the language of FTS5. Terms and tags have nothing in them that it would read otherwise in quotes."""
    parts = [_phrase(phrase) for phrase in asked.phrases]
    parts += ["({})".format(" OR ".join(f'"{tag}"' for tag in tags)) for tags in asked.tags]
    if asked.has_file:
        parts.append(f'"{FILE_TAG}"')
    closed = " OR ".join(f'"{tag}"' for tag in asked.closed)
    return f"({' AND '.join(parts)}) NOT ({closed})" if closed else " AND ".join(parts)


def _phrase(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.terms)}"' + (" *" if phrase.open else "")
