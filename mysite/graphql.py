"""The GraphQL schema, put together from the apps' queries, mutations and subscriptions."""

from gqlchat.guards.extensions import EXTENSIONS
from gqlchat.schema.execution import Schema
from gqlchat.schema.executors import OwnExecutor
from gqlchat.schema.roots import Mutation, Query, Subscription

schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=EXTENSIONS,
    execution_context_class=OwnExecutor,
)
