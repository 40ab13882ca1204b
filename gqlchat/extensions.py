"""What is done around every operation."""

import contextlib
from collections.abc import Iterator

from django.conf import settings
from graphql import GraphQLError, NoSchemaIntrospectionCustomRule
from strawberry.extensions import AddValidationRules, ParserCache, ValidationCache


class ParsedOnce(ParserCache):
    """Clients send the same documents over and over: each is parsed once."""

    def on_parse(self) -> Iterator[None]:
        # A syntax error is left to Strawberry, which finds it again: one that is raised here, it doesn't answer.
        with contextlib.suppress(GraphQLError):
            next(iter(super().on_parse()))
        yield


class Introspection(AddValidationRules):
    """Strangers may ask what there is to ask for only where CHAT_INTROSPECTION says so."""

    def __init__(self) -> None:
        super().__init__([] if settings.CHAT_INTROSPECTION else [NoSchemaIntrospectionCustomRule])


EXTENSIONS = [ParsedOnce, Introspection, ValidationCache]
