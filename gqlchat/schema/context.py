"""The person behind an operation: over HTTP and WebSocket, in this site's consumers and in Strawberry's own.

Strawberry's context is a plain dict with `request`: over WebSocket the consumer itself, over HTTP an object that holds
the consumer. A schema that is executed without any server has none.
"""

from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from typing import Any

import strawberry
from graphql import OperationType

from chat.domain import languages, people
from chat.domain.grants import Scope
from chat.domain.people import Person


def scope_of(context: Any) -> MutableMapping[str, Any] | None:
    """The ASGI scope of the connection that the operation came through."""
    request = context.get("request") if context else None
    consumer = getattr(request, "consumer", request)
    return getattr(consumer, "scope", None)


def in_language_of(context: Any) -> AbstractContextManager[None]:
    """Texts that are made within are for the person behind the operation."""
    return languages.in_language_of(scope_of(context))


def person_of(context: Any) -> Person:
    return people.of_scope(scope_of(context))


def person(info: strawberry.Info, *, remember: bool = False) -> Person:
    """The person; with `remember`, a new guest keeps the name if the connection can hand out a session.

    Raises InsufficientScope for a token that isn't for reading, unless it is a mutation itself that asks: those ask for
    the scope that they need.
    """
    person = people.of_scope(scope_of(info.context), remember=remember)
    if info.operation.operation is not OperationType.MUTATION or info.path.prev is not None:
        person.require(Scope.READ)
    return person


def check_reading(info: strawberry.Info) -> None:
    """For what the payload of a mutation shows of others: queries and subscriptions have asked at their roots.

    Raises InsufficientScope for a token that isn't for reading.
    """
    if info.operation.operation is OperationType.MUTATION:
        person(info)
