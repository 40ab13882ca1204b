"""Search in PostgreSQL's GIN index, which gives all rows at once, and in no order.

So a word of many messages would be slow to sort. The newest messages are gone through without the index: they have the
first page of all words that are common now. For older ones, the planner estimates how many there are. A few are read
and sorted. Of many, the index is asked for a bucket of 16,384 keys at a time, the newest first: each entry has the tag
of its bucket. The statement reads no more buckets than fill the page.
"""

import json
from typing import Any

from django.db import connection

from chat.domain.search import Phrase
from chat.storage.search_hits import Asked
from chat.storage.search_index import BUCKET_BITS, FILE_TAG

FEW = 10_000  # entries, which are read and sorted in a few milliseconds
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
ESTIMATE = "EXPLAIN (FORMAT JSON) SELECT 1 FROM chat_search WHERE terms @@ %s::tsquery"
# `+ 0` has the entries sorted, where the index on keys would go through all that aren't hits. OFFSET has them sorted
# before it is looked up which of them may be read.
SORTED = """
    SELECT entry.id FROM (
        SELECT id, room_id FROM chat_search WHERE terms @@ {query} AND id <= %s ORDER BY id + 0 DESC OFFSET 0
    ) AS entry
    WHERE {readable} {sent} LIMIT %s
"""
# The buckets come in their order, and each is searched only while the page isn't full. First it is asked whether there
# is anything in it: that costs little where there isn't, as of two conditions the index passes over what lies between
# the hits of either. The hits themselves are asked for by one tsquery. With two, the index would go through all buckets
# that follow for one that is in no closed room. `IS TRUE` and OFFSET keep this order.
BUCKETS = """
    SELECT hit.id
    FROM generate_series(%s::bigint, 0, -1) AS bucket,
        LATERAL (SELECT ('''#b' || bucket || '''')::tsquery AS tag OFFSET 0) AS tagged,
        LATERAL (SELECT 1 WHERE ({filled}) IS TRUE OFFSET 0) AS filled,
        LATERAL ({sorted}) AS hit
    LIMIT %s
"""
FILLED = "EXISTS (SELECT 1 FROM chat_search WHERE terms @@ %s::tsquery AND terms @@ tag)"
IN_BUCKET = "(%s::tsquery && tag)"


def keys(asked: Asked, size: int, before: int) -> list[int]:
    """The keys of the newest `size` messages below the key `before`. Four statements at most."""
    wanted, (days, values) = match(asked), asked.days
    query = " & ".join([wanted, *(f"!'{tag}'" for tag in asked.closed)])
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
        if not left or older <= 0:
            return found
        if _estimate(query) <= FEW:
            return found + rows(SORTED.format(query="%s::tsquery", **parts), [query, older, *values, left])
        statement = BUCKETS.format(filled=FILLED, sorted=SORTED.format(query=IN_BUCKET, **parts))
        return found + rows(statement, [older >> BUCKET_BITS, wanted, query, older, *values, left, left])


def _estimate(query: str) -> int:
    """How many entries the planner expects to have what is looked for."""
    with connection.cursor() as cursor:
        cursor.execute(ESTIMATE, [query])
        (plan,) = cursor.fetchone()
    (explained,) = json.loads(plan) if isinstance(plan, str) else plan
    return int(explained["Plan"]["Plan Rows"])


def match(asked: Asked) -> str:
    """A tsquery for hits in any room. Terms and tags have nothing in them that it would read otherwise in quotes."""
    parts = [_phrase(phrase) for phrase in asked.phrases]
    parts += ["({})".format(" | ".join(f"'{tag}'" for tag in tags)) for tags in asked.tags]
    if asked.has_file:
        parts.append(f"'{FILE_TAG}'")
    return " & ".join(parts)


def _phrase(phrase: Phrase) -> str:
    words = [f"'{term}'" for term in phrase.terms]
    return f"({' <-> '.join(words)}{':*' if phrase.open else ''})"
