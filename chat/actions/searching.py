"""Searching, as any door does."""

from chat.actions import rate_limits
from chat.actions.search_feeding import SearchFeeding
from chat.domain import rooms, search
from chat.domain.people import Person
from chat.storage import search as storage
from chat.storage.database import in_database
from chat.storage.search import Results


async def find(
    text: object,
    *,
    person: Person,
    size: int,
    after: int | None = None,
    room_name: str | None = None,
    username: str | None = None,
) -> Results:
    """The next `size` messages, the newest first, after the one with the key `after`.

    `room_name` and `username` narrow the search as `in:` and `from:` in the text do.

    Raises InvalidSearch, LoginRequired, RateLimited or Unavailable.
    """
    rooms.admit(person)
    query = search.read(text).narrowed(room_name, username)
    await rate_limits.spend_search(person)
    SearchFeeding.here().wake()
    return await in_database(storage.find, query, person=person, size=size, after=after)
