"""Counts turns of the event loop, so that tests see without a clock whether code yields to others."""

import asyncio


class Turns:
    """How many turns the running loop has had since this was made, or since the first that could be counted."""

    def __init__(self) -> None:
        self.now = 0
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.call_soon(self._count)

    def _count(self) -> None:
        self.now += 1
        self._next = self._loop.call_soon(self._count)

    def stop(self) -> None:
        self._next.cancel()
