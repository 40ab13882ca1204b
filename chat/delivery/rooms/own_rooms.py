"""Follows a person's own rooms, and tells how much is unread in each as that changes.

Each room that somebody follows has an ear in its feed, beside the listeners. It counts what is said and hears of the
person's exclusion; so what it counts is what a listener would be told, and the database isn't asked. It is asked where
counting isn't enough: for what was deleted, for a log that started over, and for what the person has read elsewhere.
Of that the followers are told: `chat.delivery.rooms.followers`.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Iterable, Sequence

from chat.delivery.batcher import Batcher
from chat.delivery.detached_tasks import DetachedTasks
from chat.delivery.hub import Hub
from chat.delivery.rooms.followers import Followers
from chat.delivery.rooms.room_ear import RoomEar
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import unforeseen
from chat.per_loop import PerLoop
from chat.storage import ignoring, own_rooms
from chat.storage.database import in_database
from chat.storage.own_rooms import ROOMS_MAX, OwnRoom

INTERVAL = 1.0  # seconds from one telling to the next, at least
SPREAD = 0.2  # seconds over which many who hear the same are told it
RETRY_INTERVAL = 2.0  # seconds after which the database is asked again that didn't answer

Change = tuple[Room, OwnRoom | None]
"""A room, as the person has read it now; None if it is none of theirs any more."""


async def follow(person: Person, *, except_for: Room | None = None) -> AsyncGenerator[Sequence[Change], None]:
    """The person's own rooms, ROOMS_MAX of them at most, and then what changes, at most once in INTERVAL.

    Of the room `except_for`, only what the person reads elsewhere is told: its messages come another way.
    Raises Unavailable.
    """
    async with contextlib.aclosing(follow_all(person, except_for=except_for)) as followers:
        first = True
        async for follower in followers:
            if (changes := follower.take()) or first:
                yield changes
            first = False


async def follow_all(person: Person, *, except_for: Room | None = None) -> AsyncGenerator["Follower", None]:
    """The same, and the people whom the person ignores: a follower, which has them, each time there is news to take."""
    follower = Follower(person, except_for)
    try:
        await follower.start()
        yield follower
        loop = asyncio.get_running_loop()
        told_at = loop.time() - INTERVAL
        while True:
            await follower.changed.wait()
            await asyncio.sleep(max(random.uniform(0, SPREAD), told_at + INTERVAL - loop.time()))
            told_at = loop.time()
            yield follower
    finally:
        await follower.close()


class Follower:
    """Follows the rooms of one person, for one connection."""

    def __init__(self, person: Person, except_for: Room | None) -> None:
        self.person = person
        self.changed = asyncio.Event()
        self.ignored: Sequence[Person] = ()
        self.ignored_ids: frozenset[str] = frozenset()
        self._ignoring_changed = True
        self._all_stale = False
        self._except_for = except_for
        self._ears: dict[Room, RoomEar] = {}
        self._changes: dict[Room, OwnRoom | None] = {}
        self._stale: set[Room] = set()  # rooms that have to be read from the database
        self._lost: list[RoomEar] = []  # of rooms in which the person may not be any more
        self._working: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Reads the rooms, and hears them from here on. Raises Unavailable."""
        Followers.here().add(self)
        await self.read_all()

    async def read_all(self) -> None:
        """Reads which rooms are the person's, follows those that are new, and leaves those that are gone.

        And first, whom the person ignores.
        """
        self._take_ignored(await Ignoring.here().ask(self.person))
        found = await in_database(own_rooms.own_rooms, self.person, size=ROOMS_MAX)
        rooms = {own.room for own in found}
        gone = [room for room in self._ears if room not in rooms] if len(found) < ROOMS_MAX else []
        for own in found:
            ear = self._ears.get(own.room)
            if ear is not None and ear.own != own:
                self.recount(own.room)
        await self._leave([self._ears.pop(room) for room in gone])
        for room in gone:
            self._note(room, None)
        await self._enter([own for own in found if own.room not in self._ears])

    def take(self) -> Sequence[Change]:
        """The changes since this was called last."""
        self.changed.clear()
        changes, self._changes = self._changes, {}
        return list(changes.items())

    def take_ignored(self) -> Sequence[Person] | None:
        """The people whom the person ignores; None if this was called since that changed last."""
        changed, self._ignoring_changed = self._ignoring_changed, False
        return self.ignored if changed else None

    async def close(self) -> None:
        """From when this is called, nothing more is heard."""
        Followers.here().remove(self)
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait([self._working])
        await self._leave([*self._ears.values(), *self._lost])

    def reread(self) -> None:
        """Has all read from the database, as `read_all` does. Nobody waits for that."""
        self._all_stale = True
        self._work_on()

    def _take_ignored(self, ignored: Sequence[Person]) -> None:
        if list(ignored) != list(self.ignored):
            self.ignored, self.ignored_ids = ignored, frozenset(person.id for person in ignored)
            self._ignoring_changed = True
            self.changed.set()

    # The ears call these

    def counted(self, ear: RoomEar) -> None:
        if self._ears.get(ear.own.room) is ear:  # else it is lost, and has still to leave the feed
            self._note(ear.own.room, ear.own)

    def recount(self, room: Room) -> None:
        """Has the room read from the database: its count, and whether it is still, or already, the person's."""
        if ear := self._ears.get(room):
            ear.begin_recount()
        self._stale.add(room)
        self._work_on()

    def lose(self, ear: RoomEar) -> None:
        """The person may not be in this room any more."""
        if self._ears.pop(ear.own.room, None) is not None:
            self._lost.append(ear)
            self._note(ear.own.room, None)
            self._work_on()

    def _note(self, room: Room, own: OwnRoom | None) -> None:
        self._changes[room] = own
        self.changed.set()

    def _work_on(self) -> None:
        if self._working is None:
            self._working = DetachedTasks.here().start(self._work())

    async def _work(self) -> None:
        try:
            while self._stale or self._lost or self._all_stale:
                lost, self._lost = self._lost, []
                await self._leave(lost)
                stale, self._stale = self._stale, set()
                everything, self._all_stale = self._all_stale, False
                try:
                    if everything:
                        await self.read_all()
                    await self._read(list(stale))
                except Exception as error:
                    unforeseen(error)
                    self._stale |= stale
                    self._all_stale |= everything
                    await asyncio.sleep(RETRY_INTERVAL)
        finally:
            self._working = None

    async def _read(self, rooms: Sequence[Room]) -> None:
        found = await asyncio.gather(*(Counts.here().ask((room, self.person)) for room in rooms))
        new: list[OwnRoom] = []
        for room, own in zip(rooms, found, strict=True):
            ear = self._ears.get(room)
            if own is None:
                if ear is not None:
                    self.lose(ear)
            elif ear is not None:
                ear.end_recount(own)
                self._note(room, ear.own)
            elif len(self._ears) + len(new) < ROOMS_MAX:
                new.append(own)
        await self._enter(new)

    async def _enter(self, found: Iterable[OwnRoom]) -> None:
        ears = [RoomEar(self, self.person, own) for own in found]
        for ear in ears:
            self._ears[ear.own.room] = ear
            self._note(ear.own.room, ear.own)
        for ear in await Hub.here().join_each([ear for ear in ears if ear.own.room != self._except_for]):
            self.lose(ear)

    async def _leave(self, ears: Iterable[RoomEar]) -> None:
        await Hub.here().leave(*(ear for ear in ears if ear.own.room != self._except_for))


class Counts(PerLoop):
    """Reads what is unread for all followers of one event loop: many counts in one query."""

    def __init__(self) -> None:
        self._batcher = Batcher(_read_pairs)

    async def ask(self, pair: tuple[Room, Person]) -> OwnRoom | None:
        return await self._batcher.ask(pair)


async def _read_pairs(pairs: list[tuple[Room, Person]]) -> Sequence[OwnRoom | None]:
    found = await in_database(own_rooms.by_pair, pairs)
    return [found.get(pair) for pair in pairs]


class Ignoring(PerLoop):
    """Reads whom people ignore, for all followers of one event loop: many people in one query."""

    def __init__(self) -> None:
        self._batcher = Batcher(_read_ignored)

    async def ask(self, person: Person) -> Sequence[Person]:
        return await self._batcher.ask(person)


async def _read_ignored(persons: list[Person]) -> Sequence[Sequence[Person]]:
    found = await in_database(ignoring.ignored_by, persons)
    return [found[person.id] for person in persons]
