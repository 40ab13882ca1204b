"""graphql-core's executors, for subscriptions that last."""

from typing import Any

from graphql import Executor, GraphQLObjectType
from graphql.execution.collect_fields import CollectedFields, FieldDetails
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


class CollectsOnce:
    """For an executor: collects the fields below each selection once in an operation, not once for each event.

    graphql-core remembers them by the list that they were collected for, and keeps that list. But each event of a
    subscription makes lists of its own, so nothing that is remembered is found again, and the memory grows with each.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._same: dict[tuple[int, ...], list[FieldDetails]] = {}  # the first of equal lists; for all events

    def collect_subfields(self, return_type: GraphQLObjectType, details: list[FieldDetails]) -> CollectedFields:
        key = tuple(id(part) for one in details for part in one)  # of the document, or kept by the first list
        found: CollectedFields = super().collect_subfields(return_type, self._same.setdefault(key, details))  # type: ignore[misc]
        return found


class SharedExecutor(CollectsOnce, Executor[Any]):
    """Of an operation that is executed for many subscribers."""


class OwnExecutor(CollectsOnce, StrawberryGraphQLCoreExecutionContext):
    """Of an operation that Strawberry runs."""
