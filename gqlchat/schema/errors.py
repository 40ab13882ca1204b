"""Domain error → GraphQL error, in one place."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import strawberry
from django.conf import settings
from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.utils.str_converters import to_camel_case

from chat.errors import ChatError, unforeseen
from gqlchat.schema.context import in_language_of

Asked = ParamSpec("Asked")
Payload = TypeVar("Payload")

ERROR = "The reason why it wasn't done; null where it went well."

# GraphQL's own words for what a client asked wrongly. They stay as they are, without a code.
MISTAKES = (GraphQLError, MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError)


def explain(error: GraphQLError, context: Any) -> None:
    """Makes the error fit to be sent: domain errors get their code, and what nobody foresaw is masked and logged.

    `context` is that of the operation. In one that serves many, the text is in the site's language.
    """
    if error.original_error is None or isinstance(error.original_error, MISTAKES):
        if not settings.CHAT_INTROSPECTION:
            error.message = error.message.partition(" Did you mean ")[0]
        return
    told = error.original_error = unforeseen(error.original_error)
    with in_language_of(context):
        error.message, error.extensions = str(told), extensions(told)


def as_payload(error: Exception, context: Any) -> dict[str, Any]:
    """The same for what went wrong outside of an execution, as JSON."""
    told = unforeseen(error)
    with in_language_of(context):
        return {"message": str(told), "extensions": extensions(told)}


def extensions(error: ChatError) -> dict[str, Any]:
    """The domain's details of an error, with names as GraphQL spells them."""
    return {to_camel_case(name): detail for name, detail in error.details.items()}


def text_of(root: "Problem", info: strawberry.Info) -> str:
    with in_language_of(info.context):
        return str(root.error)


@strawberry.type(description="The reason why something was not done.")
class Problem:
    error: strawberry.Private[ChatError]
    code: str = strawberry.field(description="Stable, for programs, as `blank_message`: docs/protocol.md lists them.")
    message: str = strawberry.field(resolver=text_of, description="A sentence for people, in their language.")
    retry_after: float | None = strawberry.field(
        default=None, description="The seconds after which the same may well succeed; null where that isn't known."
    )

    @classmethod
    def of(cls, error: ChatError) -> "Problem":
        return cls(error=error, code=error.code, retry_after=error.details.get("retry_after"))


def errors_in(
    payload: Callable[..., Payload],
) -> Callable[[Callable[Asked, Awaitable[Payload]]], Callable[Asked, Coroutine[Any, Any, Payload]]]:
    """Decorates a resolver: a ChatError that it raises becomes the `error` of a `payload`."""

    def decorate(resolve: Callable[Asked, Awaitable[Payload]]) -> Callable[Asked, Coroutine[Any, Any, Payload]]:
        @wraps(resolve)
        async def resolve_or_explain(*args: Asked.args, **kwargs: Asked.kwargs) -> Payload:
            try:
                return await resolve(*args, **kwargs)
            except ChatError as error:
                return payload(error=Problem.of(error))

        return resolve_or_explain

    return decorate
