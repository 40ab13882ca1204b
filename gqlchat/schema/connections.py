"""Relay connections: parts of a list, found by where they start and not by counting."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Generic, TypeVar

import strawberry
from django.utils.translation import gettext_lazy as _
from strawberry.relay import PageInfo

from chat.domain.cursors import NO_CURSOR, read_number
from chat.domain.texts import is_storable
from chat.errors import InvalidPage
from chat.storage.pages import PAGE_MAX, PAGE_SIZE

Node = TypeVar("Node")

First = Annotated[
    int, strawberry.argument(description=f"How many at most: 1 to {PAGE_MAX}, or else the error `invalid_page`.")
]
After = Annotated[
    str | None,
    strawberry.argument(
        description="The `endCursor` of the part before this one; without it, the list is given from its beginning. "
        "For a text that is no cursor: the error `invalid_page`."
    ),
]


@strawberry.type(description="An item of a list, and its place there.")
class Edge(Generic[Node]):
    cursor: str = strawberry.field(description="The place, for `after` and `before`.")
    node: Node = strawberry.field(description="The item.")


@strawberry.type(
    description="A part of a list, as Relay has it. For the next part, ask with `after: endCursor` while `hasNextPage` "
    "is true."
)
class Connection(Generic[Node]):
    page_info: PageInfo = strawberry.field(description="The ends of this part, and whether there is more.")
    edges: list[Edge[Node]] = strawberry.field(description="The items of this part, in the order of the list.")


def size_of(first: int | None, last: int | None) -> tuple[int, bool]:
    """How many items are asked for, and whether from the end (as when nothing is said). Raises InvalidPage."""
    if first is not None and last is not None:
        raise InvalidPage(_("Ask for the `first` or the `last` so many, not for both."))
    size = first if first is not None else last if last is not None else PAGE_SIZE
    if not 0 < size <= PAGE_MAX:
        raise InvalidPage(_("Ask for 1 to {most} at a time."), most=PAGE_MAX)
    return size, first is None


def text_cursor(after: str | None) -> str | None:
    """A cursor that is a name. Raises InvalidPage for what no database can look for."""
    if after is not None and not is_storable(after):
        raise InvalidPage(NO_CURSOR)
    return after


def number_cursor(after: str | None) -> int | None:
    """A cursor that is a number. Raises InvalidPage."""
    return None if after is None else read_number(after)


def first_of(size: int, found: Sequence[tuple[str, Node]], after: str | None) -> Connection[Node]:
    """The connection of the first `size` nodes after the cursor `after`, of which one more was looked for."""
    return connection(found[:size], has_previous_page=after is not None, has_next_page=len(found) > size)


def connection(nodes: Iterable[tuple[str, Node]], *, has_previous_page: bool, has_next_page: bool) -> Connection[Node]:
    """A connection of nodes, each given with its cursor."""
    edges = [Edge(cursor=cursor, node=node) for cursor, node in nodes]
    return Connection(
        edges=edges,
        page_info=PageInfo(
            has_previous_page=has_previous_page,
            has_next_page=has_next_page,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
    )
