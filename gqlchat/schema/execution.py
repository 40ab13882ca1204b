"""How this site's schema runs operations: as Strawberry's does, but for what is here."""

from collections.abc import AsyncGenerator, Iterable
from typing import Any

import strawberry
from graphql import GraphQLError, GraphQLSchema
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from gqlchat.guards import documents
from gqlchat.schema import errors, loaders


class Schema(strawberry.Schema):
    """Strawberry's schema, but errors have codes and nothing confidential, and of several operations one is named."""

    @property
    def core(self) -> GraphQLSchema:
        """The schema as graphql-core has it. Strawberry has no public name for it."""
        return self._schema

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> Any:
        """Runs a query or a mutation. A subscription, which Strawberry would run as a query, has to be streamed.

        Raises OperationNameMissing, and what Strawberry's own raises.
        """
        return await super().execute(
            query,
            variable_values=variable_values,
            context_value=loaders.within(context_value),
            root_value=root_value,
            operation_name=documents.check_operation_name(query, operation_name),
            allowed_operation_types={*(allowed_operation_types or OperationType)} - {OperationType.SUBSCRIPTION},
            operation_extensions=operation_extensions,
        )

    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
        operation_extensions: dict[str, Any] | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
    ) -> Any:
        """Runs any operation, as an async generator of its results."""
        try:
            operation_name = documents.check_operation_name(query, operation_name)
        except documents.OperationNameMissing as error:
            return only(PreExecutionError(data=None, errors=[GraphQLError(error.as_http_error_reason())]))
        return await super().stream(
            query,
            variable_values=variable_values,
            context_value=loaders.within(context_value),
            root_value=root_value,
            operation_name=operation_name,
            operation_extensions=operation_extensions,
            allowed_operation_types=allowed_operation_types,
        )

    def process_errors(self, found: list[GraphQLError], execution_context: Any = None) -> None:
        """Strawberry calls this with the errors of every result before it is sent."""
        context = execution_context and execution_context.context
        for error in found:
            errors.explain(error, context)


async def only(result: PreExecutionError) -> AsyncGenerator[PreExecutionError, None]:
    """A stream of a single result."""
    yield result
