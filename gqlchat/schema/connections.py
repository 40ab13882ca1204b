"""Relay connections: parts of a list, found by where they start and not by counting."""

from collections.abc import Iterable
from typing import Generic, TypeVar

import strawberry
from strawberry.relay import PageInfo

from chat.errors import InvalidPage
from chat.storage.history import PAGE_MAX, PAGE_SIZE

Node = TypeVar("Node")


@strawberry.type(description="An item of a list, and where it is.")
class Edge(Generic[Node]):
    cursor: str
    node: Node


@strawberry.type(description="A part of a list.")
class Connection(Generic[Node]):
    page_info: PageInfo
    edges: list[Edge[Node]]


def size_of(first: int | None, last: int | None) -> tuple[int, bool]:
    """How many items are asked for, and whether from the end (as when nothing is said). Raises InvalidPage."""
    if first is not None and last is not None:
        raise InvalidPage("Ask for the `first` or the `last` so many, not for both.")
    size = first if first is not None else last if last is not None else PAGE_SIZE
    if not 0 < size <= PAGE_MAX:
        raise InvalidPage(f"Ask for 1 to {PAGE_MAX} at a time.")
    return size, first is None


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
