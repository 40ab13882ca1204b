"""The kind of schema this site has: Strawberry's, where it differs."""

from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.types.graphql import OperationType

from gqlchat.schema import errors


class Schema(strawberry.Schema):
    """Strawberry's, with codes in errors, and nothing in them that is nobody's business."""

    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        """Runs a query or a mutation. A subscription, which Strawberry would run as a query, has to be streamed."""
        allowed = kwargs.get("allowed_operation_types") or OperationType
        kwargs["allowed_operation_types"] = {*allowed} - {OperationType.SUBSCRIPTION}
        return await super().execute(*args, **kwargs)

    def process_errors(self, found: list[GraphQLError], execution_context: Any = None) -> None:
        """Strawberry calls this with the errors of every result before it is sent."""
        for error in found:
            errors.explain(error)
