"""A bounded queue of events for a listener that is slower than the conversation."""

from collections import deque
from sys import getsizeof

from django.conf import settings

from chat.domain.events import Event
from chat.domain.rooms import Room


class Backlog:
    """Events that wait for one listener: CHAT_BACKLOG_MAX of them at most, and CHAT_BACKLOG_BYTES of their texts."""

    __slots__ = ("_bytes", "_events")

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._events)

    def add(self, event: Event) -> bool:
        """False, and nothing done, if that would be too many."""
        size = getsizeof(event.message)
        if len(self) >= settings.CHAT_BACKLOG_MAX or (self and self._bytes + size > settings.CHAT_BACKLOG_BYTES):
            return False
        self._events.append(event)
        self._bytes += size
        return True

    def pop(self) -> Event:
        """Removes and returns the oldest event."""
        event = self._events.popleft()
        self._bytes -= getsizeof(event.message)
        return event

    def drop(self, room: Room) -> None:
        """Forgets what waits of one room."""
        kept = [event for event in self._events if event.room != room]
        self._events = deque(kept)
        self._bytes = sum(getsizeof(event.message) for event in kept)

    def clear(self) -> None:
        self._events.clear()
        self._bytes = 0
