"""The GraphQL schema, put together from the apps' queries, mutations and subscriptions."""

from gqlchat.extensions import EXTENSIONS
from gqlchat.mutations import Mutation
from gqlchat.queries import Query
from gqlchat.schema import Schema
from gqlchat.subscriptions import Subscription

schema = Schema(query=Query, mutation=Mutation, subscription=Subscription, extensions=EXTENSIONS)
