"""Publishes what has just been stored, while its authors go on."""

import asyncio
from collections import deque
from collections.abc import Iterable

from chat import log_context
from chat.delivery.hub import Hub
from chat.delivery.per_loop import PerLoop
from chat.domain import events
from chat.domain.events import Event
from chat.errors import unforeseen

WAITING_MAX = 5_000  # events that wait for the layer; of what is more, the oldest reach other processes by their watch
TOGETHER_MAX = 100  # events sent before the layer's answer is awaited


class Publisher(PerLoop):
    """One after the other, so that the events of a room go out in the order of their offsets.

    Nothing that fails here is the author's: the event is stored, and who misses it finds it in the database.
    """

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque(maxlen=WAITING_MAX)
        self._sending: asyncio.Task[None] | None = None

    def publish(self, stored: Iterable[Event]) -> None:
        """The listeners of this process hear `stored` at once, others as soon as the layer brings it."""
        hub = Hub.here()
        for event in stored:
            try:
                hub.hear(event)
            except Exception as error:
                unforeseen(error)
            self._waiting.append(event)
        if self._waiting and self._sending is None:
            self._sending = asyncio.create_task(self._send(), context=log_context.detached())

    async def _send(self) -> None:
        hub = Hub.here()
        try:
            while self._waiting:
                together = [self._waiting.popleft() for _ in range(min(TOGETHER_MAX, len(self._waiting)))]
                try:
                    await hub.send(*((event.room.group, events.to_group(event)) for event in together))
                except Exception as error:
                    unforeseen(error)
        finally:
            self._sending = None
