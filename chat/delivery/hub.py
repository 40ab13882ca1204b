"""The hub: listens to groups on behalf of all listeners in this process.

Each process (each event loop, to be exact) is in the group of every room that has a listener here, once, however many
there are.

An event that comes through a group is a hint. Each room's feed knows how far its listeners have heard: the offset and
the id of the last entry. It gives them the entry that follows, and reads from the database what comes out of turn or
not at all. So nothing depends on the layer; without it everything arrives all the same, within WATCH_INTERVAL. Where
the database doesn't have the last entry any more, its log went back, and the listeners start over.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence, Set
from typing import Any

from chat import log_context, metrics
from chat.delivery import control
from chat.delivery.feed import Feed
from chat.delivery.groups import Groups
from chat.delivery.layer import Layer
from chat.delivery.listener import Listener, RoomListener
from chat.delivery.queued_listener import QueuedListener
from chat.delivery.reads import Reads
from chat.delivery.recent_ids import RecentIds
from chat.delivery.rooms.presence_messages import TYPE as PRESENCE_TYPE
from chat.delivery.rooms.presences import Presences
from chat.delivery.rooms.room_ear import RoomEar
from chat.delivery.watch import Watch
from chat.domain import group_events
from chat.domain.events import USUAL_KINDS, Event, Kind
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.rooms import Room
from chat.errors import Banned, NotAMember, unforeseen
from chat.per_loop import PerLoop

logger = logging.getLogger(__name__)

WATCH_INTERVAL = 1.0  # seconds from one look at the database to the next


async def send_control(subject: str, about: Mapping[str, Any]) -> None:
    """Hands `about` to the handler of the subject (`on_control`), in this process and in all that listen to rooms.

    A hint like any event: it may be lost, and it may come twice.
    """
    message = control.message(subject, about)
    Hub.here().receive(message)
    layer = Layer.here()
    # Through every server, so that one which is away keeps it from nobody.
    await layer.send(*((group, message) for group in layer.group_on_each_server(control.CONTROL_GROUP)))


class Hub(PerLoop):
    """Listens to the groups of the rooms that somebody here listens to, and hands each event to all of them."""

    def __init__(self) -> None:
        self._feeds: dict[str, Feed] = {}  # by group
        self._groups = Groups(self.receive)
        self.presence = Presences(self._groups, self._knows_all_may_hear)
        self._recent_ids = RecentIds()
        self._recent_control_ids = RecentIds()  # each message comes through several groups
        self._unsettled: set[Feed] = set()  # feeds to compare with their logs at the next look
        self._watching: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def listen(
        self,
        rooms: Iterable[Room],
        after: Mapping[Room, Position] | None = None,
        person: Person | None = None,
        kinds: Set[Kind] = USUAL_KINDS,
    ) -> AsyncIterator[QueuedListener]:
        """A listener that hears everything said in `rooms` from here to the end of the block, or to its exclusion."""
        listener = QueuedListener(rooms, after, person, kinds)
        try:
            await self.join(listener)
            if not listener.after:
                listener.go_live()
            yield listener
        finally:
            await self.leave(listener)

    @property
    def is_listening(self) -> bool:
        """Whether this process is, or is about to be, in a group, and hears what other processes tell."""
        return bool(self._feeds)

    async def join(self, listener: Listener) -> None:
        """From when this returns, what is said in its rooms is put to `listener`, which then has to `recover`.

        Waits no longer than LAYER_TIMEOUT for the layer. Raises Unavailable, Banned or NotAMember.
        """
        metrics.LISTENERS.inc()
        feeds = await self._enter([listener])
        # By now it is among the listeners: of what excludes it from here on, it is going to hear.
        if person := listener.person:
            await asyncio.gather(*(Reads.here().check(feed.room, person) for feed in feeds if feed.restricted))
        if all(listener in feed.listeners for feed in feeds):  # it may have left meanwhile
            listener.on_end = self._end_presence
            self.presence.arrive(listener)

    async def join_each(self, ears: Sequence[RoomEar]) -> list[RoomEar]:
        """The same for many ears. Returns those that may not be in their room, which then have to leave.

        Raises Unavailable.
        """
        feeds = await self._enter(ears)
        restricted = [ear for ear in ears for feed in feeds if feed.restricted and feed.room in ear.rooms]
        checks = [Reads.here().check(ear.own.room, ear.person) for ear in restricted]
        found = await asyncio.gather(*checks, return_exceptions=True)
        for error in found:
            if error is not None and not isinstance(error, Banned | NotAMember):
                raise error
        return [ear for ear, error in zip(restricted, found, strict=True) if error is not None]

    async def leave(self, *listeners: RoomListener) -> None:
        """From when this is called, they hear nothing more; that is so even if the caller is cancelled."""
        feeds = self._feeds_of(listeners)
        for listener in listeners:
            if isinstance(listener, Listener) and any(listener in feed.listeners for feed in feeds):  # the first time
                metrics.LISTENERS.dec()
            if isinstance(listener, Listener):
                listener.on_end = None
                self.presence.depart(listener)
        for feed in feeds:
            feed.listeners.difference_update(listeners)
            if not feed.listeners:
                del self._feeds[feed.room.group]
        metrics.ROOMS.set(len(self._feeds))
        if not self._feeds and self._watching:
            self._watching.cancel()
            self._watching = None
        left = self.presence.groups_without_listeners(room for one in listeners for room in one.rooms)
        await self._sync_groups(feeds, left)

    async def _enter(self, listeners: Iterable[RoomListener]) -> Iterable[Feed]:
        """Puts to each listener what is said in its rooms, from where it is told by `joined`. Raises Unavailable."""
        feeds: dict[Feed, list[RoomListener]] = {}
        for listener in listeners:
            for room in listener.rooms:
                feed = self._feeds.setdefault(room.group, self._new_feed(room))
                feeds.setdefault(feed, []).append(listener)
                feed.listeners.add(listener)
                if feed.position is not None:
                    listener.joined(feed.room, feed.position, self.catch_up)
        if feeds and self._watching is None:
            self._watching = asyncio.create_task(self._watch(), context=log_context.detached())
        metrics.ROOMS.set(len(self._feeds))
        await self._sync_groups(feeds)
        await asyncio.gather(*(feed.locate() for feed in feeds if feed.position is None))
        for feed, its_own in feeds.items():
            position = await feed.locate()
            for listener in its_own:
                listener.joined(feed.room, position, self.catch_up)
        return feeds

    def _feeds_of(self, listeners: Iterable[RoomListener]) -> list[Feed]:
        groups = dict.fromkeys(room.group for listener in listeners for room in listener.rooms)
        return [self._feeds[group] for group in groups if group in self._feeds]

    async def _sync_groups(self, feeds: Iterable[Feed], left: Iterable[str] = ()) -> None:
        """Is in the groups of the rooms exactly as long as somebody listens. The groups `left` are wanted no more."""
        wanted = {feed.room.group: feed.room.group in self._feeds for feed in feeds}
        await self._groups.want(wanted | dict.fromkeys(left, False))

    def _end_presence(self, listener: Listener, error: Exception) -> None:
        """The listener hears nothing more. A person who is excluded isn't shown for a moment longer."""
        self.presence.depart(listener, linger=not isinstance(error, Banned | NotAMember))

    def _knows_all_may_hear(self, room: Room) -> bool:
        feed = self._feeds.get(room.group)
        return feed is None or not feed.needs_recheck

    def is_read_only(self, room: Room) -> bool:
        """Whether it has to be looked up who may be heard in `room`, to which somebody here listens."""
        feed = self._feeds.get(room.group)
        return feed is not None and feed.read_only

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
            feed.catch_up(event.offset or 0)
        elif feed.needs_recheck:
            feed.catch_up()
        if event.kind is Kind.MESSAGE and event.person is not None:
            self.presence.hear(event.room, event.person)

    def receive(self, message: Any) -> None:
        """Takes what whoever sent to a group: nothing that comes in here may stop the hub."""
        match message:
            case {"type": control.CONTROL_TYPE, "subject": str(subject), "about": dict(about)}:
                if (id := message.get("id")) not in self._recent_control_ids:
                    self._recent_control_ids.add(str(id))
                    control.handle(subject, about)
                return
            case {"type": str(kind)} if kind == PRESENCE_TYPE:
                self.presence.receive(message)
                return
            case {"type": group_events.TYPE, "room_id": str(group)} if group in self._feeds:
                feed = self._feeds[group]
            case _:
                logger.debug("Passed over what is not for anybody here.")
                return
        if message.get("offset") is not None and message.get("id") in self._recent_ids:
            return  # what was posted in this process comes back to it
        try:
            event = group_events.parse(message, feed.room)
        except group_events.MalformedEvent as error:
            metrics.DROPPED.inc()
            logger.warning("Dropped an event of %s: %s", group, error)
            return
        self.hear(event)

    def _new_feed(self, room: Room) -> Feed:
        return Feed(room, self._recent_ids, self._unsettled)

    async def _watch(self) -> None:
        """Looks whether something was said that nobody heard of, once an interval."""
        watch = Watch(self._feeds, self._unsettled)
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            try:
                await watch.look()
            except Exception as error:
                unforeseen(error)  # into the log, if it is anything but Unavailable

    async def catch_up(self, room: Room) -> Position:
        """Reads what is missing of a room. Returns where its listeners are then."""
        feed = self._feeds.get(room.group) or self._new_feed(room)  # the listener may have left
        feed.catch_up()
        if feed.reading:
            await asyncio.wait([feed.reading])
        return await feed.locate()
