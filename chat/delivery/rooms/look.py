"""Listeners to iterate over that look at the live states of a room, for programs that aren't counted as being there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from chat.delivery.hub import Hub
from chat.delivery.listener import Listener
from chat.domain.events import Event
from chat.domain.people import Person
from chat.domain.presence import LiveKind, LiveState, Presence
from chat.domain.rooms import Room


class Look(Listener):
    """The states of one kind, each as soon as it is asked for; those that have been replaced by then are left out."""

    is_here = False

    def __init__(self, room: Room, kind: LiveKind, person: Person) -> None:
        super().__init__([room], None, person, kinds=frozenset())
        self.live_kinds = frozenset({kind})
        self._next: asyncio.Future[LiveState] = asyncio.get_running_loop().create_future()

    def __aiter__(self) -> "Look":
        return self

    async def __anext__(self) -> LiveState:
        """Raises the error with which the listener was ended."""
        state = await self._next
        self._next = asyncio.get_running_loop().create_future()
        return state

    def take(self, event: Event) -> None:
        pass

    def show(self, state: LiveState) -> None:
        if self._next.done():
            if self._next.exception() is not None:
                return
            self._next = asyncio.get_running_loop().create_future()
        self._next.set_result(state)

    def stop(self, error: Exception) -> None:
        if self._next.done():
            self._next = asyncio.get_running_loop().create_future()
        self._next.set_exception(error)
        self._next.exception()  # nobody may ask for it


@contextlib.asynccontextmanager
async def look(room: Room, kind: LiveKind, person: Person) -> AsyncIterator[Look]:
    """Raises Unavailable, Banned or NotAMember."""
    listener = Look(room, kind, person)
    try:
        await Hub.here().join(listener)
        listener.go_live()
        yield listener
    finally:
        await Hub.here().leave(listener)


async def presence_of(room: Room, person: Person) -> Presence:
    """The people in the room now. Takes a moment where this process doesn't know yet. Raises as `look` does."""
    async with look(room, LiveKind.PRESENCE, person) as listener:
        while True:
            state = await anext(listener)
            if isinstance(state, Presence):
                return state
