"""Tells moderators how many messages are reported in their room: at once by a control message, which may be lost.

So all that are told are compared with the database from time to time, and often while the layer is away. Whether a
person may still know is asked with each count.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from chat.delivery import hub
from chat.delivery.batcher import Batcher
from chat.delivery.control import on_control
from chat.delivery.detached_tasks import DetachedTasks
from chat.delivery.hub import Hub
from chat.delivery.layer import Layer
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import NotAllowed, unforeseen
from chat.per_loop import PerLoop
from chat.storage import reports
from chat.storage.database import in_database

COMPARE_INTERVAL = 30.0  # seconds from one comparison of counts to the next
COMPARE_INTERVAL_ALONE = 2.0  # the same, while other processes can't be heard
SUBJECT = "reports"  # of the control messages


async def tell(room: Room) -> None:
    """Tells all processes, after the fact, that there are more reports in `room`, or fewer."""
    await hub.send_control(SUBJECT, {"room": room.name})


class ReportWatcher:
    """Tells one connection of a moderator of the count in one room, from `start` to `close`.

    `send` is called with each new count. An OSError that it raises means that the client is gone.
    """

    def __init__(self, room: Room, person: Person, send: Callable[[int], Awaitable[None]]) -> None:
        self.room = room
        self.person = person
        self._send = send
        self._told: int | None = None
        self._stale = False
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Watches from now on. Returns the count. Raises NotAllowed or Unavailable."""
        ReportWatchers.here().add(self)
        self._told = await ReportWatchers.here().count(self)
        if self._told is None:
            self.close()
            raise NotAllowed(reports.MODERATORS)
        return self._told

    def look(self) -> None:
        """Has the count read anew. Nobody waits for that."""
        self._stale = True
        if self._looking is None:
            self._looking = DetachedTasks.here().start(self._look())

    def close(self) -> None:
        ReportWatchers.here().remove(self)
        if self._looking is not None:
            self._looking.cancel()

    async def _look(self) -> None:
        try:
            while self._stale:
                self._stale = False
                count = await ReportWatchers.here().count(self)
                if count is None:  # no moderator any more
                    ReportWatchers.here().remove(self)
                elif count != self._told:
                    self._told = count
                    await self._send(count)
        except OSError:
            ReportWatchers.here().remove(self)
        except Exception as error:
            unforeseen(error)  # into the log, if it is anything but Unavailable; the next comparison tries again
        finally:
            self._looking = None


class ReportWatchers(PerLoop):
    """All watchers of one event loop. While there are any, one task has them compare their counts."""

    def __init__(self) -> None:
        self._by_room: dict[Room, set[ReportWatcher]] = {}
        self._counts = Batcher(_count)
        self._comparing: asyncio.Task[None] | None = None

    def add(self, watcher: ReportWatcher) -> None:
        self._by_room.setdefault(watcher.room, set()).add(watcher)
        if self._comparing is None:
            self._comparing = DetachedTasks.here().start(self._keep_comparing())

    def remove(self, watcher: ReportWatcher) -> None:
        watchers = self._by_room.get(watcher.room, set())
        watchers.discard(watcher)
        if not watchers:
            self._by_room.pop(watcher.room, None)
        if not self._by_room and self._comparing is not None:
            self._comparing.cancel()
            self._comparing = None

    def look(self, room: Room) -> None:
        for watcher in self._by_room.get(room, ()):
            watcher.look()

    async def count(self, watcher: ReportWatcher) -> int | None:
        """How many messages are reported in the watcher's room; None if its person isn't to know."""
        return await self._counts.ask((watcher.room, watcher.person))

    async def _keep_comparing(self) -> None:
        while True:
            alone = Layer.here().is_any_away or not Hub.here().is_listening
            await asyncio.sleep(COMPARE_INTERVAL_ALONE if alone else COMPARE_INTERVAL)
            for room in list(self._by_room):
                self.look(room)


async def _count(pairs: list[tuple[Room, Person]]) -> Sequence[int | None]:
    found = await in_database(reports.open_counts, pairs)
    return [found[pair] for pair in pairs]


@on_control(SUBJECT)
def on_reports(about: Mapping[str, Any]) -> None:
    ReportWatchers.here().look(Room(str(about["room"])))
