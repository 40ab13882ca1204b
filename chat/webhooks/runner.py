"""Delivers one webhook: what its position leaves to be told, one event after the other.

    delivery.hub               something was said in the room; here, that only wakes the runner
    storage.webhook_work       what follows the position, as it is now
    webhooks.attempt           the request, signed
    webhooks.replies           the answer, posted as a reply
    storage.webhook_outcomes   the position moves on, in one transaction with what the page shows

So an event is told once more if a process ends between its delivery and the last step, and has the same id then. An
event that can't be delivered holds up those after it, and no other webhook.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from chat import metrics, tracing
from chat.delivery.hub import Hub
from chat.delivery.listener import Listener
from chat.domain.events import STORED_KINDS, Event
from chat.domain.positions import Position
from chat.domain.rooms import Room
from chat.domain.webhooks import TEST_TYPE, TYPES, OffReason, Webhook, retry
from chat.errors import Unavailable, unforeseen
from chat.outgoing.client import Stopped
from chat.storage import webhook_work
from chat.storage.database import in_database
from chat.storage.webhook_outcomes import Delivery, Failing, Outcome
from chat.storage.webhook_work import Batch, Requested, Work
from chat.webhooks.attempt import Attempt, Pace, Slots, attempt
from chat.webhooks.notices import tell_of_end
from chat.webhooks.payload import payload, test_payload
from chat.webhooks.replies import post_reply

logger = logging.getLogger(__name__)

FRESH = 10.0  # seconds for which entries are sent as they were read; after that they are read again
SWEEP_INTERVAL = 1.0  # seconds from one look through all rooms to the next, for a bot of the site
LOOK_INTERVAL = 30.0  # seconds from one look at a room to the next, whatever the hub has heard
PAUSE = 2.0  # seconds after an error that isn't the receiver's
SWEEP_NOTED_EVERY = 30.0  # seconds
ANSWER_SHOWN = 500  # characters
NOT_KEPT = "not_kept"  # the problem of what was to be sent again, and is gone


class Ear(Listener):
    """Wakes a runner when something is stored in a room. What it is, the runner reads from the database."""

    is_here = False

    def __init__(self, room: Room, wake: Callable[[], None]) -> None:
        super().__init__([room], kinds=STORED_KINDS)
        self._wake = wake

    def put(self, event: Event) -> None:
        self._wake()

    def end(self, error: Exception) -> None:
        self._wake()


class Courier(Protocol):
    """The process that a runner works for."""

    @property
    def id(self) -> str: ...

    def holding(self) -> AbstractAsyncContextManager[None]:
        """Raises TimeoutError as soon as the webhooks may be another process's."""

    def now(self) -> datetime: ...

    def told(self, webhook_id: int) -> dict[Room, Position]:
        """How far the process has told a webhook of rooms."""

    async def store(self, outcome: Outcome) -> bool: ...


@dataclass(frozen=True, slots=True)
class Pause:
    """How long there is nothing to do, unless something is stored, or somebody asks for something."""

    seconds: float
    ends_by_entries: bool = True


class Lost(Exception):
    """The webhook is off, or another process's."""


class Runner:
    def __init__(self, webhook_id: int, courier: Courier) -> None:
        self.webhook_id = webhook_id
        self._courier = courier
        self._wake = asyncio.Event()
        self._is_told = False  # somebody has changed the webhook, or asks for something to be sent
        self._ear: Ear | None = None
        self._pace = Pace.QUICK

    def wake(self) -> None:
        self._wake.set()

    def tell(self) -> None:
        """The webhook has been changed, or something of it is to be sent once more."""
        self._is_told = True
        self.wake()

    async def run(self) -> None:
        """Works until the webhook is off, or isn't this process's any more."""
        try:
            with contextlib.suppress(Lost, Stopped):
                while True:
                    await self._wait(await self._step())
        finally:
            if self._ear is not None:
                await Hub.here().leave(self._ear)

    async def _step(self) -> Pause:
        """Reads some of what is to be told, and tells it."""
        try:
            work = await in_database(webhook_work.next_work, self.webhook_id, self._courier.id)
            if work is None:
                raise Lost
            if work.webhook.room is not None and self._ear is None:
                await self._listen(work.webhook.room)
                return Pause(0)  # something may have been said before it listened
            return await self._work_off(work)
        except (Lost, Stopped):
            raise
        except Exception as error:
            unforeseen(error)  # into the log, if it is anything but Unavailable
            return Pause(PAUSE, ends_by_entries=False)

    async def _listen(self, room: Room) -> None:
        ear = Ear(room, self.wake)
        try:
            await Hub.here().join(ear)
        except BaseException:
            await Hub.here().leave(ear)
            raise
        self._ear = ear

    async def _wait(self, pause: Pause) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause.seconds):
                while not self._is_told:
                    await self._wake.wait()
                    self._wake.clear()
                    if pause.ends_by_entries:
                        break
        self._is_told = False

    async def _work_off(self, work: Work) -> Pause:
        if work.is_excluded:
            logger.warning("Webhook %d: switched off: %s", work.webhook.id, OffReason.EXCLUDED)
            await self._store(self._outcome(off=OffReason.EXCLUDED))
            await tell_of_end(work.webhook, OffReason.EXCLUDED, self._courier.now())
            raise Lost
        for requested in work.requested:
            await self._send_again(work.webhook, requested)
        if (due_at := work.webhook.due_at) and (wait := (due_at - self._courier.now()).total_seconds()) > 0:
            return Pause(min(wait, LOOK_INTERVAL), ends_by_entries=False)
        webhook: Webhook | None = work.webhook
        read_at = asyncio.get_running_loop().time()
        for batch in work.batches:
            webhook = webhook and await self._tell_batch(webhook, batch, read_at)
        if work.batches or work.requested:
            return Pause(0)
        if work.webhook.room is not None:
            return Pause(LOOK_INTERVAL)
        await self._note_sweep(work)
        return Pause(SWEEP_INTERVAL)

    async def _tell_batch(self, webhook: Webhook, batch: Batch, read_at: float) -> Webhook | None:
        """Tells it of a room's entries, in their order. Returns it as it is then; None if an attempt failed."""
        told: Position | None = None
        known = self._courier.told(self.webhook_id)
        if (before := known.get(batch.room)) and batch.after.is_before(before):
            batch = batch.after_going_back(before)
        for event in batch.entries:
            if not webhook.hears(event):
                continue
            if asyncio.get_running_loop().time() - read_at > FRESH:
                return None  # what was edited or deleted meanwhile is to be sent as it is now
            after = batch.end if event is batch.entries[-1] else event.position
            if not await self._tell(webhook, event, after):
                return None
            webhook, told = replace(webhook, attempts=0, failing_since=None), after
            if after is not None:
                known[batch.room] = after
        if told != batch.end:
            await self._store(self._outcome(room=batch.room, position=batch.end))
        return webhook

    async def _tell(self, webhook: Webhook, event: Event, after: Position | None) -> bool:
        """One attempt to tell it of an event. Stores how it went, and returns whether it was delivered."""
        message_id = webhook.message_id(event)
        with tracing.sequel("webhook.deliver", event.id):
            tried = await self._attempt(webhook, message_id, lambda: payload(event, now=self._courier.now()))
        if tried.is_delivered:
            reply = await post_reply(webhook, event, message_id, tried)
            delivery = self._delivery(tried, message_id, TYPES[event.kind], event, reply=reply)
            delivery = replace(delivery, attempts=webhook.attempts + 1)
            await self._store(self._outcome(room=event.room, position=after, delivery=delivery))
            if event.sent_at is not None:
                lag = self._courier.now() - event.sent_at
                metrics.WEBHOOK_LAG.observe(max(0.0, lag.total_seconds()))
            return True
        await self._store_failure(webhook, event, message_id, tried)
        return False

    async def _store_failure(self, webhook: Webhook, event: Event, message_id: str, tried: Attempt) -> None:
        attempts = webhook.attempts + 1
        next_try = retry(
            attempts=attempts,
            failing_since=webhook.failing_since,
            now=self._courier.now(),
            asked=tried.asked,
            spread=random.random(),
        )
        off = OffReason.GONE if tried.is_gone else OffReason.FAILED if next_try.due_at is None else None
        logger.log(
            logging.WARNING if off else logging.INFO,
            "Webhook %d: %s failed with %s, attempt %d; %s",
            *(webhook.id, urlsplit(webhook.url).hostname, tried.status or tried.detail, attempts),
            f"switched off: {off}" if off else f"again at {next_try.due_at:%Y-%m-%d %H:%M:%S}",
        )
        delivery = replace(self._delivery(tried, message_id, TYPES[event.kind], event), attempts=attempts)
        failing = Failing(attempts, next_try.failing_since, next_try.due_at)
        await self._store(self._outcome(delivery=delivery, failing=failing, off=off))
        if off is not None:
            await tell_of_end(webhook, off, next_try.failing_since)
            raise Lost

    async def _send_again(self, webhook: Webhook, requested: Requested) -> None:
        """Sends something beside the log. How that goes changes nothing but what the page shows."""
        event, now = requested.event, self._courier.now
        reply = ""
        if event is not None:
            known = event
            tried = await self._attempt(webhook, requested.message_id, lambda: payload(known, now=now()))
            if tried.is_delivered:
                reply = await post_reply(webhook, event, requested.message_id, tried)
        elif requested.type == TEST_TYPE:
            tried = await self._attempt(webhook, requested.message_id, lambda: test_payload(now=now()))
        else:
            tried = Attempt(0, problem=NOT_KEPT)
        delivery = self._delivery(tried, requested.message_id, requested.type, event, reply=reply)
        await self._store(self._outcome(delivery=delivery, is_extra=True))

    async def _attempt(self, webhook: Webhook, message_id: str, body: Callable[[], str]) -> Attempt:
        """Raises Lost if the webhook may be another process's before it is over."""
        async with Slots.here().place(Pace.FAILING if webhook.attempts else self._pace):  # it may have failed elsewhere
            try:
                async with self._courier.holding():
                    tried = await attempt(webhook, message_id, body(), now=self._courier.now())
            except TimeoutError:
                raise Lost from None
        self._pace = tried.pace
        metrics.WEBHOOK_ATTEMPTS.labels("delivered" if tried.is_delivered else "failed").inc()
        return tried

    async def _note_sweep(self, work: Work) -> None:
        """Notes that nothing is left in rooms in which nothing was said since: those needn't be looked at again."""
        if work.swept_at is None or (work.read_at - work.swept_at).total_seconds() > SWEEP_NOTED_EVERY:
            await self._store(self._outcome(swept_at=work.read_at))

    def _outcome(self, **known: Any) -> Outcome:
        return Outcome(webhook_id=self.webhook_id, courier=self._courier.id, **known)

    async def _store(self, outcome: Outcome) -> None:
        """Stores what was done, and tries until the database answers. Raises Lost if that says so."""
        while True:
            try:
                if not await self._courier.store(outcome):
                    raise Lost
                return
            except Unavailable:
                await asyncio.sleep(PAUSE)

    def _delivery(self, tried: Attempt, message_id: str, type: str, event: Event | None, reply: str = "") -> Delivery:
        return Delivery(
            message_id=message_id,
            type=type,
            room=event.room if event else None,
            offset=event.offset if event else None,
            attempts=1,
            at=self._courier.now(),
            took=int(tried.took * 1000),
            status=tried.status,
            problem=tried.problem,
            answer=tried.body.decode(errors="replace").replace("\0", "")[:ANSWER_SHOWN],
            reply=reply,
            delivered=tried.is_delivered,
        )
