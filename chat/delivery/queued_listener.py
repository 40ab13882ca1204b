"""Listeners to iterate over, for programs that ask for the next event when they are ready for it."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Set

from chat.delivery.backlog import Backlog
from chat.delivery.listener import Listener
from chat.delivery.rendering_budget import RenderingBudget
from chat.domain.events import USUAL_KINDS, Event, Kind
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.rooms import Room


class QueuedListener(Listener):
    """A listener to iterate over, which raises the error with which it was ended."""

    def __init__(
        self,
        rooms: Iterable[Room],
        after: Mapping[Room, Position] | None = None,
        person: Person | None = None,
        kinds: Set[Kind] = USUAL_KINDS,
    ) -> None:
        super().__init__(rooms, after, person, kinds)
        self._missed: deque[Event] = deque()
        self._backlog = Backlog()
        self._more = asyncio.Event()
        self._error: Exception | None = None

    def take(self, event: Event) -> None:
        if self._error is not None:
            return
        if self._backlog.add(event):
            self._more.set()
        else:
            self._backlog.clear()  # what it hasn't taken by now, it isn't going to
            self.cut_off()

    def stop(self, error: Exception) -> None:
        if self._error is None:
            self._error = error
            self._more.set()

    def __aiter__(self) -> "QueuedListener":
        return self

    async def __anext__(self) -> Event:
        if self._held is not None and not self._missed:
            self._missed.extend(await self.read_missed())
            if not self._missed:
                self.go_live()
        if self._missed:
            self.check()
            await RenderingBudget.here().wait()
            return self._missed.popleft()
        await self._until_more()
        await RenderingBudget.here().wait()  # what is iterated over is rendered for this listener alone
        await self._until_more()  # it may have been cut off meanwhile
        return self._backlog.pop()

    async def _until_more(self) -> None:
        """Raises the error with which the listener was ended, once it has given all that came before."""
        while not self._backlog:
            if self._error is not None:
                raise self._error
            self._more.clear()
            await self._more.wait()
