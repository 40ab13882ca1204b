"""Listeners: the local consumers of rooms, whom the hub gives what it hears."""

import asyncio
import logging
import types
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Mapping
from typing import Any

from django.conf import settings

from chat import events, log, metrics
from chat.database import in_database
from chat.errors import SlowListener
from chat.events import Event
from chat.rooms import Room

logger = logging.getLogger(__name__)


class Listener:
    """A consumer of one or more rooms, which gets each event once, in order, from its own position on.

    `after` says for some of the rooms up to which offset they have been heard. What was said since then comes first; if
    that can't be brought, an event of kind START_OVER.
    """

    def __init__(self, rooms: Iterable[Room], after: Mapping[Room, int] | None = None) -> None:
        self.rooms = frozenset(rooms)
        self.after = {room: offset for room, offset in (after or {}).items() if room in self.rooms}
        self.positions: dict[Room, int] = {}  # the last offset that was taken, by room
        self._held: deque[Event] | None = deque()  # what comes while the past is being read

    def put(self, event: Event) -> None:
        """The hub calls this, for each room in the order of the offsets and without holes."""
        if self._held is None:
            self._pass_on(event)
        elif len(self._held) < settings.CHAT_OUTBOX_MAX:
            self._held.append(event)
        else:
            self.cut_off()

    async def recover(self) -> None:
        """Reads what was missed, once the hub gives: so past and present overlap. Raises Unavailable."""
        missed: list[Event] = []
        for room, after in self.after.items():
            recovery = await in_database(log.recover, room, after)
            if recovery.events is None:
                missed.append(events.start_over(room, recovery.position))
            else:
                missed.extend(recovery.events)
            metrics.RECOVERIES.labels("start_over" if recovery.events is None else "caught_up").inc()
            self.positions[room] = recovery.position
        for event in missed:
            self.take(event)
        held, self._held = self._held or (), None
        for event in held:
            self._pass_on(event)

    def _pass_on(self, event: Event) -> None:
        if event.offset is not None:
            if event.offset <= self.positions.get(event.room, 0):
                return
            self.positions[event.room] = event.offset
        self.take(event)

    def take(self, event: Event) -> None:
        """Does with the event what is to be done with it; doesn't wait for anybody."""
        raise NotImplementedError

    def cut_off(self) -> None:
        """Gives up on whoever takes less than is said, when CHAT_OUTBOX_MAX events wait."""
        raise NotImplementedError


class Outbox(Listener):
    """A listener to iterate over. Raises SlowListener when it was cut off."""

    def __init__(self, rooms: Iterable[Room], after: Mapping[Room, int] | None = None) -> None:
        super().__init__(rooms, after)
        self._outbox: asyncio.Queue[Event] = asyncio.Queue(settings.CHAT_OUTBOX_MAX)
        self._too_slow = False

    def take(self, event: Event) -> None:
        try:
            self._outbox.put_nowait(event)
        except asyncio.QueueFull:
            self.cut_off()

    def cut_off(self) -> None:
        if not self._too_slow:
            metrics.SLOW_LISTENERS.inc()
        self._too_slow = True

    def __aiter__(self) -> "Outbox":
        return self

    async def __anext__(self) -> Event:
        if self._too_slow:
            raise SlowListener("You were sent more than you took, and missed some of it. Please start over.")
        return await self._outbox.get()


class Writer(Listener):
    """A listener that writes to a socket: `write` is called with one event after the other.

    As long as the socket takes what it is given, all of that happens within `take`, without a task or a queue. Where it
    has to be waited for, a task does the waiting, and events queue up behind it.

    `fail` is called once, with what went wrong, when there is nothing more to write to.
    """

    def __init__(
        self,
        rooms: Iterable[Room],
        after: Mapping[Room, int] | None,
        write: Callable[[Event], Coroutine[Any, Any, None]],
        fail: Callable[[Exception], Awaitable[None]],
    ) -> None:
        super().__init__(rooms, after)
        self._write = write
        self._fail = fail
        self._queue: deque[Event] = deque()
        self._waiting: asyncio.Task[None] | None = None
        self._failing: asyncio.Task[None] | None = None
        self._over = False

    def take(self, event: Event) -> None:
        if self._over:
            return
        if self._waiting is not None:
            if len(self._queue) < settings.CHAT_OUTBOX_MAX:
                self._queue.append(event)
            else:
                self.cut_off()
            return
        writing = self._write(event)
        try:
            blocked_by = writing.send(None)
        except StopIteration:
            return
        except Exception as error:
            self._end(error)
            return
        self._waiting = asyncio.create_task(self._wait(_resumed(writing, blocked_by)))

    def cut_off(self) -> None:
        self._end(SlowListener("You were sent more than you took, and missed some of it. Please start over."))

    async def close(self) -> None:
        """Stops writing, whatever was still to be written. `fail` may call this."""
        self._over = True
        if self._waiting:
            self._waiting.cancel()
            await asyncio.wait([self._waiting])

    def _end(self, error: Exception) -> None:
        if self._over:
            return
        self._over = True
        self._queue.clear()
        if self._waiting:
            self._waiting.cancel()
        self._failing = asyncio.create_task(self._give_up(error))

    async def _give_up(self, error: Exception) -> None:
        if isinstance(error, SlowListener):
            metrics.SLOW_LISTENERS.inc()
            logger.info("Cut off a listener that read too slowly")
        await self._fail(error)

    async def _wait(self, writing: Awaitable[None]) -> None:
        try:
            await writing
            while self._queue:
                await self._write(self._queue.popleft())
        except Exception as error:
            self._waiting = None
            self._end(error)
        else:
            self._waiting = None


@types.coroutine
def _resumed(coroutine: Coroutine[Any, Any, None], blocked_by: Any) -> Generator[Any, Any, None]:
    """The rest of a coroutine that was begun outside of a task, and is blocked by what it yielded."""
    while True:
        try:
            value = yield blocked_by
        except BaseException as error:
            step = lambda error=error: coroutine.throw(error)  # noqa: E731
        else:
            step = lambda value=value: coroutine.send(value)  # noqa: E731
        try:
            blocked_by = step()
        except StopIteration:
            return
