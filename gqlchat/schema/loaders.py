"""DataLoaders: reads for many rooms at once, in one hop to the database's thread for each kind of thing.

The fields of a hundred rooms are resolved one by one, and each awaits what it needs from a DataLoader, which collects
what is asked for in the same turn of the event loop. Nothing is kept for later: whatever is told was read just now, and
permissions were asked after it was read.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast

import strawberry
from strawberry.dataloader import DataLoader

from chat.domain.events import Event
from chat.domain.grants import Scope
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.rooms import Room
from chat.errors import ChatError
from chat.models import Role
from chat.storage import direct_rooms, history, members, own_rooms, pages, permissions, reactions, reports
from chat.storage.database import in_database, reads_long
from chat.storage.own_rooms import OwnRoom
from chat.storage.pages import Page, PageRequest
from chat.storage.permissions import Permission
from chat.storage.reports import Report
from gqlchat.schema import context

Request = TypeVar("Request", bound=Hashable)

KEY = "chat_loaders"
ITEMS_PER_HOP = 1000  # messages, members, bans or reports; then others get their turn in the database's thread

ListRequest = tuple[Room, int, Any]
"""Asks for the first so many members, bans or reports of a room after a cursor, if that isn't None."""

ReactionPlace = tuple[Room, int, str]
"""An emoji at a message: the room, the offset of the message, and the emoji."""


class Loaders:
    """The loaders of one operation, for the person who asks."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self.permission: DataLoader[Room, Permission] = DataLoader(self._permissions, cache=False)
        self.last_offset: DataLoader[Room, int] = DataLoader(self._last_offsets, cache=False)
        self.own_room: DataLoader[Room, OwnRoom | None] = DataLoader(self._own_rooms, cache=False)
        self.direct_others: DataLoader[Room, tuple[Person, ...]] = DataLoader(self._direct_others, cache=False)
        self.last_message: DataLoader[Room, Event | None] = DataLoader(self._last_messages, cache=False)
        self.own_reaction: DataLoader[ReactionPlace, bool] = DataLoader(self._own_reactions, cache=False)
        self.page: DataLoader[PageRequest, Page] = DataLoader(self._pages, cache=False)
        self.members: DataLoader[ListRequest, list[tuple[Person, Role]]] = DataLoader(self._members, cache=False)
        self.reports: DataLoader[ListRequest, list[Report]] = DataLoader(self._reports, cache=False)
        self.open_reports: DataLoader[Room, int] = DataLoader(self._open_reports, cache=False)
        self.bans: DataLoader[ListRequest, list[tuple[int, Person]]] = DataLoader(self._bans, cache=False)

    def check(self) -> None:
        """Raises InsufficientScope for a token that isn't for reading."""
        self._person.require(Scope.READ)

    async def _permissions(self, rooms: list[Room]) -> Sequence[Permission]:
        found = await in_database(permissions.by_room, rooms, self._person)
        return [found[room] for room in rooms]

    async def _last_offsets(self, rooms: list[Room]) -> Sequence[int | ChatError]:
        found = await in_database(history.ends, rooms, person=self._person)
        ends = (found[room] for room in rooms)
        return [end.offset if isinstance(end, Position) else end for end in ends]

    async def _own_rooms(self, rooms: list[Room]) -> Sequence[OwnRoom | None]:
        found = await in_database(own_rooms.by_pair, [(room, self._person) for room in rooms])
        return [found.get((room, self._person)) for room in rooms]

    async def _direct_others(self, rooms: list[Room]) -> Sequence[tuple[Person, ...]]:
        found = await in_database(direct_rooms.others, [(room, self._person) for room in rooms])
        return [found.get((room, self._person), ()) for room in rooms]

    async def _last_messages(self, rooms: list[Room]) -> Sequence[Event | ChatError | None]:
        found = await in_database(history.last_messages, rooms, person=self._person)
        return [found[room] for room in rooms]

    async def _own_reactions(self, asked: list[ReactionPlace]) -> Sequence[bool]:
        places = {(room, offset) for room, offset, _ in asked}
        found = await in_database(reactions.own, self._person, places)
        return [one in found for one in asked]

    async def _pages(self, requests: list[PageRequest]) -> Sequence[Page | ChatError]:
        found: dict[PageRequest, Page | ChatError] = {}
        for hop in hops(requests, size=lambda request: request.size):
            found |= zip(hop, await in_database(pages.pages, hop, person=self._person), strict=True)
        return [found[request] for request in requests]

    async def _members(self, requests: list[ListRequest]) -> Sequence[Any]:
        return await self._lists(members.member_pages, requests)

    async def _bans(self, requests: list[ListRequest]) -> Sequence[Any]:
        return await self._lists(members.ban_pages, requests)

    async def _reports(self, requests: list[ListRequest]) -> Sequence[Any]:
        return await self._lists(reports.report_pages, requests)

    async def _open_reports(self, rooms: list[Room]) -> Sequence[int | ChatError]:
        found = await in_database(reports.counts, rooms, person=self._person)
        return [found[room] for room in rooms]

    async def _lists(self, read: Any, requests: list[ListRequest]) -> list[Any]:
        found: dict[ListRequest, Any] = {}
        for hop in hops(requests, size=lambda request: request[1]):
            found |= await in_database(read_lists, read, hop, self._person)
        return [found[request] for request in requests]


def hops(requests: Iterable[Request], size: Callable[[Request], int]) -> Iterator[list[Request]]:
    """The distinct ones of `requests`, in parts of at most ITEMS_PER_HOP items, or of a single request."""
    hop: list[Request] = []
    items = 0
    for request in dict.fromkeys(requests):
        if hop and items + size(request) > ITEMS_PER_HOP:
            yield hop
            hop, items = [], 0
        hop.append(request)
        items += size(request)
    yield hop


@reads_long
def read_lists(read: Any, requests: Iterable[ListRequest], person: Person) -> dict[ListRequest, Any]:
    """Reads those of the same size and cursor together, by a function of `chat.storage`, as `members.ban_pages`."""
    alike: dict[tuple[int, Any], list[Room]] = defaultdict(list)
    for room, size, after in requests:
        alike[size, after].append(room)
    return {
        (room, size, after): found
        for (size, after), rooms in alike.items()
        for room, found in read(rooms, person=person, size=size, after=after).items()
    }


def within(operation_context: Any) -> dict[str, Any]:
    """The context of an operation, with loaders in it. Strawberry's is one for a whole connection over WebSocket."""
    return {**(operation_context or {}), KEY: Loaders(context.person_of(operation_context))}


def loaders(info: strawberry.Info) -> Loaders:
    """Raises InsufficientScope for a token that isn't for reading."""
    found = cast(Loaders, info.context[KEY])
    found.check()
    return found
