"""Between the processes: publish an event, and the Hub that listens on behalf of everybody in this process.

The only code that uses the channel layer. Each process (each event loop, to be exact) has one channel, which is in
the group of every room that somebody here listens to, once, however many they are.

A layer raises whatever its backend does, so `except Exception` here means: the layer is away.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer
from django.conf import settings

from chat import events
from chat.errors import SlowListener, Unavailable
from chat.events import Event
from chat.rooms import Room

logger = logging.getLogger(__name__)

PAUSE = 1.0  # seconds between two tries while the layer is away


async def publish(event: Event) -> None:
    """Sends the event to its room's group, for the hub of every process. Raises Unavailable."""
    message = events.to_group(event)
    try:
        try:
            await get_channel_layer().group_send(event.room.group, message)
        except Exception:
            # The first to use a connection that Redis has closed is told so; a second one opens another.
            await get_channel_layer().group_send(event.room.group, message)
    except Exception as error:
        logger.warning("Can't publish to %s: %r", event.room.group, error)
        raise Unavailable("The message could not be delivered. Please try again in a moment.") from error


class Listener:
    """One local consumer of one or more rooms: iterate over it for the events of these rooms.

    Raises SlowListener when CHAT_OUTBOX_MAX events had been waiting and another one came.
    """

    def __init__(self, rooms: Iterable[Room]) -> None:
        self.rooms = frozenset(rooms)
        self._outbox: asyncio.Queue[Event] = asyncio.Queue(settings.CHAT_OUTBOX_MAX)
        self._too_slow = False

    def put(self, event: Event) -> None:
        try:
            self._outbox.put_nowait(event)
        except asyncio.QueueFull:
            self._too_slow = True

    def __aiter__(self) -> "Listener":
        return self

    async def __anext__(self) -> Event:
        if self._too_slow:
            raise SlowListener("You were sent more than you took, and missed some of it. Please start over.")
        return await self._outbox.get()


@dataclass(eq=False)
class Membership:
    """One room's listeners in this process, and whether this process is in the room's group for them."""

    room: Room
    listeners: set[Listener] = field(default_factory=set)
    joined: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def steady(self) -> bool:
        """Whether the process is in the group, somebody listens, and neither is about to change."""
        return self.joined and bool(self.listeners) and not self.lock.locked()


class Hub:
    """Listens to the groups of the rooms that somebody here listens to, and hands each event to all of them."""

    _of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, "Hub"] = WeakKeyDictionary()

    def __init__(self) -> None:
        self._memberships: dict[str, Membership] = {}  # by group
        self._channel: str | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()  # around the two above
        self._settling: set[asyncio.Task[None]] = set()

    @classmethod
    def here(cls) -> "Hub":
        """The hub of the running event loop."""
        loop = asyncio.get_running_loop()
        if loop not in cls._of_loop:
            cls._of_loop[loop] = cls()
        return cls._of_loop[loop]

    @contextlib.asynccontextmanager
    async def listen(self, rooms: Iterable[Room]) -> AsyncIterator[Listener]:
        """A listener that hears everything said in `rooms` from here to the end of the block."""
        listener = Listener(rooms)
        try:
            await self.join(listener)
            yield listener
        finally:
            await self.leave(listener)

    async def join(self, listener: Listener) -> None:
        """From when this returns, `listener` hears its rooms (from when it can, while the layer is away)."""
        for room in listener.rooms:
            self._memberships.setdefault(room.group, Membership(room)).listeners.add(listener)
        await self._settle(listener.rooms)

    async def leave(self, listener: Listener) -> None:
        """From when this is called, `listener` hears nothing more; that is so even if the caller is cancelled."""
        for room in listener.rooms:
            if membership := self._memberships.get(room.group):
                membership.listeners.discard(listener)
        await self._settle(listener.rooms)

    # In the group exactly as long as somebody listens

    async def _settle(self, rooms: Iterable[Room]) -> None:
        """Brings the groups of `rooms` in step with their listeners, and is not cancelled with its caller."""
        memberships = [self._memberships[room.group] for room in rooms if room.group in self._memberships]
        tasks = [self._start(self._settle_one(membership)) for membership in memberships if not membership.steady]
        if tasks:
            await asyncio.shield(asyncio.gather(*tasks))

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)
        return task

    async def _settle_one(self, membership: Membership, pause: float = 0) -> None:
        await asyncio.sleep(pause)
        group = membership.room.group
        async with membership.lock:
            wanted = bool(membership.listeners)
            try:
                if wanted and not membership.joined:
                    await get_channel_layer().group_add(group, await self._open())
                    membership.joined = True
                elif membership.joined and not wanted:
                    membership.joined = False  # whether or not the layer can be told
                    await get_channel_layer().group_discard(group, self._channel)
            except Exception as error:
                logger.warning("Can't %s %s: %r", "join" if wanted else "leave", group, error)
            if wanted and not membership.joined:
                self._start(self._settle_one(membership, PAUSE))
            if not membership.listeners and self._memberships.get(group) is membership:
                del self._memberships[group]
        await self._close_if_idle()

    async def _open(self) -> str:
        """This process's channel, which somebody hears."""
        async with self._lock:
            if self._channel is None:
                self._channel = await get_channel_layer().new_channel()
                self._hearing = asyncio.create_task(self._hear(self._channel))
            return self._channel

    async def _close_if_idle(self) -> None:
        async with self._lock:
            if self._memberships or self._hearing is None:
                return
            hearing, self._hearing, self._channel = self._hearing, None, None
            hearing.cancel()
            await asyncio.wait([hearing])

    # What comes in

    async def _hear(self, channel: str) -> None:
        while True:
            try:
                message = await get_channel_layer().receive(channel)
            except Exception as error:
                logger.warning("Can't hear the channel layer, trying again: %r", error)
                await asyncio.sleep(PAUSE)
            else:
                self._deliver(message)

    def _deliver(self, message: Any) -> None:
        """Hands on an event of whoever sent it: nothing that comes in here may stop the hub."""
        match message:
            case {"type": events.TYPE, "room_id": str(group)} if group in self._memberships:
                membership = self._memberships[group]
            case _:
                logger.debug("Not for anybody here: %.200r", message)
                return
        try:
            event = events.parse(message, membership.room)
        except events.MalformedEvent as error:
            logger.warning("Dropped an event of %s: %s", group, error)
            return
        for listener in membership.listeners:
            listener.put(event)
