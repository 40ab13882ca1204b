"""The hub: listens to groups on behalf of all listeners in this process.

Each process (each event loop, to be exact) is in the group of every log that has a listener here, once, however many
there are. Whose logs these are, and where they are read, its source knows (chat.delivery.source).

An event that comes through a group is a hint. Each log's feed knows how far its listeners have heard: the offset and
the id of the last entry. It gives them the entry that follows, and reads from the database what comes out of turn or
not at all. So nothing depends on the layer; without it everything arrives all the same, within WATCH_INTERVAL. Where
the database doesn't have the last entry any more, its log went back, and the listeners start over.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence, Set
from typing import Any, TypeVar

from chat import log_context, metrics, tracing
from chat.delivery import control
from chat.delivery.feed import Feed
from chat.delivery.followed import Followed
from chat.delivery.groups import Groups
from chat.delivery.layer import Layer
from chat.delivery.listener import Listener, LogListener
from chat.delivery.queued_listener import QueuedListener
from chat.delivery.recent_ids import RecentIds
from chat.delivery.source import Attendance, LogT, Source, source_of
from chat.delivery.watch import Watch
from chat.domain.logs import Log, LogEvent, MalformedEvent
from chat.domain.positions import Position
from chat.errors import ChatError, Unavailable, unforeseen
from chat.per_loop import PerLoop

logger = logging.getLogger(__name__)

EarT = TypeVar("EarT", bound=LogListener)

WATCH_INTERVAL = 1.0  # seconds from one look at the database to the next


async def send_control(subject: str, about: Mapping[str, Any]) -> None:
    """Hands `about` to the handler of the subject (`on_control`), in this process and in all that listen to anything.

    A hint like any event: it may be lost, and it may come twice.
    """
    message = control.message(subject, about)
    Hub.here().receive(message)
    layer = Layer.here()
    # Through every server, so that one which is away keeps it from nobody.
    await layer.send(*((group, message) for group in layer.group_on_each_server(control.CONTROL_GROUP)))


class Hub(PerLoop):
    """Listens to the groups of the logs that somebody here listens to, and hands each event to all of them."""

    def __init__(self) -> None:
        self._feeds: dict[str, Feed] = {}  # by group
        self._followed: dict[str, Followed] = {}  # by the type of the source's messages
        self._attendances: dict[str, Attendance] = {}  # by the type of their messages
        self._groups = Groups(self.receive)
        self._recent_ids = RecentIds()
        self._recent_control_ids = RecentIds()  # each message comes through several groups

    @contextlib.asynccontextmanager
    async def listen(
        self,
        logs: Iterable[LogT],
        after: Mapping[LogT, Position] | None = None,
        person: Any = None,
        kinds: Set[Any] | None = None,
    ) -> AsyncIterator[QueuedListener[LogT, Any]]:
        """A listener that hears all that comes to `logs` from here to the end of the block, or to its exclusion."""
        listener: QueuedListener[LogT, Any] = QueuedListener(logs, after, person, kinds)
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

    async def join(self, listener: Listener[Any, Any]) -> None:
        """From when this returns, what comes to its logs is put to `listener`, which then has to `recover`.

        Waits no longer than LAYER_TIMEOUT for the layer. Raises Unavailable, and what the source refuses the person
        with.
        """
        metrics.LISTENERS.inc()
        feeds = await self._enter([listener])
        # By now it is among the listeners: of what excludes it from here on, it is going to hear.
        if person := listener.person:
            await asyncio.gather(*(feed.source.reads.check(feed.log, person) for feed in feeds if feed.restricted))
        if all(listener in feed.listeners for feed in feeds):  # it may have left meanwhile
            listener.on_end = self._note_end
            for attendance in self._attendances_of(listener):
                attendance.arrive(listener)

    async def join_each(self, listeners: Sequence[EarT]) -> list[EarT]:
        """The same for many. Returns those whose person may not hear their logs, which then have to leave.

        Raises Unavailable.
        """
        feeds = await self._enter(listeners)
        asked = [(one, feed) for one in listeners for feed in feeds if feed.restricted and feed.log in one.logs]
        checks = [feed.source.reads.check(feed.log, one.person) for one, feed in asked]
        found = await asyncio.gather(*checks, return_exceptions=True)
        for error in found:
            if error is not None and (isinstance(error, Unavailable) or not isinstance(error, ChatError)):
                raise error
        return [one for (one, _), error in zip(asked, found, strict=True) if error is not None]

    async def leave(self, *listeners: LogListener) -> None:
        """From when this is called, they hear nothing more; that is so even if the caller is cancelled."""
        feeds = self._feeds_of(listeners)
        for listener in listeners:
            if isinstance(listener, Listener):
                if any(listener in feed.listeners for feed in feeds):  # the first time
                    metrics.LISTENERS.dec()
                listener.on_end = None
                for attendance in self._attendances_of(listener):
                    attendance.depart(listener)
        for feed in feeds:
            feed.listeners.difference_update(listeners)
            if not feed.listeners:
                self._close(feed)
        metrics.ROOMS.set(len(self._feeds))
        await self._sync_groups(feeds, self._groups_left({log for listener in listeners for log in listener.logs}))

    def _groups_left(self, logs: Set[Any]) -> Iterable[str]:
        """The groups of attendances that the process has to leave, now that listeners of these logs are gone."""
        for followed in self._followed.values():
            if followed.attendance is not None:
                yield from followed.attendance.groups_left([log for log in logs if source_of(log) is followed.source])

    async def _enter(self, listeners: Iterable[LogListener]) -> Iterable[Feed]:
        """Puts to each listener what comes to its logs, from where it is told by `joined`. Raises Unavailable."""
        feeds: dict[Feed, list[LogListener]] = {}
        for listener in listeners:
            for log in listener.logs:
                feed = self._feeds.get(log.group) or self._open(log)
                feeds.setdefault(feed, []).append(listener)
                feed.listeners.add(listener)
                if feed.position is not None:
                    listener.joined(feed.log, feed.position, self.catch_up)
        metrics.ROOMS.set(len(self._feeds))
        await self._sync_groups(feeds)
        await asyncio.gather(*(feed.locate() for feed in feeds if feed.position is None))
        for feed, its_own in feeds.items():
            position = await feed.locate()
            for listener in its_own:
                listener.joined(feed.log, position, self.catch_up)
        return feeds

    def _feeds_of(self, listeners: Iterable[LogListener]) -> list[Feed]:
        groups = dict.fromkeys(log.group for listener in listeners for log in listener.logs)
        return [self._feeds[group] for group in groups if group in self._feeds]

    async def _sync_groups(self, feeds: Iterable[Feed], left: Iterable[str] = ()) -> None:
        """Is in the groups of the logs exactly as long as somebody listens. The groups `left` are wanted no more."""
        wanted = {feed.log.group: feed.log.group in self._feeds for feed in feeds}
        await self._groups.want(wanted | dict.fromkeys(left, False))

    # Sources and their feeds

    def _follow(self, source: Source) -> Followed:
        """The part of a source that is followed here, from when the first of its logs was listened to."""
        followed = self._followed.get(source.event_type)
        if followed is None:
            attendance = source.attendance(self._groups, self._knows_all_may_hear)
            followed = self._followed[source.event_type] = Followed(source, attendance)
            if attendance is not None:
                self._attendances[attendance.message_type] = attendance
        return followed

    def _open(self, log: Log) -> Feed:
        """The feed of a log that nobody here has listened to so far."""
        followed = self._follow(source_of(log))
        feed = Feed(log, followed.source, self._recent_ids, followed.unsettled)
        self._feeds[log.group] = followed.feeds[log.group] = feed
        if followed.watching is None:
            followed.watching = asyncio.create_task(self._watch(followed), context=log_context.detached())
        return feed

    def _close(self, feed: Feed) -> None:
        """Ends the feed of a log that nobody here listens to any more."""
        followed = self._follow(feed.source)
        del self._feeds[feed.log.group], followed.feeds[feed.log.group]
        if not followed.feeds and followed.watching:
            followed.watching.cancel()
            followed.watching = None

    def attendance(self, source: Source) -> Attendance | None:
        """The attendance of that source here."""
        return self._follow(source).attendance

    def _attendances_of(self, listener: LogListener) -> list[Attendance]:
        """One at most: the logs of a listener are all of one source."""
        log = next(iter(listener.logs), None)
        attendance = None if log is None else self.attendance(source_of(log))
        return [] if attendance is None else [attendance]

    def _note_end(self, listener: Listener[Any, Any], error: Exception) -> None:
        """The listener hears nothing more."""
        for attendance in self._attendances_of(listener):
            attendance.depart(listener, error)

    def _knows_all_may_hear(self, log: Log) -> bool:
        feed = self._feeds.get(log.group)
        return feed is None or not feed.needs_recheck

    def is_read_only(self, log: Log) -> bool:
        """Whether it has to be looked up who may be heard in `log`, to which somebody here listens."""
        feed = self._feeds.get(log.group)
        return feed is not None and feed.read_only

    def audience(self, log: Log) -> int:
        """How many listeners in this process hear `log`."""
        feed = self._feeds.get(log.group)
        return 0 if feed is None else len(feed.listeners)

    # From the groups

    def hear(self, event: LogEvent) -> None:
        """Delivers an event, or finds out what has to be delivered before it."""
        feed = self._feeds.get(event.log.group)
        if feed is None:
            return
        if not feed.take(event):
            feed.heard_too_early(event)
            feed.catch_up(event.offset or 0)
        elif feed.needs_recheck:
            feed.catch_up()
        if attendance := self._follow(feed.source).attendance:
            attendance.hear(event)

    def receive(self, message: Any) -> None:
        """Takes what somebody sent to a group: nothing that comes in here may stop the hub."""
        match message:
            case {"type": control.CONTROL_TYPE, "subject": str(subject), "about": dict(about)}:
                if (id := message.get("id")) not in self._recent_control_ids:
                    self._recent_control_ids.add(str(id))
                    control.handle(subject, about)
            case {"type": str(kind)} if kind in self._attendances:
                self._attendances[kind].receive(message)
            case {"type": str(kind)} if kind in self._followed:
                self._receive_event(self._followed[kind], message)
            case _:
                logger.debug("Passed over what is not for anybody here.")

    def _receive_event(self, followed: Followed, message: Mapping[str, Any]) -> None:
        source, group = followed.source, message.get(followed.source.group_key)
        feed = followed.feeds.get(group) if isinstance(group, str) else None
        if feed is None:
            logger.debug("Passed over what is for nobody here.")
            return
        if message.get("offset") is not None and message.get("id") in self._recent_ids:
            return  # what was posted in this process comes back to it
        try:
            event = source.parse(message, feed.log)
            if event is None:
                feed.catch_up()
            else:
                with tracing.arrival("event.receive", message):
                    self.hear(event)
        except MalformedEvent as error:
            metrics.DROPPED.inc()
            logger.warning("Dropped an event of %s: %s", group, error)
        except Exception as error:
            unforeseen(error)
            feed.catch_up()

    async def _watch(self, followed: Followed) -> None:
        """Looks whether something came to the source's logs that nobody heard of, once an interval."""
        watch = Watch(followed.source, followed.feeds, followed.unsettled)
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            try:
                await watch.look()
            except Exception as error:
                unforeseen(error)  # into the log, if it is anything but Unavailable

    async def catch_up(self, log: Log) -> Position:
        """Reads what is missing of a log. Returns where its listeners are then."""
        feed = self._feeds.get(log.group)
        if feed is None:  # the listener may have left
            feed = Feed(log, source_of(log), self._recent_ids, unsettled=set())
        feed.catch_up()
        if feed.reading:
            await asyncio.wait([feed.reading])
        return await feed.locate()
