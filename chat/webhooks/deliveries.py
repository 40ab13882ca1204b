"""The webhooks that this process delivers, each by a runner, as long as it says in time that it is there.

Processes share the webhooks through the database: each looks for free ones every ATTEND_INTERVAL, and takes them.
Those of a process that is killed are free when its lease is over; one that stops gives them back.
"""

import asyncio
import contextlib
import logging
import random
import uuid
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from django.conf import settings
from django.utils import timezone

from chat import log_context, metrics
from chat.actions.webhooks import SUBJECT
from chat.connections.shutdown import at_stop
from chat.delivery.batcher import Batcher
from chat.delivery.control import on_control
from chat.domain.positions import Position
from chat.domain.rooms import Room
from chat.errors import unforeseen
from chat.outgoing.deliveries import DeliveryClient
from chat.per_loop import PerLoop
from chat.storage import webhook_couriers, webhook_outcomes
from chat.storage.database import in_database
from chat.storage.webhook_outcomes import Outcome
from chat.webhooks.runner import Runner

logger = logging.getLogger(__name__)

ATTEND_INTERVAL = 4.0  # seconds from one sign of life, and one look for free webhooks, to the next
STOP_TIME = 0.5  # seconds that deliveries have to end when the process stops


class Deliveries(PerLoop):
    """All runners of one event loop. They begin with the first request of whatever kind, and work until `stop`."""

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self._runners: dict[int, Runner] = {}
        self._told: dict[int, dict[Room, Position]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._held_until = 0.0  # on the event loop's clock
        self._limits: set[asyncio.Timeout] = set()  # of attempts under way
        self._outcomes: Batcher[Outcome, bool] = Batcher(_store_all)
        self._attending: asyncio.Task[None] | None = None
        self._soon = asyncio.Event()
        self._stopping = False

    def start(self) -> None:
        if settings.CHAT_WEBHOOKS and self._attending is None and not self._stopping:
            self._attending = asyncio.create_task(self._attend_always(), context=log_context.detached())

    async def stop(self) -> None:
        """The process ends. Other processes go on with what isn't delivered in STOP_TIME."""
        self._stopping = True
        if self._attending is None:
            return
        self._attending.cancel()
        tasks = [self._attending, *self._tasks.values()]
        for task in self._tasks.values():
            task.cancel()
        await asyncio.wait(tasks, timeout=STOP_TIME)
        await DeliveryClient.here().close()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(STOP_TIME):
                await in_database(webhook_couriers.leave, courier=self.id)

    def tell(self, ids: Collection[int]) -> None:
        """These webhooks were made or changed, or something of them is to be sent once more."""
        for id in ids:
            if id in self._runners:
                self._runners[id].tell()
            if id not in self._tasks or self._tasks[id].done():
                self._soon.set()

    # For the runners

    @contextlib.asynccontextmanager
    async def holding(self) -> AsyncIterator[None]:
        """Raises TimeoutError as soon as the webhooks may be another process's."""
        async with asyncio.timeout_at(self._held_until) as limit:
            self._limits.add(limit)
            try:
                yield
            finally:
                self._limits.discard(limit)

    def now(self) -> datetime:
        return timezone.now()

    def told(self, webhook_id: int) -> dict[Room, Position]:
        """How far this process has told a webhook of rooms. The database says less only if that was set back."""
        return self._told.setdefault(webhook_id, {})

    async def store(self, outcome: Outcome) -> bool:
        return await self._outcomes.ask(outcome)

    # Taking webhooks

    async def _attend_always(self) -> None:
        while True:
            try:
                await self.attend()
            except Exception as error:
                unforeseen(error)  # into the log, if it is anything but Unavailable
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ATTEND_INTERVAL * random.uniform(0.8, 1)):
                    await self._soon.wait()
            self._soon.clear()

    async def attend(self) -> None:
        """Keeps the webhooks that this process has, and takes what is free. Raises Unavailable."""
        if not self._runners and not await in_database(webhook_couriers.any_is_on):
            return
        began = asyncio.get_running_loop().time()
        own = await in_database(webhook_couriers.attend, courier=self.id)
        self.hold_until(began + webhook_couriers.LEASE.total_seconds())
        for id in self._runners.keys() - own:
            self._end(id)
        for id in own:
            if id not in self._tasks or self._tasks[id].done():
                self._begin(id)
        metrics.WEBHOOKS.set(len(self._runners))

    def hold_until(self, time: float) -> None:
        """The webhooks are this process's until then, on the event loop's clock."""
        self._held_until = time
        for limit in self._limits:
            if not limit.expired():
                limit.reschedule(time)

    def _begin(self, id: int) -> None:
        runner = self._runners[id] = Runner(id, self)
        self._tasks[id] = asyncio.create_task(runner.run(), context=log_context.detached())

    def _end(self, id: int) -> None:
        del self._runners[id]
        self._tasks.pop(id).cancel()


async def _store_all(outcomes: list[Outcome]) -> Sequence[bool]:
    return await in_database(webhook_outcomes.store_all, outcomes=outcomes)


@on_control(SUBJECT)
def on_webhooks(about: Mapping[str, Any]) -> None:
    Deliveries.here().tell([int(id) for id in about["ids"]])


class DeliversWebhooks:
    """ASGI middleware: the process delivers webhooks from the first request on, a probe of its health as well."""

    def __init__(self, application: ASGI3Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        Deliveries.here().start()
        await self.application(scope, receive, send)


@at_stop
async def stop_here() -> None:
    await Deliveries.here().stop()
