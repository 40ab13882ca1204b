"""A gate: an event that costs next to nothing while it is set."""

import asyncio
from typing import Literal


class Gate(asyncio.Event):
    """Like asyncio's Event, set from the beginning; only while it is cleared does it have room for those who wait.

    asyncio's holds an empty queue of 760 bytes. A server has one for each connection, and hardly ever clears it.
    """

    def __init__(self) -> None:
        self._closed: asyncio.Event | None = None

    def is_set(self) -> bool:
        return self._closed is None

    def set(self) -> None:
        if self._closed is not None:
            self._closed.set()
            self._closed = None

    def clear(self) -> None:
        if self._closed is None:
            self._closed = asyncio.Event()

    async def wait(self) -> Literal[True]:
        if self._closed is not None:
            await self._closed.wait()
        return True
