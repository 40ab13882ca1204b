"""Search in PostgreSQL's GIN index, which gives all rows at once, and in no order.

So what is found in many messages would be slow to sort. The newest messages are gone through without the index: they
have the first page of all words that are common. Older ones are searched a bucket of 16,384 keys at a time, the newest
first: each entry has the tag of its bucket, by which the index finds the few that are in both lists. The statement
reads no more of them than fill the page.
"""

from typing import Any

from django.db import connection

from chat.domain.search import Phrase
from chat.storage.search_hits import Asked
from chat.storage.search_index import BUCKET_BITS, FILE_TAG

NEWEST = 8192  # keys of messages that are gone through one by one

# By a subquery for each hit, which can't be made a join: that might begin with all rooms.
READABLE = f"(SELECT {Asked.READABLE} FROM chat_room AS room WHERE room.id = entry.room_id)"
SENT = "AND EXISTS (SELECT 1 FROM chat_message AS message WHERE message.id = entry.id {days})"
SELECT_LAST = "SELECT MAX(id) FROM chat_search WHERE id < %s"
# `IS TRUE` keeps the index on terms out of it.
WALK = """
    SELECT entry.id FROM chat_search AS entry
    WHERE entry.id > %s AND entry.id <= %s AND (entry.terms @@ %s::tsquery) IS TRUE AND {readable} {sent}
    ORDER BY entry.id DESC LIMIT %s
"""
# The buckets come in their order, and a bucket is searched when the page isn't full. `+ 0` has the entries of a bucket
# sorted, where the index on keys would go through all that aren't hits. OFFSET has them sorted before it is looked up
# which of them may be read.
SEARCH = """
    SELECT hit.id FROM generate_series(%s::bigint, 0, -1) AS bucket, LATERAL (
        SELECT entry.id FROM (
            SELECT id, room_id FROM chat_search
            WHERE terms @@ (%s::tsquery && ('''#b' || bucket || '''')::tsquery) AND id <= %s
            ORDER BY id + 0 DESC OFFSET 0
        ) AS entry
        WHERE {readable} {sent} LIMIT %s
    ) AS hit LIMIT %s
"""


def keys(asked: Asked, size: int, before: int) -> list[int]:
    """The keys of the newest `size` messages below the key `before`. Three statements at most."""
    query, (days, values) = match(asked), asked.days
    parts = {"sent": SENT.format(days=days) if days else "", "readable": READABLE}
    values = [*Asked.readable_values(asked.person), *values]
    with connection.cursor() as cursor:

        def rows(statement: str, given: list[Any]) -> list[Any]:
            cursor.execute(statement, given)
            return [key for (key,) in cursor.fetchall()]

        (last,) = rows(SELECT_LAST, [before])
        if last is None:
            return []
        older = last - NEWEST
        found = rows(WALK.format(**parts), [older, last, query, *values, size])
        left = size - len(found)
        if left and older > 0:
            given = [older >> BUCKET_BITS, query, older, *values, left, left]
            found += rows(SEARCH.format(**parts), given)
        return found


def match(asked: Asked) -> str:
    """The query as a tsquery. Terms and tags have nothing in them that it would read otherwise in quotes."""
    parts = [_phrase(phrase) for phrase in asked.phrases]
    parts += ["({})".format(" | ".join(f"'{tag}'" for tag in tags)) for tags in asked.tags]
    if asked.has_file:
        parts.append(f"'{FILE_TAG}'")
    parts += [f"!'{tag}'" for tag in asked.closed]
    return " & ".join(parts)


def _phrase(phrase: Phrase) -> str:
    words = [f"'{term}'" for term in phrase.terms]
    return f"({' <-> '.join(words)}{':*' if phrase.open else ''})"
