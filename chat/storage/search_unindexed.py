"""Search among messages that aren't indexed yet, one by one."""

from chat.domain.search_excerpts import has
from chat.storage import search_index
from chat.storage.search_hits import Asked
from chat.storage.search_index import FILE_TAG

UNINDEXED_MAX = 1000  # messages; the newest ones, where more wait

WHICH = "message.id < %s AND {which} {days} AND (SELECT {readable} FROM chat_room AS room WHERE room.id = room_id)"
ABOVE = "message.id > COALESCE((SELECT high FROM chat_searchprogress), 0)"
PENDING = "message.id IN (SELECT message_id FROM chat_searchpending)"
PART = "SELECT * FROM ({unindexed} ORDER BY message.id DESC LIMIT {most}) AS part"


def keys(asked: Asked, size: int, before: int) -> list[int]:
    """The keys of the newest `size` messages below the key `before`. One statement."""
    days, values = asked.days
    parts = [WHICH.format(which=which, days=days, readable=Asked.READABLE) for which in (ABOVE, PENDING)]
    statement = " UNION ALL ".join(
        PART.format(unindexed=search_index.unindexed(part), most=UNINDEXED_MAX) for part in parts
    )
    given = [before, *values, *Asked.readable_values(asked.person)]
    found = {message.id for message in search_index.read(statement, given * 2) if _matches(asked, message)}
    return sorted(found, reverse=True)[:size]


def _matches(asked: Asked, message: search_index.Written) -> bool:
    terms, tags = message.terms, set(message.tags)
    if asked.has_file and FILE_TAG not in terms:
        return False
    return all(tags.intersection(some) for some in asked.tags) and has(terms, asked.phrases)
