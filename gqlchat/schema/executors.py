"""graphql-core's executors, for subscriptions that last and for thousands of operations."""

from typing import Any
from weakref import WeakMethod

from graphql import Executor, GraphQLObjectType
from graphql.execution.collect_fields import CollectedFields, FieldDetails
from graphql.type import GraphQLResolveInfoHelpers
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


class Frugal:
    """For an executor: keeps nothing of an event, and is freed with its operation.

    graphql-core remembers the fields below a selection by the list that they were collected for, and keeps that list.
    But each event of a subscription makes lists of its own, so nothing that is remembered is found again, and the
    memory grows with each. Here, equal lists count as one: an operation's fields are collected once.

    And graphql-core's executor holds its own methods, so that it, the operation's context and all that this has, which
    is a whole connection, would wait for the garbage collector.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._same: dict[tuple[int, ...], list[FieldDetails]] = {}  # the first of equal lists; for all events
        # Resolvers call these while the executor is at work, so it is there.
        gather: Any = WeakMethod(self.gather_async_work)  # type: ignore[attr-defined]
        track: Any = WeakMethod(self.track_async_work)  # type: ignore[attr-defined]
        self.async_helpers = GraphQLResolveInfoHelpers(
            gather=lambda values: gather()(values), track=lambda values: track()(values)
        )

    def collect_subfields(self, return_type: GraphQLObjectType, details: list[FieldDetails]) -> CollectedFields:
        key = tuple(id(part) for one in details for part in one)  # of the document, or kept by the first list
        found: CollectedFields = super().collect_subfields(return_type, self._same.setdefault(key, details))  # type: ignore[misc]
        return found


class SharedExecutor(Frugal, Executor[Any]):
    """Of an operation that is executed for many subscribers."""


class OwnExecutor(Frugal, StrawberryGraphQLCoreExecutionContext):
    """Of an operation that Strawberry runs."""
