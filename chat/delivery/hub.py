"""The hub: listens to groups on behalf of all listeners in this process.

Each process (each event loop, to be exact) has one channel. It is in the group of every room that has a listener here,
once, however many there are.

An event that comes through a group is a hint. Each room's feed knows how far its listeners have heard: the offset and
the id of the last entry. It gives them the entry that follows, and reads from the database what comes out of turn or
not at all. So nothing depends on the layer; without it everything arrives all the same, within WATCH_INTERVAL. Where
the database doesn't have the last entry any more, its log went back, and the listeners start over.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from channels.layers import get_channel_layer

from chat import log_context, metrics
from chat.delivery import control, layer
from chat.delivery.detached_tasks import DetachedTasks
from chat.delivery.feed import Feed
from chat.delivery.layer import Layer
from chat.delivery.listener import Listener
from chat.delivery.per_loop import PerLoop
from chat.delivery.queued_listener import QueuedListener
from chat.delivery.recent_ids import RecentIds
from chat.domain import events
from chat.domain.events import Event
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.rooms import Room
from chat.errors import unforeseen
from chat.storage import history, permissions
from chat.storage.database import in_database

logger = logging.getLogger(__name__)

WATCH_INTERVAL = 1.0  # seconds from one look at the database to the next


async def send_control(subject: str, about: Mapping[str, Any]) -> None:
    """Hands `about` to the handler of the subject (`on_control`), in this process and in all that listen to rooms.

    A hint like any event: it may be lost, and it may come twice.
    """
    message = control.message(subject, about)
    hub = Hub.here()
    hub.receive(message)
    await Layer.here().send((control.CONTROL_GROUP, message))


class Hub(PerLoop):
    """Listens to the groups of the rooms that somebody here listens to, and hands each event to all of them."""

    def __init__(self) -> None:
        self._feeds: dict[str, Feed] = {}  # by group
        self._recent_ids = RecentIds()
        self._channel: str | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._retrying: asyncio.Task[None] | None = None  # tries to join and leave groups while the layer is away
        self._in_control_group = False  # whether the channel is in the group of all processes
        self._lock = asyncio.Lock()  # around the five above
        self._layer = Layer.here()

    @contextlib.asynccontextmanager
    async def listen(
        self, rooms: Iterable[Room], after: Mapping[Room, Position] | None = None, person: Person | None = None
    ) -> AsyncIterator[QueuedListener]:
        """A listener that hears everything said in `rooms` from here to the end of the block, or to its exclusion."""
        listener = QueuedListener(rooms, after, person)
        try:
            await self.join(listener)
            if not listener.after:
                listener.go_live()
            yield listener
        finally:
            await self.leave(listener)

    async def join(self, listener: Listener) -> None:
        """From when this returns, what is said in its rooms is put to `listener`, which then has to `recover`.

        Waits no longer than LAYER_TIMEOUT for the layer. Raises Unavailable, Banned or NotAMember.
        """
        feeds = [self._feeds.setdefault(room.group, Feed(room, self._recent_ids)) for room in listener.rooms]
        metrics.LISTENERS.inc()
        for feed in feeds:
            feed.listeners.add(listener)
            if feed.position is not None:
                listener.joined(feed.room, feed.position, self.catch_up)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(), context=log_context.detached())
        metrics.ROOMS.set(len(self._feeds))
        await self._sync_groups(listener.rooms)
        for feed in feeds:
            listener.joined(feed.room, await feed.locate(), self.catch_up)
        for feed in feeds:
            # By now it is among the listeners: of what excludes it from here on, it is going to hear.
            if feed.restricted:
                await in_database(permissions.check, feed.room, listener.person)

    async def leave(self, listener: Listener) -> None:
        """From when this is called, `listener` hears nothing more; that is so even if the caller is cancelled."""
        feeds = [self._feeds[room.group] for room in listener.rooms if room.group in self._feeds]
        if any(listener in feed.listeners for feed in feeds):  # the first time
            metrics.LISTENERS.dec()
        for feed in feeds:
            feed.listeners.discard(listener)
        await self._sync_groups(listener.rooms)

    def audience(self, room: Room) -> int:
        """How many listeners in this process hear `room`."""
        feed = self._feeds.get(room.group)
        return 0 if feed is None else len(feed.listeners)

    # From the groups

    def hear(self, event: Event) -> None:
        """Delivers an event, or finds out what has to be delivered before it."""
        feed = self._feeds.get(event.room.group)
        if feed is None:
            return
        if not feed.take(event):
            feed.heard_too_early(event)
            feed.catch_up()
        elif feed.needs_recheck:
            feed.catch_up()

    async def _hear(self, channel: str) -> None:
        while True:
            try:
                message = await get_channel_layer().receive(channel)
            except Exception as error:
                self._layer.lose(error)
                await asyncio.sleep(layer.RETRY_INTERVAL)
            else:
                self.receive(message)

    def receive(self, message: Any) -> None:
        """Takes what whoever sent to a group: nothing that comes in here may stop the hub."""
        match message:
            case {"type": str(kind), "subject": str(subject), "about": dict(about)} if kind == control.CONTROL_TYPE:
                control.handle(subject, about)
                return
            case {"type": events.TYPE, "room_id": str(group)} if group in self._feeds:
                feed = self._feeds[group]
            case _:
                logger.debug("Passed over what is not for anybody here.")
                return
        if message.get("offset") is not None and message.get("id") in self._recent_ids:
            return  # what was posted in this process comes back to it
        try:
            event = events.parse(message, feed.room)
        except events.MalformedEvent as error:
            metrics.DROPPED.inc()
            logger.warning("Dropped an event of %s: %s", group, error)
            return
        self.hear(event)

    async def _watch(self) -> None:
        """Looks whether something was said that nobody heard of: one query for all rooms, once an interval."""
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            watched = {feed: feed.position for feed in self._feeds.values() if feed.position is not None}
            try:
                heads = await in_database(history.heads, [feed.room for feed in watched])
            except Exception as error:
                unforeseen(error)  # into the log, if it is anything but Unavailable
                continue
            for feed, position in watched.items():
                head = heads[feed.room]
                if feed.needs_recheck or not feed.is_in_step_with(head.position, position):
                    feed.catch_up()
                if not feed.is_past(head.position):  # else a notice may have come since, which knows better
                    feed.restricted = head.restricted

    async def catch_up(self, room: Room) -> Position:
        """Reads what is missing of a room. Returns where its listeners are then."""
        feed = self._feeds.get(room.group) or Feed(room, self._recent_ids)  # the listener may have left
        feed.catch_up()
        if feed.reading:
            await asyncio.wait([feed.reading])
        return await feed.locate()

    # In the group exactly as long as somebody listens

    async def _sync_groups(self, rooms: Iterable[Room]) -> None:
        """Brings the groups of `rooms` in step with their listeners; goes on when the caller is cancelled.

        While the layer is away nobody waits for it, and one task tries for all rooms.
        """
        feeds = [self._feeds[room.group] for room in rooms if room.group in self._feeds]
        if self._layer.away:
            for feed in feeds:
                self._drop_if_unused(feed)
            await self._close_if_idle()
            self._retry_groups()
            return
        tasks = [self._sync_group(feed) for feed in feeds if feed.syncing or not feed.in_step]
        if tasks:
            _, waiting = await asyncio.wait(tasks, timeout=layer.LAYER_TIMEOUT)
            if waiting:
                self._layer.lose(TimeoutError("no answer"))

    def _sync_group(self, feed: Feed) -> asyncio.Task[None]:
        """The one task that brings this room's group in step, be it under way or new."""
        if feed.syncing is None:
            feed.syncing = DetachedTasks.here().start(self._do_sync_group(feed))
        return feed.syncing

    async def _do_sync_group(self, feed: Feed) -> None:
        try:
            while not feed.in_step:
                await self._change_group(feed)
        except Exception as error:
            self._layer.lose(error)
            self._retry_groups()
        finally:
            feed.syncing = None
        self._drop_if_unused(feed)
        await self._close_if_idle()

    async def _change_group(self, feed: Feed) -> None:
        group, groups = feed.room.group, get_channel_layer()
        if feed.listeners:
            await groups.group_add(group, await self._open())
            feed.joined = True
        else:
            if feed.leaving:  # a layer that failed to leave a group may have forgotten that it is in there
                await groups.group_add(group, self._channel)
            feed.leaving = True
            await groups.group_discard(group, self._channel)
            feed.joined = False
        feed.leaving = False
        self._layer.find()

    def _retry_groups(self) -> None:
        if self._retrying is None or self._retrying.done():
            self._retrying = asyncio.create_task(self._keep_retrying(), context=log_context.detached())

    async def _keep_retrying(self) -> None:
        """Tries one room's group at an interval; once that succeeds, those of all rooms that are out of step."""
        while any(not feed.in_step for feed in self._feeds.values()):
            await asyncio.sleep(layer.RETRY_INTERVAL)
            for feed in [feed for feed in self._feeds.values() if not feed.in_step][:1]:
                await asyncio.wait([self._sync_group(feed)])
            if not self._layer.away:
                tasks = [self._sync_group(feed) for feed in self._feeds.values() if not feed.in_step]
                if tasks:
                    await asyncio.wait(tasks)

    def _drop_if_unused(self, feed: Feed) -> None:
        if not feed.listeners and not feed.joined and self._feeds.get(feed.room.group) is feed:
            del self._feeds[feed.room.group]
            metrics.ROOMS.set(len(self._feeds))

    async def _open(self) -> str:
        """This process's channel, which somebody hears."""
        async with self._lock:
            if self._channel is None:
                self._channel = await get_channel_layer().new_channel()
                self._hearing = asyncio.create_task(self._hear(self._channel), context=log_context.detached())
            if not self._in_control_group:
                await get_channel_layer().group_add(control.CONTROL_GROUP, self._channel)
                self._in_control_group = True
            return self._channel

    async def _close_if_idle(self) -> None:
        async with self._lock:
            if self._feeds:
                return
            tasks = [task for task in (self._hearing, self._watching, self._retrying) if task]
            channel, in_control_group = self._channel, self._in_control_group
            self._channel = self._hearing = self._watching = self._retrying = None
            self._in_control_group = False
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)
            if in_control_group:
                try:
                    await get_channel_layer().group_discard(control.CONTROL_GROUP, channel)
                except Exception as error:
                    self._layer.lose(error)
