"""Domain error → GraphQL error, in one place."""

from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from chat.errors import ChatError

# What a client asked wrongly: its answer says so, and the log needs no traceback of it.
MISTAKES = (ChatError, GraphQLError, MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError)


def add_code(error: GraphQLError) -> None:
    """Lets a client tell domain errors apart: `extensions: {code}`. The text is the domain's already."""
    if isinstance(error.original_error, ChatError):
        error.extensions = {"code": error.original_error.code}


def is_mistake(error: GraphQLError) -> bool:
    """Whether the client is the one who can mend it."""
    return error.original_error is None or isinstance(error.original_error, MISTAKES)
