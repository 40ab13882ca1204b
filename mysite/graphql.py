"""The GraphQL schema, put together from the apps' queries, mutations and subscriptions."""

from strawberry.extensions import ParserCache, ValidationCache

from gqlchat.mutations import Mutation
from gqlchat.queries import Query
from gqlchat.schema import Schema
from gqlchat.subscriptions import Subscription

# Clients send the same documents over and over: each is parsed and validated once.
caches = [ParserCache, ValidationCache]
schema = Schema(query=Query, mutation=Mutation, subscription=Subscription, extensions=caches)
