"""Listeners: the local consumers of rooms, whom the hub gives what it hears."""

import asyncio
import contextvars
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
from chat.people import Person
from chat.rooms import Room

logger = logging.getLogger(__name__)


class Listener:
    """A consumer of one or more rooms, which gets each event once, in order, from its own position on.

    `after` says for some of the rooms up to which offset they have been heard. What was said since then comes first; if
    that can't be brought, an event of kind START_OVER.

    `person` is who listens: where not everybody may be, they are looked up. None is the site itself, which hears all.
    """

    def __init__(
        self, rooms: Iterable[Room], after: Mapping[Room, int] | None = None, person: Person | None = None
    ) -> None:
        self.rooms = frozenset(rooms)
        self.person = person
        self.after = {room: offset for room, offset in (after or {}).items() if room in self.rooms}
        self.positions: dict[Room, int] = {}  # the last offset that was taken, by room
        self._held: deque[Event] | None = deque()  # what comes while the past is being read
        self._context = contextvars.copy_context()  # its own tasks are its connection's doing, not of whoever posts
        self._ended_by: Exception | None = None  # what happened meanwhile, so that it can't go on to the present

    def put(self, event: Event) -> None:
        """The hub calls this, for each room in the order of the offsets and without holes."""
        if self._held is None:
            self._pass_on(event)
        elif self._ended_by is not None:
            pass
        elif len(self._held) < settings.CHAT_OUTBOX_MAX:
            self._held.append(event)
        else:
            self.cut_off()

    async def recover(self) -> None:
        """Reads what was missed, once the hub gives: so past and present overlap.

        Raises Unavailable, Banned or NotAMember, and what the listener was ended with before it came this far.
        """
        missed: list[Event] = []
        for room, after in self.after.items():
            recovery = await in_database(log.recover, room, after, reader=self.person)
            if recovery.events is None:
                missed.append(events.start_over(room, recovery.position))
            else:
                missed.extend(recovery.events)
            metrics.RECOVERIES.labels("start_over" if recovery.events is None else "caught_up").inc()
            self.positions[room] = recovery.position
        if self._ended_by is not None:
            raise self._ended_by
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
        metrics.SLOW_LISTENERS.inc()
        self._context.run(logger.warning, "Cut off a listener that read too slowly")
        self.end(SlowListener("You were sent more than you took, and missed some of it. Please start over."))

    def end(self, error: Exception) -> None:
        """From when this is called the listener takes nothing more, and whoever listens is told `error`."""
        if self._held is None:
            self.stop(error)
        elif self._ended_by is None:
            self._ended_by = error
            self._held.clear()

    def stop(self, error: Exception) -> None:
        """Ends a listener that has recovered."""
        raise NotImplementedError


class Outbox(Listener):
    """A listener to iterate over, which raises the error with which it was ended."""

    def __init__(
        self, rooms: Iterable[Room], after: Mapping[Room, int] | None = None, person: Person | None = None
    ) -> None:
        super().__init__(rooms, after, person)
        self._outbox: asyncio.Queue[Event | Exception] = asyncio.Queue()
        self._error: Exception | None = None

    def take(self, event: Event) -> None:
        if self._error is not None:
            return
        if self._outbox.qsize() < settings.CHAT_OUTBOX_MAX:
            self._outbox.put_nowait(event)
        else:
            self.cut_off()

    def cut_off(self) -> None:
        while not self._outbox.empty():
            self._outbox.get_nowait()  # what it hasn't taken by now, it isn't going to
        super().cut_off()

    def stop(self, error: Exception) -> None:
        if self._error is None:
            self._error = error
            self._outbox.put_nowait(error)  # behind what was taken before: whoever waits for more hears this

    def __aiter__(self) -> "Outbox":
        return self

    async def __anext__(self) -> Event:
        if self._error is not None and self._outbox.empty():
            raise self._error
        event = await self._outbox.get()
        if isinstance(event, Exception):
            raise event
        return event


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
        person: Person | None = None,
    ) -> None:
        super().__init__(rooms, after, person)
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
            self.stop(error)
            return
        self._waiting = asyncio.create_task(self._wait(_resumed(writing, blocked_by)), context=self._context)

    @property
    def waiting(self) -> bool:
        """Whether there is something that the socket hasn't taken yet."""
        return self._waiting is not None and not self._over

    async def close(self) -> None:
        """Stops writing, whatever was still to be written. `fail` may call this."""
        self._over = True
        if self._waiting:
            self._waiting.cancel()
            await asyncio.wait([self._waiting])

    def stop(self, error: Exception) -> None:
        if self._over:
            return
        self._over = True
        self._queue.clear()
        if self._waiting:
            self._waiting.cancel()
        self._failing = asyncio.create_task(self._give_up(error), context=self._context)

    async def _give_up(self, error: Exception) -> None:
        await self._fail(error)

    async def _wait(self, writing: Awaitable[None]) -> None:
        try:
            await writing
            while self._queue:
                await self._write(self._queue.popleft())
        except Exception as error:
            self._waiting = None
            self.stop(error)
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
