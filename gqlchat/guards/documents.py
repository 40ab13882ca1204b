"""Documents, as clients send them: the same ones over and over, so each is parsed once."""

from functools import lru_cache

from django.conf import settings
from graphql import DocumentNode, parse

CACHED = 256  # documents
CACHED_LENGTH = 10_000  # characters; a longer document is not kept


def read(query: str) -> DocumentNode:
    """Raises GraphQLError, also for more than CHAT_QUERY_TOKENS."""
    person = _read if len(query) <= CACHED_LENGTH else _read.__wrapped__
    return person(query, settings.CHAT_QUERY_TOKENS)


@lru_cache(maxsize=CACHED)
def _read(query: str, max_tokens: int) -> DocumentNode:
    return parse(query, max_tokens=max_tokens)
