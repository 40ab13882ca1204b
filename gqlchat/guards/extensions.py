"""Schema extensions, which run around every operation."""

from collections.abc import Iterator

from django.conf import settings
from graphql import GraphQLError, NoSchemaIntrospectionCustomRule
from strawberry.extensions import AddValidationRules, SchemaExtension, ValidationCache

from gqlchat.guards import complexity, documents


class ParsedOnce(SchemaExtension):
    """Each document is parsed once, as far as CHAT_QUERY_TOKENS."""

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        context.parse_options["max_tokens"] = settings.CHAT_QUERY_TOKENS
        try:
            context.graphql_document = documents.read(context.query or "")
        except GraphQLError:
            pass  # left to Strawberry, which finds it again: an error that is raised here, it doesn't answer
        yield


class Introspection(AddValidationRules):
    """Strangers may ask what there is to ask for only where CHAT_INTROSPECTION says so."""

    def __init__(self) -> None:
        super().__init__([] if settings.CHAT_INTROSPECTION else [NoSchemaIntrospectionCustomRule])


class ValidatedOnce(ValidationCache):
    """Each document is validated once, if it isn't too complex for that."""

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        assert context.graphql_document
        if problem := complexity.problem_with(context.graphql_document, context.variables):
            context.pre_execution_errors = [problem]
            yield
        else:
            yield from super().on_validate()


EXTENSIONS = [ParsedOnce, Introspection, ValidatedOnce]
