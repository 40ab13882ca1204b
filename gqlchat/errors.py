"""Domain error → GraphQL error, in one place."""

from typing import Any

from django.conf import settings
from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from chat.errors import unforeseen

# GraphQL's own words for what a client asked wrongly. They stay as they are, without a code.
MISTAKES = (GraphQLError, MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError)


def explain(error: GraphQLError) -> None:
    """Makes the error fit to be sent: domain errors get their code, and what nobody foresaw is masked and logged."""
    if error.original_error is None or isinstance(error.original_error, MISTAKES):
        if not settings.CHAT_INTROSPECTION:
            error.message = error.message.partition(" Did you mean ")[0]
        return
    told = error.original_error = unforeseen(error.original_error)
    error.message, error.extensions = str(told), told.details


def as_payload(error: Exception) -> dict[str, Any]:
    """The same for what went wrong outside of an execution, as JSON."""
    told = unforeseen(error)
    return {"message": str(told), "extensions": told.details}
