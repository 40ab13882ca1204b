"""Listeners to iterate over, for programs that ask for the next event when they are ready for it."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Set
from typing import Any

from chat.delivery.backlog import Backlog
from chat.delivery.listener import Listener
from chat.delivery.rendering_budget import RenderingBudget
from chat.delivery.source import EventT, LogT
from chat.domain.positions import Position


class QueuedListener(Listener[LogT, EventT]):
    """A listener to iterate over, which raises the error with which it was ended."""

    def __init__(
        self,
        logs: Iterable[LogT],
        after: Mapping[LogT, Position] | None = None,
        person: Any = None,
        kinds: Set[Any] | None = None,
    ) -> None:
        super().__init__(logs, after, person, kinds)
        self._missed: deque[EventT] = deque()
        self._backlog = Backlog()
        self._more = asyncio.Event()
        self._error: Exception | None = None

    def take(self, event: EventT) -> None:
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

    def __aiter__(self) -> "QueuedListener[LogT, EventT]":
        return self

    async def __anext__(self) -> EventT:
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
        event: EventT = self._backlog.pop()
        return event

    async def _until_more(self) -> None:
        """Raises the error with which the listener was ended, once it has given all that came before."""
        while not self._backlog:
            if self._error is not None:
                raise self._error
            self._more.clear()
            await self._more.wait()
