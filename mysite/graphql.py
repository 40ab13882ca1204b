"""The GraphQL schema, put together from the apps' queries, mutations and subscriptions."""

from gqlchat.guards.extensions import EXTENSIONS
from gqlchat.schema.masking import Schema
from gqlchat.schema.mutations import Mutation
from gqlchat.schema.queries import Query
from gqlchat.schema.subscriptions import Subscription

schema = Schema(query=Query, mutation=Mutation, subscription=Subscription, extensions=EXTENSIONS)
