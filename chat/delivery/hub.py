"""Between the processes: publish an event, and the Hub that listens on behalf of everybody in this process.

The only code that uses the channel layer. Each process (each event loop, to be exact) has one channel, which is in
the group of every room that somebody here listens to, once, however many they are.

What comes through a group is a hint. The hub knows up to which offset its listeners have heard each room; what it
hears out of turn, and what it doesn't hear, it reads from the database. So nothing depends on the layer; without it
everything arrives all the same, within WATCH_INTERVAL.

A layer raises whatever its backend does, so `except Exception` here means: the layer is away.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from typing import Any

from channels.layers import get_channel_layer

from chat import log_context, metrics
from chat.delivery.feed import Membership
from chat.delivery.listener import Listener, Outbox
from chat.delivery.per_loop import OfLoop
from chat.domain import events
from chat.domain.events import Event
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import NotAMember, Unavailable
from chat.storage import history, permissions
from chat.storage.database import in_database

logger = logging.getLogger(__name__)

PATIENCE = 1.0  # seconds that anybody waits for the layer
PAUSE = 1.0  # seconds between two tries while the layer is away
WATCH_INTERVAL = 1.0  # seconds from one look at the database to the next
READ_SIZE = 500  # messages read at once
NOBODY = "chat.nobody"  # a group that no room has

# What processes tell each other beside events has a group that is no room's: those begin with "chat_" and "chat.".
CONTROL_GROUP = "control"
CONTROL_TYPE = "chat.control"
Attendant = Callable[[Mapping[str, Any]], None]


def wake() -> None:
    """Makes the layer, and so the embedded Valkey, which is there once somebody asks for a layer. Raises anything."""
    get_channel_layer()


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


async def tell(subject: str, about: Mapping[str, Any]) -> None:
    """Tells `about` to whoever has asked for the subject by `told`, in this process and in all that listen to rooms.

    A hint like any event: it may be lost, and it may come twice.
    """
    message = {"type": CONTROL_TYPE, "subject": subject, "about": about}
    hub = Hub.here()
    hub.receive(message)
    await hub.send((CONTROL_GROUP, message))


def told(subject: str) -> Callable[[Attendant], Attendant]:
    """Decorator: calls a function, in the event loop of each hub, with what others `tell` about the subject."""

    def attend(function: Attendant) -> Attendant:
        _attendants[subject] = function
        return function

    return attend


_attendants: dict[str, Attendant] = {}


class Hub(OfLoop):
    """Listens to the groups of the rooms that somebody here listens to, and hands each event to all of them."""

    def __init__(self) -> None:
        self._memberships: dict[str, Membership] = {}  # by group
        self._channel: str | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._attending = False  # whether the channel is in the group of all processes
        self._lock = asyncio.Lock()  # around the four above
        self._tasks: set[asyncio.Task[None]] = set()
        self._away_until: float | None = None  # on the loop's clock; None while the layer is there

    @contextlib.asynccontextmanager
    async def listen(
        self, rooms: Iterable[Room], after: Mapping[Room, int] | None = None, person: Person | None = None
    ) -> AsyncIterator[Outbox]:
        """A listener that hears everything said in `rooms` from here to the end of the block, or to its exclusion."""
        listener = Outbox(rooms, after, person)
        try:
            await self.join(listener)
            if not listener.after:
                listener.go_live()
            yield listener
        finally:
            await self.leave(listener)

    async def join(self, listener: Listener) -> None:
        """From when this returns, what is said in its rooms is put to `listener`, which then has to `recover`.

        Waits no longer than PATIENCE for the layer. Raises Unavailable, Banned or NotAMember.
        """
        memberships = [self._memberships.setdefault(room.group, Membership(room)) for room in listener.rooms]
        metrics.LISTENERS.inc()
        for membership in memberships:
            membership.listeners.add(listener)
            if membership.position is not None:
                listener.positions[membership.room] = membership.position
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(), context=log_context.nobody())
        metrics.ROOMS.set(len(self._memberships))
        await self._settle(listener.rooms)
        for membership in memberships:
            listener.positions.setdefault(membership.room, await self._locate(membership))
        for membership in memberships:
            # By now it is among the listeners: of what excludes it from here on, it is going to hear.
            if membership.restricted:
                await in_database(permissions.check, membership.room, listener.person)

    async def leave(self, listener: Listener) -> None:
        """From when this is called, `listener` hears nothing more; that is so even if the caller is cancelled."""
        memberships = [self._memberships[room.group] for room in listener.rooms if room.group in self._memberships]
        if any(listener in membership.listeners for membership in memberships):  # the first time
            metrics.LISTENERS.dec()
        for membership in memberships:
            membership.listeners.discard(listener)
        await self._settle(listener.rooms)

    # What comes in

    def hear(self, event: Event) -> None:
        """Delivers an event, or finds out what has to be delivered before it."""
        membership = self._memberships.get(event.room.group)
        if membership and (not membership.take(event) or membership.unsifted):
            self._catch_up(membership)

    async def _hear(self, channel: str) -> None:
        while True:
            try:
                message = await get_channel_layer().receive(channel)
            except Exception as error:
                self._lose_layer(error)
                await asyncio.sleep(PAUSE)
            else:
                self.receive(message)

    def receive(self, message: Any) -> None:
        """Takes what whoever sent to a group: nothing that comes in here may stop the hub."""
        match message:
            case {"type": str(kind), "subject": str(subject), "about": dict(about)} if kind == CONTROL_TYPE:
                self._attend(subject, about)
                return
            case {"type": events.TYPE, "room_id": str(group)} if group in self._memberships:
                membership = self._memberships[group]
            case _:
                logger.debug("Passed over what is not for anybody here.")
                return
        if membership.has_heard(message.get("offset")):
            return  # what was posted in this process comes back to it
        try:
            event = events.parse(message, membership.room)
        except events.MalformedEvent as error:
            metrics.DROPPED.inc()
            logger.warning("Dropped an event of %s: %s", group, error)
            return
        self.hear(event)

    def _attend(self, subject: str, about: Mapping[str, Any]) -> None:
        try:
            _attendants[subject](about)
        except Exception as error:  # of another version, say
            logger.warning("Can't make sense of what was told about %.100r: %r", subject, error)

    async def _watch(self) -> None:
        """Looks whether something was said that nobody heard of: one query for all rooms, once an interval."""
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            by_room = {membership.room: membership for membership in self._memberships.values()}
            try:
                heads = await in_database(history.heads, list(by_room))
            except Unavailable:
                continue
            for room, head in heads.items():
                membership = by_room[room]
                if membership.position is None:
                    continue
                if head.offset > membership.position or membership.unsifted:
                    self._catch_up(membership)
                if head.offset >= membership.position:  # else a notice may have come meanwhile, which knows better
                    membership.restricted = head.restricted

    # From the database, what the layer didn't bring

    async def _locate(self, membership: Membership) -> int:
        """The offset from which the room's listeners hear; the first to ask has the database asked."""
        if membership.position is None:
            if membership.locating is None:
                membership.locating = asyncio.create_task(in_database(history.heads, [membership.room]))
            try:
                heads = await asyncio.shield(membership.locating)
            finally:
                membership.locating = None
            if membership.position is None:
                head = heads[membership.room]
                membership.position, membership.restricted = head.offset, head.restricted
                if membership.behind:
                    self._catch_up(membership)
        return membership.position

    def _catch_up(self, membership: Membership) -> None:
        """Reads what is missing, once at a time for each room."""
        membership.behind = True
        if membership.reading is None and membership.position is not None:
            membership.reading = self._start(self._read(membership))

    async def _read(self, membership: Membership) -> None:
        try:
            while membership.behind and membership.listeners and membership.position is not None:
                membership.behind = False
                await self._sift(membership)
                for event in await in_database(history.since, membership.room, membership.position, READ_SIZE):
                    await self._sift(membership)
                    metrics.REPAIRED.inc((event.offset or 0) > membership.position)
                    if not membership.take(event):  # there are no holes, so what was between them has been pruned
                        membership.start_over((event.offset or 0) - 1)
                        await self._sift(membership)
                        membership.take(event)
                    membership.behind = True  # and maybe there is more
        except Unavailable:
            pass  # `_watch` sees that something is missing, as long as it is
        finally:
            membership.reading = None

    async def _sift(self, membership: Membership) -> None:
        """Ends the listeners who may not be in the room any more, where no notice has named them."""
        if not membership.unsifted:
            return
        # Who comes from here on is looked up in `join`.
        present = {listener: listener.person for listener in membership.listeners if listener.person}
        allowed = await in_database(permissions.allowed, membership.room, present.values())
        for listener, person in present.items():
            if person not in allowed:
                listener.end(NotAMember(permissions.MEMBERS_ONLY.format(membership.room.name)))
        membership.unsifted = False

    # To the layer

    async def send(self, *addressed: tuple[str, Mapping[str, Any]]) -> None:
        """Sends messages to the groups named with them. While the layer is away nobody waits, one at a time tries."""
        now = asyncio.get_running_loop().time()
        if self._away_until is None:
            # In a task of its own: clients of Redis have taken a cancellation for an answer, or broken off half-way.
            sending = self._start(self._send(addressed))
            await asyncio.wait([sending], timeout=PATIENCE)
            if not sending.done():
                self._lose_layer(TimeoutError("no answer"))
        elif now >= self._away_until:
            self._away_until = now + PATIENCE + PAUSE
            self._start(self._send(addressed))

    async def ask(self) -> bool:
        """Whether the layer answers, found out now. Waits no longer than PATIENCE."""
        asking = self._start(self._send([(NOBODY, {"type": events.TYPE, "room_id": NOBODY})]))
        await asyncio.wait([asking], timeout=PATIENCE)
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
        self._away_until = asyncio.get_running_loop().time() + PAUSE

    def _find_layer(self) -> None:
        if self._away_until is not None:
            metrics.REDIS_UP.set(1)
            logger.warning("The channel layer is back.")
        self._away_until = None

    # In the group exactly as long as somebody listens

    async def _settle(self, rooms: Iterable[Room]) -> None:
        """Brings the groups of `rooms` in step with their listeners; goes on when the caller is cancelled."""
        memberships = [self._memberships[room.group] for room in rooms if room.group in self._memberships]
        tasks = [self._start(self._settle_one(membership)) for membership in memberships if not membership.steady]
        if tasks:
            await asyncio.wait(tasks, timeout=PATIENCE)

    async def _settle_one(self, membership: Membership, pause: float = 0) -> None:
        await asyncio.sleep(pause)
        group = membership.room.group
        async with membership.lock:
            wanted = bool(membership.listeners)
            try:
                if wanted and not membership.joined:
                    await get_channel_layer().group_add(group, await self._open())
                    membership.joined = True
                    self._find_layer()
                elif membership.joined and not wanted:
                    membership.joined = False  # whether or not the layer can be told
                    await get_channel_layer().group_discard(group, self._channel)
            except Exception as error:
                self._lose_layer(error)
            if wanted and not membership.joined:
                self._start(self._settle_one(membership, PAUSE))
            if not membership.listeners and self._memberships.get(group) is membership:
                del self._memberships[group]
                metrics.ROOMS.set(len(self._memberships))
        await self._close_if_idle()

    async def _open(self) -> str:
        """This process's channel, which somebody hears."""
        async with self._lock:
            if self._channel is None:
                self._channel = await get_channel_layer().new_channel()
                self._hearing = asyncio.create_task(self._hear(self._channel), context=log_context.nobody())
            if not self._attending:
                await get_channel_layer().group_add(CONTROL_GROUP, self._channel)
                self._attending = True
            return self._channel

    async def _close_if_idle(self) -> None:
        async with self._lock:
            if self._memberships:
                return
            tasks = [task for task in (self._hearing, self._watching) if task]
            channel, attending = self._channel, self._attending
            self._channel = self._hearing = self._watching = None
            self._attending = False
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)
            if attending:
                try:
                    await get_channel_layer().group_discard(CONTROL_GROUP, channel)
                except Exception as error:
                    self._lose_layer(error)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, context=log_context.nobody())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
