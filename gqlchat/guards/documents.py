"""Documents, as clients send them: the same ones over and over, so each is parsed once."""

from functools import lru_cache

from django.conf import settings
from graphql import DocumentNode, GraphQLError, OperationDefinitionNode, parse
from strawberry.schema.exceptions import CannotGetOperationTypeError

CACHED = 256  # documents
CACHED_LENGTH = 10_000  # characters; a longer document is not kept


class OperationNameMissing(CannotGetOperationTypeError):
    """A document has several operations, and the request names none of them.

    It is an error by https://spec.graphql.org/October2021/#GetOperation(); Strawberry would run the first.
    """

    def __init__(self) -> None:
        super().__init__(None)

    def as_http_error_reason(self) -> str:
        return "Must provide operation name if query contains multiple operations."


def read(query: str) -> DocumentNode:
    """Raises GraphQLError, also for more than CHAT_QUERY_TOKENS."""
    parse_document = _read if len(query) <= CACHED_LENGTH else _read.__wrapped__
    return parse_document(query, settings.CHAT_QUERY_TOKENS)


@lru_cache(maxsize=CACHED)
def _read(query: str, max_tokens: int) -> DocumentNode:
    return parse(query, max_tokens=max_tokens)


def check_operation_name(query: str | None, operation_name: str | None) -> str | None:
    """The name of the operation to run, where an empty one is none. Raises OperationNameMissing."""
    if operation_name not in (None, ""):
        return operation_name
    if not query:
        return None
    try:
        definitions = read(query).definitions
    except GraphQLError:
        return None  # whoever runs it finds the same error, and tells it
    if sum(isinstance(one, OperationDefinitionNode) for one in definitions) > 1:
        raise OperationNameMissing
    return None
