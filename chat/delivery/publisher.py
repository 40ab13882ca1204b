"""The one place where events start on their way to the listeners."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from chat import log_context, tracing
from chat.delivery.hub import Hub
from chat.delivery.layer import LAYER_TIMEOUT, Layer
from chat.delivery.source import source_of
from chat.domain.logs import LogEvent
from chat.errors import unforeseen
from chat.per_loop import PerLoop

# Events that wait for a server of the layer; of more than that, the oldest reach other processes by the watch.
WAITING_MAX = 5_000
TOGETHER_MAX = 100  # events sent before the layer's answer is awaited


async def publish(*together: LogEvent) -> None:
    """Publishes events, and waits until the layer has them, but no longer than LAYER_TIMEOUT.

    An event that is not stored goes through the layer only, and is lost while that is away.
    """
    publisher = Publisher.here()
    publisher.publish(together)
    await publisher.flush(*together)


class Publisher(PerLoop):
    """Gives events to the listeners here, and sends them to the other processes.

    A failure here is no concern of the author: the event is stored, and other processes find it in the database.
    """

    def __init__(self) -> None:
        self._outboxes: defaultdict[int, Outbox] = defaultdict(Outbox)  # by server of the layer

    def publish(self, together: Iterable[LogEvent]) -> None:
        """The listeners of this process hear stored events at once, others as soon as the layer brings them."""
        hub, layer, place = Hub.here(), Layer.here(), tracing.place()
        for event in together:
            if place is not None and event.id is not None:
                tracing.remember(event.id, place)
            if event.offset is not None:
                try:
                    hub.hear(event)
                except Exception as error:
                    unforeseen(error)
            self._outboxes[layer.server_of(event.log.group)].put(Published(event, place))

    async def flush(self, *published: LogEvent) -> None:
        """Waits until the layer has these events, or all if none are named, but no longer than LAYER_TIMEOUT."""
        layer = Layer.here()
        servers = {layer.server_of(event.log.group) for event in published} or self._outboxes.keys()
        if servers:
            await asyncio.wait([self._outboxes[server].mark() for server in servers], timeout=LAYER_TIMEOUT)


class Published(NamedTuple):
    """An event, and the place in a trace from which it is published."""

    event: LogEvent
    place: str | None


class Outbox:
    """Sends events to one server of the layer, one after the other, so that those of a log leave in their order.

    Each server has an outbox of its own: one that doesn't answer delays only the events of its own logs.
    """

    def __init__(self) -> None:
        self._waiting: deque[Published | asyncio.Future[None]] = deque(maxlen=WAITING_MAX)
        self._sending: asyncio.Task[None] | None = None

    def put(self, one: Published | asyncio.Future[None]) -> None:
        self._waiting.append(one)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send(), context=log_context.detached())

    def mark(self) -> asyncio.Future[None]:
        """A future that is done once the server has, or can't have, all that was put here before."""
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.put(sent)
        return sent

    async def _send(self) -> None:
        try:
            while self._waiting:
                together = [self._waiting.popleft() for _ in range(min(TOGETHER_MAX, len(self._waiting)))]
                try:
                    to_send = [_addressed(one) for one in together if not isinstance(one, asyncio.Future)]
                    await Layer.here().send(*filter(None, to_send))
                except Exception as error:
                    unforeseen(error)
                for one in together:
                    if isinstance(one, asyncio.Future) and not one.done():
                        one.set_result(None)
        finally:
            self._sending = None


def _addressed(published: Published) -> tuple[str, Mapping[str, Any]] | None:
    """The group and the message for it; None if the event's source fails to make one: the others are sent."""
    event, place = published
    try:
        message = source_of(event.log).to_group(event)
    except Exception as error:
        unforeseen(error)
        return None
    return event.log.group, message if place is None else {**message, tracing.KEY: place}
