"""What is done around every operation."""

import contextlib
from collections.abc import Iterator

from graphql import GraphQLError
from strawberry.extensions import ParserCache, ValidationCache


class ParsedOnce(ParserCache):
    """Clients send the same documents over and over: each is parsed once."""

    def on_parse(self) -> Iterator[None]:
        # A syntax error is left to Strawberry, which finds it again: one that is raised here, it doesn't answer.
        with contextlib.suppress(GraphQLError):
            next(iter(super().on_parse()))
        yield


EXTENSIONS = [ParsedOnce, ValidationCache]
