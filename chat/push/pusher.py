"""Tells people on their devices of what was said, some seconds after it was.

    actions.group_commit                a message is stored; the pusher of this process is told of its room, no more
    storage.push_due.take               DELAY later: what is due is taken, by one process
    storage.alerts.candidates           the people who may have to be told, and have a device
    delivery.rooms.visible_pages             … without those who are looking at a page, through any process
    storage.alerts.alerts               … and what to tell each, as it is by now: nothing of what was read or deleted
    push.sender                         encrypted, signed, sent
    storage.push_due.finish             done; what failed for now is due again

Posting waits for none of this. A process that is killed leaves what it had taken to others, when its lease is over.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from chat import log_context
from chat.delivery.rooms.visible_pages import VisiblePages
from chat.domain.events import Event
from chat.domain.rooms import Room
from chat.errors import Unavailable, unforeseen
from chat.per_loop import PerLoop
from chat.push.envelope import Envelopes
from chat.push.sender import Outcome, Push, Result, Sender
from chat.storage import alerts, push_due, push_keys, push_targets
from chat.storage.alerts import Candidate
from chat.storage.database import in_database
from chat.storage.push_due import Due, Failure

logger = logging.getLogger(__name__)

SWEEP_INTERVAL = 30.0  # seconds from one look for what a process left behind that is gone, to the next
FIRST_SWEEP = 2.0  # seconds; the process before this one may have been killed
SOON = 0.1  # seconds; the least from one round to the next
TOGETHER_MAX = 200  # people who are told together
ROOMS_MAX = 10_000  # in which something was said since the last round; others wait for a sweep
STOP_TIME = 0.5  # seconds that a round has to end when the process stops


class Pusher(PerLoop):
    """The one task of an event loop that pushes. It begins with the first socket or message, and works until `stop`."""

    def __init__(self) -> None:
        self._spoken_in: dict[Room, int] = {}  # each with the first offset since the last round
        self._spoken = asyncio.Event()
        self._next_due: float | None = None  # on the event loop's clock
        self._next_sweep = asyncio.get_running_loop().time() + random.uniform(0, FIRST_SWEEP)
        self._sender: Sender | None = None
        self._working: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        if settings.CHAT_PUSH and self._working is None and not self._stopping:
            self._working = asyncio.create_task(self._work(), context=log_context.detached())

    def note(self, events: Iterable[Event]) -> None:
        """These messages were stored just now, by this process."""
        if not settings.CHAT_PUSH or self._stopping:
            return
        for event in events:
            if event.offset is not None and len(self._spoken_in) < ROOMS_MAX:
                self._spoken_in.setdefault(event.room, event.offset)
        if self._spoken_in:
            self._spoken.set()
            self.start()

    async def stop(self) -> None:
        """The process ends. Another process takes what a round doesn't finish in STOP_TIME."""
        self._stopping = True
        self._spoken.set()
        if self._working is not None:
            await asyncio.wait([self._working], timeout=STOP_TIME)
            self._working.cancel()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._pause()
            if self._stopping:
                return
            sweep = loop.time() >= self._next_sweep
            if sweep:
                self._next_sweep = loop.time() + SWEEP_INTERVAL * random.uniform(1, 1.2)
            try:
                await self.push(sweep=sweep)
            except Unavailable:
                await asyncio.sleep(push_due.DELAY.total_seconds())
            except Exception as error:
                unforeseen(error)

    async def _pause(self) -> None:
        """Waits for what is due next, for the next sweep, or until something was said DELAY ago."""
        loop = asyncio.get_running_loop()
        until = min(self._next_sweep, self._next_due or self._next_sweep)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(max(until, loop.time() + SOON)):
                await self._spoken.wait()
        if self._spoken.is_set() and not self._stopping:
            await asyncio.sleep(push_due.DELAY.total_seconds())

    async def push(self, *, sweep: bool = False) -> None:
        """One round: all that is due. Raises Unavailable."""
        spoken_in, self._spoken_in = self._spoken_in, {}
        self._spoken.clear()
        while due := await self._take(spoken_in, sweep):
            failures = await self._tell(due)
            await in_database(push_due.finish, due=due, failures=failures)
            spoken_in = {}
        await self._look_ahead()

    async def _take(self, spoken_in: dict[Room, int], sweep: bool) -> Due:
        due = await in_database(push_due.take, spoken_in=spoken_in, sweep=sweep)
        for room in due.busy:
            self._spoken_in.setdefault(room, spoken_in[room])
            self._spoken.set()
        return due

    async def _look_ahead(self) -> None:
        next_due = await in_database(push_due.next_due)
        self._next_due = None
        if next_due is not None:
            seconds = (next_due - timezone.now()).total_seconds()
            self._next_due = asyncio.get_running_loop().time() + max(seconds, 0)

    async def _tell(self, due: Due) -> list[Failure]:
        candidates = await in_database(alerts.candidates, due)
        if not candidates:
            return []
        looking = await VisiblePages.here().looking({one.person_id for one in candidates}, room=candidates[0].room)
        away = [one for one in candidates if one.person_id not in looking]
        failures = []
        for first in range(0, len(away), TOGETHER_MAX):
            if first:
                await in_database(push_due.renew, due=due)
            failures += await self._tell_some(away[first : first + TOGETHER_MAX])
        return failures

    async def _tell_some(self, candidates: Sequence[Candidate]) -> list[Failure]:
        found = await in_database(alerts.alerts, candidates)
        targets = await in_database(push_targets.targets, found)
        pushes = [Push(one.subscription, one.alert, one.detail, one.attempts) for one in targets.reachable]
        results = await (await self._sender_here()).send_all(pushes)
        outcomes = list(zip(pushes, results, strict=True))
        gone = [push.subscription.id for push, result in outcomes if result.outcome is Outcome.GONE]
        sent = [push.subscription.id for push, result in outcomes if result.outcome is Outcome.SENT]
        await in_database(push_targets.note, gone=[*gone, *targets.ended], used=sent)
        return [_failure(push, result) for push, result in outcomes if result.outcome is Outcome.LATER]

    async def _sender_here(self) -> Sender:
        if self._sender is None:
            self._sender = Sender(Envelopes(await in_database(push_keys.private_key)))
        return self._sender


def _failure(push: Push, result: Result) -> Failure:
    return Failure(
        subscription_id=push.subscription.id,
        room=push.alert.room,
        offset=push.alert.offset,
        reason=push.alert.reason,
        attempts=push.attempts + 1,
        due_at=timezone.now() + max(result.delay, timedelta(seconds=1)),
    )
