"""How much a document asks for, which is looked at before anybody looks at what it asks for.

GraphQL's own validation compares each field with each other one, so it is no place for documents without end. Fragments
are measured once each, however often they are spread: else a few lines could spread one a billion times.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

from chat.actions import rate_limits
from chat.domain.presence import PEOPLE_MAX
from chat.domain.reactions import EMOJI_PER_MESSAGE
from chat.errors import ChatError, grouped
from chat.storage.ignoring import IGNORED_MAX
from chat.storage.pages import PAGE_MAX, PAGE_SIZE

# Fields that are lists of what the database has, and how many items each of them has where nobody says.
PAGED = {
    "rooms": PAGE_SIZE,
    "myRooms": PAGE_SIZE,
    "messages": PAGE_SIZE,
    "membersConnection": PAGE_SIZE,
    "bansConnection": PAGE_SIZE,
    "reports": PAGE_SIZE,
    "search": PAGE_SIZE,
    "ignored": IGNORED_MAX,
    "members": PAGE_MAX,
    "bans": PAGE_MAX,
    "presence": PEOPLE_MAX,
    # The most emoji that a message may have. Their people aren't counted too: few messages have so many of both that
    # they are more than this.
    "reactions": EMOJI_PER_MESSAGE,
    "attachments": settings.CHAT_FILES_PER_MESSAGE,
}


class QueryTooComplex(ChatError):
    """A document exceeds one of the limits CHAT_QUERY_NODES, CHAT_QUERY_DEPTH and so on."""

    code = "query_too_complex"


class Complexity(NamedTuple):
    """`depth` counts fields within fields, `aliases` also what is asked for again in the same place."""

    depth: int = 0
    aliases: int = 0
    directives: int = 0

    def beside(self, other: "Complexity") -> "Complexity":
        return Complexity(
            max(self.depth, other.depth), self.aliases + other.aliases, self.directives + other.directives
        )


def problem_with(document: DocumentNode, variables: Mapping[str, Any] | None) -> GraphQLError | None:
    """The limit that a document exceeds, as an error; None if it exceeds none."""
    measured, items = measure(document), Pages(document, variables or {}).document()
    for found, allowed, text in (
        (items, settings.CHAT_QUERY_NODES, _("The query is for {found} items; {allowed} are allowed.")),
        (measured.depth, settings.CHAT_QUERY_DEPTH, _("The query is {found} levels deep; {allowed} are allowed.")),
        (
            measured.aliases,
            settings.CHAT_QUERY_ALIASES,
            _("The query has {found} aliased or repeated fields; {allowed} are allowed."),
        ),
        (
            measured.directives,
            settings.CHAT_QUERY_DIRECTIVES,
            _("The query has {found} directives; {allowed} are allowed."),
        ),
    ):
        if found > allowed:
            rate_limits.hit("query")
            # Its text is made where it is sent, as those of all errors of ours are.
            return GraphQLError("", original_error=QueryTooComplex(text, found=grouped(found), allowed=allowed))
    return None


@lru_cache(maxsize=128)
def measure(document: DocumentNode) -> Complexity:
    """The most that any of its operations asks for, with all fragments in their places."""
    return Meter(document).document()


class Meter:
    def __init__(self, document: DocumentNode) -> None:
        self._definitions = document.definitions
        self._fragments = {one.name.value: one for one in self._definitions if isinstance(one, FragmentDefinitionNode)}
        self._measured: dict[str, Complexity] = {}

    def document(self) -> Complexity:
        found = [self._operation(one) for one in self._definitions if isinstance(one, OperationDefinitionNode)]
        return Complexity(*map(max, zip(*found, strict=True))) if found else Complexity()

    def _operation(self, operation: OperationDefinitionNode) -> Complexity:
        its_own = directives_of([operation, *(operation.variable_definitions or ())])
        return self._selections(operation.selection_set).beside(its_own)

    def _fragment(self, name: str) -> Complexity:
        if name not in self._measured:
            self._measured[name] = Complexity()  # a circle ends where it began; validation finds it
            if fragment := self._fragments.get(name):
                self._measured[name] = self._selections(fragment.selection_set).beside(directives_of([fragment]))
        return self._measured[name]

    def _selections(self, selection_set: SelectionSetNode) -> Complexity:
        total = directives_of(selection_set.selections)
        names: set[str] = set()
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                again = selection.alias is not None or selection.name.value in names
                names.add(selection.name.value)
                total = total.beside(self._field(selection)).beside(Complexity(aliases=int(again)))
            elif isinstance(selection, FragmentSpreadNode):
                total = total.beside(self._fragment(selection.name.value))
            elif isinstance(selection, InlineFragmentNode):
                total = total.beside(self._selections(selection.selection_set))
        return total

    def _field(self, field: FieldNode) -> Complexity:
        inner = self._selections(field.selection_set) if field.selection_set else Complexity()
        # Introspection is deep by nature, and GraphQL has a rule of its own for that.
        return inner._replace(depth=1 if field.name.value in {"__schema", "__type"} else inner.depth + 1)


def directives_of(nodes: Iterable[Node]) -> Complexity:
    return Complexity(directives=sum(len(getattr(node, "directives", None) or ()) for node in nodes))


class Pages:
    """How many items a document asks for at most: a page of rooms with a page of messages each is many."""

    def __init__(self, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._definitions = document.definitions
        self._fragments = {one.name.value: one for one in self._definitions if isinstance(one, FragmentDefinitionNode)}
        self._counted: dict[str, int] = {}
        self._variables = variables

    def document(self) -> int:
        operations = [one for one in self._definitions if isinstance(one, OperationDefinitionNode)]
        return max((self._selections(one.selection_set) for one in operations), default=0)

    def _selections(self, selection_set: SelectionSetNode | None) -> int:
        return sum(self._selection(selection) for selection in selection_set.selections) if selection_set else 0

    def _selection(self, selection: Node) -> int:
        if isinstance(selection, FragmentSpreadNode):
            return self._fragment(selection.name.value)
        if not isinstance(selection, FieldNode | InlineFragmentNode):
            return 0
        items = self._selections(selection.selection_set)
        if isinstance(selection, FieldNode) and selection.name.value in PAGED:
            return self._size(selection) * (1 + items)
        return items

    def _fragment(self, name: str) -> int:
        if name not in self._counted:
            self._counted[name] = 0  # a circle ends where it began
            if fragment := self._fragments.get(name):
                self._counted[name] = self._selections(fragment.selection_set)
        return self._counted[name]

    def _size(self, field: FieldNode) -> int:
        """The size of a page: the largest there is where nobody can tell yet, or where it would be larger."""
        size = PAGED[field.name.value]
        for argument in field.arguments or ():
            if argument.name.value in {"first", "last"}:
                value = argument.value
                if isinstance(value, IntValueNode) and len(value.value) < 5:
                    size = int(value.value)
                elif isinstance(value, VariableNode):
                    given = self._variables.get(value.name.value)
                    size = given if isinstance(given, int) else PAGE_MAX
                else:
                    size = PAGE_MAX
        return min(max(size, 0), PAGE_MAX)
