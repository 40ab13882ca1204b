"""The channel layer, and whether it is away.

A layer raises whatever its backend does, so `except Exception` here means: the layer is away.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from channels.layers import get_channel_layer

from chat import metrics
from chat.delivery.detached_tasks import DetachedTasks
from chat.delivery.per_loop import PerLoop
from chat.domain import events

logger = logging.getLogger(__name__)

LAYER_TIMEOUT = 1.0  # seconds that anybody waits for the layer
RETRY_INTERVAL = 1.0  # seconds between two tries while the layer is away
PROBE_GROUP = "chat.nobody"  # a group that no room has


class Layer(PerLoop):
    """Sends to groups. While the layer is away nobody waits for it, and one at a time tries."""

    def __init__(self) -> None:
        self._away_until: float | None = None  # on the loop's clock; None while the layer is there

    @property
    def away(self) -> bool:
        return self._away_until is not None

    async def send(self, *addressed: tuple[str, Mapping[str, Any]]) -> None:
        """Sends messages to the groups named with them. What is sent while the layer is away is lost."""
        now = asyncio.get_running_loop().time()
        if self._away_until is None:
            # In a task of its own: clients of Redis have taken a cancellation for an answer, or broken off half-way.
            await self._wait_for(DetachedTasks.here().start(self._send(addressed)))
        elif now >= self._away_until:
            self._away_until = now + LAYER_TIMEOUT + RETRY_INTERVAL
            DetachedTasks.here().start(self._send(addressed))

    async def answers(self) -> bool:
        """Whether the layer answers, found out now. Waits no longer than LAYER_TIMEOUT."""
        probe = (PROBE_GROUP, {"type": events.TYPE, "room_id": PROBE_GROUP})
        await self._wait_for(DetachedTasks.here().start(self._send([probe])))
        return not self.away

    async def _wait_for(self, sending: asyncio.Task[None]) -> None:
        await asyncio.wait([sending], timeout=LAYER_TIMEOUT)
        if not sending.done():
            self.lose(TimeoutError("no answer"))

    async def _send(self, addressed: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        try:
            for group, message in addressed:
                await get_channel_layer().group_send(group, message)
        except Exception as error:
            self.lose(error)
        else:
            self.find()

    def lose(self, error: Exception) -> None:
        """The layer has failed with `error`, or doesn't answer."""
        if self._away_until is None:
            metrics.REDIS_UP.set(0)
            logger.warning("The channel layer is away. Going on without it, from the database: %r", error)
        self._away_until = asyncio.get_running_loop().time() + RETRY_INTERVAL

    def find(self) -> None:
        """The layer has answered."""
        if self._away_until is not None:
            metrics.REDIS_UP.set(1)
            logger.warning("The channel layer is back.")
        self._away_until = None
