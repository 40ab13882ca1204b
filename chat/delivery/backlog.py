"""A bounded queue of events for a listener that is slower than what is told."""

from collections import deque
from typing import Any

from django.conf import settings

from chat.domain.logs import Log


class Backlog:
    """Events that wait for one listener: CHAT_BACKLOG_MAX of them at most, and CHAT_BACKLOG_BYTES."""

    __slots__ = ("_bytes", "_events")

    def __init__(self) -> None:
        self._events: deque[Any] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._events)

    def add(self, event: Any) -> bool:
        """False, and nothing done, if that would be too many."""
        size = event.size
        if len(self) >= settings.CHAT_BACKLOG_MAX or (self and self._bytes + size > settings.CHAT_BACKLOG_BYTES):
            return False
        self._events.append(event)
        self._bytes += size
        return True

    def pop(self) -> Any:
        """Removes and returns the oldest event."""
        event = self._events.popleft()
        self._bytes -= event.size
        return event

    def drop(self, log: Log) -> None:
        """Forgets what waits of one log."""
        kept = [event for event in self._events if event.log != log]
        self._events = deque(kept)
        self._bytes = sum(event.size for event in kept)

    def clear(self) -> None:
        self._events.clear()
        self._bytes = 0
