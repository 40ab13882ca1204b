"""Whether a server that the chat can do without is there."""

import asyncio

RETRY_INTERVAL = 1.0  # seconds between two tries of a server that is away


class Availability:
    """Whether a server answers. While it is away nobody waits for it, and one at a time tries it.

    Whoever asks the server says how that went, by `lose` or `find`. The instance is of one event loop.
    """

    def __init__(self, timeout: float) -> None:
        """A try takes `timeout` seconds at most."""
        self._timeout = timeout
        self._retry_at: float | None = None  # on the loop's clock; None while the server is there

    @property
    def away(self) -> bool:
        return self._retry_at is not None

    def may_try(self) -> bool:
        """Whether to ask the server now. While it is away, that is true for one caller per interval."""
        if self._retry_at is None:
            return True
        now = _now()
        if now < self._retry_at:
            return False
        self._retry_at = now + self._timeout + RETRY_INTERVAL
        return True

    def lose(self) -> bool:
        """The server has failed, or doesn't answer. Returns whether it was there until now."""
        was_there = not self.away
        self._retry_at = _now() + RETRY_INTERVAL
        return was_there

    def find(self) -> bool:
        """The server has answered. Returns whether it was away until now."""
        was_away = self.away
        self._retry_at = None
        return was_away


def _now() -> float:
    return asyncio.get_running_loop().time()
