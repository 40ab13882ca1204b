"""The GraphQL schema, put together from the apps' queries, mutations and subscriptions."""

from gqlchat.guards.extensions import EXTENSIONS
from gqlchat.schema.execution import Schema
from gqlchat.schema.executors import OwnExecutor
from gqlchat.schema.roots import Mutation, Query, Subscription


def build(query: type = Query, mutation: type = Mutation, subscription: type = Subscription) -> Schema:
    """A schema of these root types, guarded as this site's is. Another app's inherit from the chat's and its own."""
    return Schema(
        query=query,
        mutation=mutation,
        subscription=subscription,
        extensions=EXTENSIONS,
        execution_context_class=OwnExecutor,
    )


schema = build()
