"""Between the processes: publish an event, and the Hub that listens on behalf of everybody in this process.

The only code that uses the channel layer. Each process (each event loop, to be exact) has one channel, which is in
the group of every room that somebody here listens to, once, however many they are.

What comes through a group is a hint. The hub knows how far its listeners have heard each room: the offset and the id
of the last entry. What follows that entry it gives to them. What it hears out of turn, and what it doesn't hear, it
reads from the database. So nothing depends on the layer; without it everything arrives all the same, within
WATCH_INTERVAL. Where the database has no such entry any more, its log went back, and the listeners start over.

A layer raises whatever its backend does, so `except Exception` here means: the layer is away.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from typing import Any

from channels.layers import get_channel_layer

from chat import log_context, metrics
from chat.delivery.feed import Feed
from chat.delivery.listener import Listener
from chat.delivery.per_loop import PerLoop
from chat.delivery.queued_listener import QueuedListener
from chat.delivery.recent_ids import RecentIds
from chat.domain import events
from chat.domain.events import Event
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.rooms import Room
from chat.errors import NotAMember, unforeseen
from chat.storage import history, permissions
from chat.storage.database import in_database

logger = logging.getLogger(__name__)

LAYER_TIMEOUT = 1.0  # seconds that anybody waits for the layer
RETRY_INTERVAL = 1.0  # seconds between two tries while the layer is away
WATCH_INTERVAL = 1.0  # seconds from one look at the database to the next
READ_SIZE = 500  # entries read at once
PROBE_GROUP = "chat.nobody"  # a group that no room has

# What processes tell each other beside events has a group that is no room's: those begin with "chat_" and "chat.".
CONTROL_GROUP = "control"
CONTROL_TYPE = "chat.control"
ControlHandler = Callable[[Mapping[str, Any]], None]


async def start_layer() -> None:
    """Makes the layer, and so the embedded Valkey. Returns when it answers, or LAYER_TIMEOUT later."""
    await Hub.here().ask()


async def publish(*together: Event) -> None:
    """Lets everyone hear these events: the listeners of this process at once, others as soon as the layer brings them.

    An event that is not stored goes through the layer only, and is lost while that is away.
    """
    hub = Hub.here()
    for event in together:
        if event.offset is not None:
            hub.hear(event)
    if together:
        await hub.send(*((event.room.group, events.to_group(event)) for event in together))


async def send_control(subject: str, about: Mapping[str, Any]) -> None:
    """Hands `about` to the handler of the subject (`on_control`), in this process and in all that listen to rooms.

    A hint like any event: it may be lost, and it may come twice.
    """
    message = {"type": CONTROL_TYPE, "subject": subject, "about": about}
    hub = Hub.here()
    hub.receive(message)
    await hub.send((CONTROL_GROUP, message))


def on_control(subject: str) -> Callable[[ControlHandler], ControlHandler]:
    """Decorator: calls a function, in the event loop of each hub, with what others `send_control` about the subject."""

    def register(function: ControlHandler) -> ControlHandler:
        _control_handlers[subject] = function
        return function

    return register


_control_handlers: dict[str, ControlHandler] = {}


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
        self._tasks: set[asyncio.Task[None]] = set()
        self._away_until: float | None = None  # on the loop's clock; None while the layer is there

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
            listener.joined(feed.room, await self._locate(feed), self.catch_up)
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

    # What comes in

    def hear(self, event: Event) -> None:
        """Delivers an event, or finds out what has to be delivered before it."""
        feed = self._feeds.get(event.room.group)
        if feed is None:
            return
        if not feed.take(event):
            feed.heard_too_early(event)
            self._catch_up(feed)
        elif feed.needs_recheck:
            self._catch_up(feed)

    async def _hear(self, channel: str) -> None:
        while True:
            try:
                message = await get_channel_layer().receive(channel)
            except Exception as error:
                self._lose_layer(error)
                await asyncio.sleep(RETRY_INTERVAL)
            else:
                self.receive(message)

    def receive(self, message: Any) -> None:
        """Takes what whoever sent to a group: nothing that comes in here may stop the hub."""
        match message:
            case {"type": str(kind), "subject": str(subject), "about": dict(about)} if kind == CONTROL_TYPE:
                self._handle_control(subject, about)
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

    def _handle_control(self, subject: str, about: Mapping[str, Any]) -> None:
        try:
            _control_handlers[subject](about)
        except Exception as error:  # of another version, say
            logger.warning("Can't make sense of what was told about %.100r: %r", subject, error)

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
                    self._catch_up(feed)
                if not feed.is_past(head.position):  # else a notice may have come since, which knows better
                    feed.restricted = head.restricted

    # From the database, what the layer didn't bring

    async def _locate(self, feed: Feed) -> Position:
        """The position from which the room's listeners hear; the first to ask has the database asked."""
        if feed.position is None:
            if feed.locating is None:
                feed.locating = asyncio.create_task(in_database(history.heads, [feed.room]))
            try:
                heads = await asyncio.shield(feed.locating)
            finally:
                feed.locating = None
            if feed.position is None:
                head = heads[feed.room]
                feed.position, feed.restricted = head.position, head.restricted
                if feed.behind:
                    self._catch_up(feed)
        return feed.position

    async def catch_up(self, room: Room) -> Position:
        """Reads what is missing of a room. Returns where its listeners are then."""
        feed = self._feeds.get(room.group) or Feed(room, self._recent_ids)  # whoever asked may have left
        self._catch_up(feed)
        if feed.reading:
            await asyncio.wait([feed.reading])
        return await self._locate(feed)

    def _catch_up(self, feed: Feed) -> None:
        """Reads what is missing, once at a time for each room."""
        feed.behind = True
        if feed.reading is None and feed.position is not None:
            feed.reading = self._start(self._read(feed))

    async def _read(self, feed: Feed) -> None:
        try:
            while feed.behind and feed.listeners and feed.position is not None:
                feed.behind = False
                await self._recheck(feed)
                await self._read_on(feed, feed.position)
        except Exception as error:
            unforeseen(error)  # `_watch` sees that something is missing, as long as it is
        finally:
            feed.reading = None

    async def _read_on(self, feed: Feed, position: Position) -> None:
        """Gives what comes after `position` in the database; or has everybody start over, if that can't be had."""
        found = await in_database(history.read_on, feed.room, position, READ_SIZE)
        hint, feed.hint = feed.hint, None
        if found.events is None:
            feed.start_over(_position_before(hint, found.end))
            feed.behind = True
        elif feed.position is position:
            feed.position = found.after
        for event in found.events or ():
            await self._recheck(feed)
            if feed.position and event.follows(feed.position):
                metrics.REPAIRED.inc()
                feed.take(event)
                feed.behind = True  # and maybe there is more

    async def _recheck(self, feed: Feed) -> None:
        """Ends the listeners who may not be in the room any more, where no notice has named them."""
        if not feed.needs_recheck:
            return
        # Who comes from here on is looked up in `join`.
        present = {listener: listener.person for listener in feed.listeners if listener.person}
        allowed = await in_database(permissions.allowed, feed.room, present.values())
        for listener, person in present.items():
            if person not in allowed:
                listener.end(NotAMember(permissions.MEMBERS_ONLY.format(feed.room.name)))
        feed.needs_recheck = False

    # To the layer

    async def send(self, *addressed: tuple[str, Mapping[str, Any]]) -> None:
        """Sends messages to the groups named with them. While the layer is away nobody waits, one at a time tries."""
        now = asyncio.get_running_loop().time()
        if self._away_until is None:
            # In a task of its own: clients of Redis have taken a cancellation for an answer, or broken off half-way.
            sending = self._start(self._send(addressed))
            await asyncio.wait([sending], timeout=LAYER_TIMEOUT)
            if not sending.done():
                self._lose_layer(TimeoutError("no answer"))
        elif now >= self._away_until:
            self._away_until = now + LAYER_TIMEOUT + RETRY_INTERVAL
            self._start(self._send(addressed))

    async def ask(self) -> bool:
        """Whether the layer answers, found out now. Waits no longer than LAYER_TIMEOUT."""
        asking = self._start(self._send([(PROBE_GROUP, {"type": events.TYPE, "room_id": PROBE_GROUP})]))
        await asyncio.wait([asking], timeout=LAYER_TIMEOUT)
        if not asking.done():
            self._lose_layer(TimeoutError("no answer"))
        return self._away_until is None

    async def _send(self, addressed: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        try:
            for group, message in addressed:
                await get_channel_layer().group_send(group, message)
        except Exception as error:
            self._lose_layer(error)
        else:
            self._find_layer()

    def _lose_layer(self, error: Exception) -> None:
        if self._away_until is None:
            metrics.REDIS_UP.set(0)
            logger.warning("The channel layer is away. Going on without it, from the database: %r", error)
        self._away_until = asyncio.get_running_loop().time() + RETRY_INTERVAL

    def _find_layer(self) -> None:
        if self._away_until is not None:
            metrics.REDIS_UP.set(1)
            logger.warning("The channel layer is back.")
        self._away_until = None

    # In the group exactly as long as somebody listens

    async def _sync_groups(self, rooms: Iterable[Room]) -> None:
        """Brings the groups of `rooms` in step with their listeners; goes on when the caller is cancelled.

        While the layer is away nobody waits for it, and one task tries for all rooms.
        """
        feeds = [self._feeds[room.group] for room in rooms if room.group in self._feeds]
        if self._away_until is not None:
            for feed in feeds:
                self._drop_if_unused(feed)
            await self._close_if_idle()
            self._retry_groups()
            return
        tasks = [self._sync_group(feed) for feed in feeds if feed.syncing or not feed.in_step]
        if tasks:
            _, waiting = await asyncio.wait(tasks, timeout=LAYER_TIMEOUT)
            if waiting:
                self._lose_layer(TimeoutError("no answer"))

    def _sync_group(self, feed: Feed) -> asyncio.Task[None]:
        """The one task that brings this room's group in step, be it under way or new."""
        if feed.syncing is None:
            feed.syncing = self._start(self._do_sync_group(feed))
        return feed.syncing

    async def _do_sync_group(self, feed: Feed) -> None:
        try:
            while not feed.in_step:
                await self._change_group(feed)
        except Exception as error:
            self._lose_layer(error)
            self._retry_groups()
        finally:
            feed.syncing = None
        self._drop_if_unused(feed)
        await self._close_if_idle()

    async def _change_group(self, feed: Feed) -> None:
        group, layer = feed.room.group, get_channel_layer()
        if feed.listeners:
            await layer.group_add(group, await self._open())
            feed.joined = True
        else:
            if feed.leaving:  # a layer that failed to leave a group may have forgotten that it is in there
                await layer.group_add(group, self._channel)
            feed.leaving = True
            await layer.group_discard(group, self._channel)
            feed.joined = False
        feed.leaving = False
        self._find_layer()

    def _retry_groups(self) -> None:
        if self._retrying is None or self._retrying.done():
            self._retrying = asyncio.create_task(self._keep_retrying(), context=log_context.detached())

    async def _keep_retrying(self) -> None:
        """Tries one room's group at an interval; once that succeeds, those of all rooms that are out of step."""
        while any(not feed.in_step for feed in self._feeds.values()):
            await asyncio.sleep(RETRY_INTERVAL)
            for feed in [feed for feed in self._feeds.values() if not feed.in_step][:1]:
                await asyncio.wait([self._sync_group(feed)])
            if self._away_until is None:
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
                await get_channel_layer().group_add(CONTROL_GROUP, self._channel)
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
                    await get_channel_layer().group_discard(CONTROL_GROUP, channel)
                except Exception as error:
                    self._lose_layer(error)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, context=log_context.detached())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _position_before(hint: Event | None, end: Position) -> Position:
    """Where listeners start over: at the end of the log, or before what was heard of last, so that they hear that."""
    if hint is None or hint.id is None or hint.offset is None or not 0 <= end.offset - hint.offset < READ_SIZE:
        return end
    return Position(hint.offset - 1, hint.previous)
