"""Reads of the database on behalf of feeds and listeners, gathered: thousands who come at once cause few queries."""

from collections.abc import Sequence

from chat.delivery.batcher import Batcher
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import ChatError
from chat.per_loop import PerLoop
from chat.storage import history, permissions, recoveries
from chat.storage.database import in_database
from chat.storage.history import Head
from chat.storage.recoveries import Recovery, RecoveryRequest


class Reads(PerLoop):
    """The reads of one event loop. Each kind has one query under way at most, and all wait for that in its order.

    All raise Unavailable.
    """

    def __init__(self) -> None:
        self._heads = Batcher(_heads)
        self._missed = Batcher(_recoveries, recoveries.fitting)
        self._following = Batcher(_recoveries, recoveries.fitting)
        self._problems = Batcher(_problems)

    async def head(self, room: Room) -> Head:
        """Where the room's log ends."""
        return await self._heads.ask(room)

    async def missed(self, request: RecoveryRequest) -> Recovery:
        """For a listener that comes back. Raises Banned or NotAMember."""
        return await self._missed.ask(request)

    async def following(self, request: RecoveryRequest) -> Recovery:
        """For a feed whose listeners are waiting for what comes next: not behind those that come back."""
        return await self._following.ask(request)

    async def check(self, room: Room, person: Person) -> None:
        """Raises Banned or NotAMember."""
        await self._problems.ask((room, person))


async def _heads(rooms: list[Room]) -> Sequence[Head]:
    found = await in_database(history.heads, rooms)
    return [found[room] for room in rooms]


async def _recoveries(requests: list[RecoveryRequest]) -> Sequence[Recovery | ChatError]:
    return await in_database(recoveries.recover_all, requests)


async def _problems(pairs: list[tuple[Room, Person]]) -> Sequence[ChatError | None]:
    found = await in_database(permissions.problems_of, pairs)
    return [found[pair] for pair in pairs]
