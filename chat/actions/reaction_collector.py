"""Stores together what many people react to one message within a second, so that it is one entry.

Posts don't wait for reactions: these are stored for one message after the other, each time by a few short statements,
and posts take their turns in between.
"""

import asyncio

from django.utils.translation import gettext_lazy as _

from chat.delivery.detached_tasks import DetachedTasks
from chat.delivery.publisher import Publisher
from chat.domain.events import Event
from chat.domain.reactions import ReactionRequest
from chat.domain.rooms import Room
from chat.errors import Unavailable
from chat.per_loop import PerLoop
from chat.storage import reactions
from chat.storage.database import in_database
from chat.storage.lanes import Lanes

ENTRY_INTERVAL = 1.0  # seconds from one entry about a message to the next, of this process
TOGETHER_MAX = 500  # requests in one commit
WAITING_MAX = 5_000  # requests, and messages that they are about; more are refused until the database has caught up

Target = tuple[Room, int]
Waiting = tuple[ReactionRequest, asyncio.Future[Event | None]]


class ReactionCollector(PerLoop):
    """Stores requests and publishes the entries: a lone request at once, those that come after it a second later."""

    def __init__(self) -> None:
        self._waiting: dict[Target, list[Waiting]] = {}  # by messages that had an entry within the last second, too
        self._count = 0
        # One commit at a time in each lane: what is posted there waits for one at most.
        self._turns = [asyncio.Lock() for _ in Lanes.here().writers]

    def put(self, room: Room, offset: int, request: ReactionRequest) -> asyncio.Future[Event | None]:
        """Has the request about the message at `offset` stored, and heard in this process: then the future is done.

        Its result is the entry that has the state after it; None if nobody has ever reacted. Or it raises what
        chat.storage.reactions.react says of the request, or Unavailable. A future that is cancelled takes nothing back.

        Raises Unavailable.
        """
        target = room, offset
        if self._count >= WAITING_MAX or (len(self._waiting) >= WAITING_MAX and target not in self._waiting):
            raise Unavailable(_("Too many react at once. Please try again in a moment."))
        stored: asyncio.Future[Event | None] = asyncio.get_running_loop().create_future()
        self._count += 1
        if target in self._waiting:
            self._waiting[target].append((request, stored))
        else:
            self._waiting[target] = [(request, stored)]
            DetachedTasks.here().start(self._work(target))
        return stored

    async def _work(self, target: Target) -> None:
        turn = self._turns[Lanes.here().writer(target[0])]
        try:
            while self._waiting[target]:
                async with turn:
                    is_new = await self._store(target, self._take(target))
                if is_new:
                    await asyncio.sleep(ENTRY_INTERVAL)
        finally:
            self._count -= len(self._waiting.pop(target))

    def _take(self, target: Target) -> list[Waiting]:
        waiting = self._waiting[target]
        together, self._waiting[target] = waiting[:TOGETHER_MAX], waiting[TOGETHER_MAX:]
        self._count -= len(together)
        return together

    async def _store(self, target: Target, together: list[Waiting]) -> bool:
        """Whether there is a new entry."""
        try:
            reacted = await in_database(reactions.react, *target, [request for request, _ in together])
        except Exception as error:
            for _, stored in together:
                _answer(stored, None, error)
            return False
        if reacted.entry and reacted.is_new:
            Publisher.here().publish([reacted.entry])  # first heard, then answered
        for (_, stored), problem in zip(together, reacted.problems, strict=True):
            _answer(stored, reacted.entry, problem)
        return reacted.is_new


def _answer(stored: asyncio.Future[Event | None], entry: Event | None, problem: Exception | None) -> None:
    if stored.done():
        return  # its caller may have been cancelled
    if problem is None:
        stored.set_result(entry)
    else:
        stored.set_exception(problem)
