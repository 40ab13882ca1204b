"""Stores together what is posted at the same moment: one hop to the database's thread, one wait for the disk."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from chat import log_context, tracing
from chat.actions.search_feeding import SearchFeeding
from chat.delivery.detached_tasks import DetachedTasks
from chat.delivery.publisher import Publisher
from chat.delivery.rooms import followers
from chat.errors import ChatError, Unavailable
from chat.per_loop import PerLoop
from chat.push.pusher import Pusher
from chat.storage import log
from chat.storage.database import in_database
from chat.storage.drafts import Draft
from chat.storage.lanes import Lanes
from chat.storage.log import Entry

TOGETHER_MAX = 250  # drafts; more store hardly more a second, and SQLite takes 32,766 values in a statement
WAITING_MAX = 5_000  # drafts for one lane; more are refused until the database has caught up


class Waiting(NamedTuple):
    """A draft, the future of its entry, and the place in a trace from which it comes."""

    draft: Draft
    stored: asyncio.Future[Entry]
    place: str | None


class GroupCommit(PerLoop):
    """Stores drafts and publishes them; those that come while others are being stored make up the next commit.

    A lone draft commits at once. Each lane in which this process writes has commits of its own.
    """

    def __init__(self) -> None:
        self._queues = [CommitQueue() for _ in Lanes.here().writers]

    async def store(self, draft: Draft) -> Entry:
        """Returns once the draft is stored and heard in this process; others hear it without anybody waiting for that.

        A caller that is cancelled takes nothing back: the message is stored and published all the same.
        Raises Unavailable, Banned or NotAMember.
        """
        return await self._queues[Lanes.here().writer(draft.room)].store(draft)


class CommitQueue:
    """Drafts that wait for one lane, and the task that stores them as long as there are any."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []
        self._working: asyncio.Task[None] | None = None

    async def store(self, draft: Draft) -> Entry:
        """As GroupCommit's."""
        if len(self._waiting) >= WAITING_MAX:
            raise Unavailable(_("Too much is being said at once. Please try again in a moment."))
        stored: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(draft, stored, tracing.place()))
        if self._working is None:
            self._working = asyncio.create_task(self._work(), context=log_context.detached())
        return await stored

    async def _work(self) -> None:
        try:
            while self._waiting:
                together, self._waiting = self._waiting[:TOGETHER_MAX], self._waiting[TOGETHER_MAX:]
                await self._commit(together)
        finally:
            self._working = None

    async def _commit(self, together: list[Waiting]) -> None:
        try:
            with _commit_span(together):
                entries = await in_database(log.append, [one.draft for one in together])
        except Unavailable as error:
            for one in together:
                _fail(one.stored, error)
        except Exception as error:
            if len(together) == 1:
                _fail(together[0].stored, error)
                return
            for one in together:  # a draft that can't be stored is no reason to lose the others
                await self._commit([one])
        else:
            # First heard, then acknowledged.
            new = [entry.event for entry in entries if isinstance(entry, Entry) and not entry.repeated]
            _publish(entries, together)
            Pusher.here().note(new)
            self._tell_of_direct_rooms(entries)
            SearchFeeding.here().wake()
            for one, entry in zip(together, entries, strict=True):
                if isinstance(entry, Entry):
                    _succeed(one.stored, entry)
                else:
                    _fail(one.stored, entry)

    def _tell_of_direct_rooms(self, entries: Iterable[Entry | ChatError]) -> None:
        """Tells people of the direct rooms that have become theirs, on all their devices; nobody waits for that."""
        gained = [
            (person_id, entry.event.room.name)
            for entry in entries
            if isinstance(entry, Entry)
            for person_id in entry.gained_by
        ]
        if gained:
            DetachedTasks.here().start(followers.tell(gained))


def _commit_span(together: Sequence[Waiting]) -> AbstractContextManager[None]:
    """In the trace of a lone message; the commit of several has a trace of its own, with links to theirs."""
    places = [one.place for one in together if one.place]
    parent = places[0] if len(together) == len(places) == 1 else None
    return tracing.span("message.commit", parent=parent, links=() if parent else places, messages=len(together))


def _publish(entries: Sequence[Entry | ChatError], together: Sequence[Waiting]) -> None:
    """Publishes those that are new, each in its own trace."""
    publisher = Publisher.here()
    for one, entry in zip(together, entries, strict=True):
        if isinstance(entry, Entry) and not entry.repeated:
            with tracing.span("message.publish", parent=one.place):
                publisher.publish([entry.event])


def _succeed(stored: asyncio.Future[Entry], entry: Entry) -> None:
    if not stored.done():  # its caller may have been cancelled
        stored.set_result(entry)


def _fail(stored: asyncio.Future[Entry], error: Exception) -> None:
    if not stored.done():
        stored.set_exception(error)
