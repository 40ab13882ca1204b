"""Follows a person's own rooms, and tells how much is unread in each as that changes.

Each room that somebody follows has an ear in its feed, beside the listeners. It counts what is said and hears of the
person's exclusion; so what it counts is what a listener would be told, and the database isn't asked. It is asked where
counting isn't enough: for what was deleted, for a log that started over, and for what the person has read elsewhere.
Of that the process in which they read it tells the others, by a control message. Such a message may be lost; so each
process compares the readings of the people who follow their rooms with the database from time to time, and often while
the layer is away.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import Any

from chat.delivery import hub
from chat.delivery.batcher import Batcher
from chat.delivery.control import on_control
from chat.delivery.detached_tasks import DetachedTasks
from chat.delivery.hub import Hub
from chat.delivery.layer import Layer
from chat.delivery.per_loop import PerLoop
from chat.delivery.room_ear import RoomEar
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import ChatError, unforeseen
from chat.storage import ignoring, own_rooms, readings
from chat.storage.database import in_database
from chat.storage.own_rooms import ROOMS_MAX, OwnRoom
from chat.storage.readings import Digest

INTERVAL = 1.0  # seconds from one telling to the next, at least
SPREAD = 0.2  # seconds over which many who hear the same are told it
RETRY_INTERVAL = 2.0  # seconds after which the database is asked again that didn't answer
COMPARE_INTERVAL = 30.0  # seconds from one comparison of readings to the next
COMPARE_INTERVAL_ALONE = 2.0  # the same, while other processes can't be heard
PEOPLE_PER_QUERY = 500
SUBJECT = "readings"  # of the control messages

Change = tuple[Room, OwnRoom | None]
"""A room, as the person has read it now; None if it is none of theirs any more."""
ReadingChange = tuple[str, str]
"""The id of a person, and the name of a room of which their reading has changed."""


async def tell(changes: Iterable[ReadingChange]) -> None:
    """Tells all processes, after the fact, that readings have changed, were made, or are gone."""
    if changed := [list(change) for change in changes]:
        await hub.send_control(SUBJECT, {"changed": changed})


async def tell_of_ignoring(person: Person) -> None:
    """Tells all processes, after the fact, that the person ignores others than before."""
    # An older instance has no use for that, and passes it over.
    await hub.send_control(SUBJECT, {"changed": [], "ignoring": person.id})


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


class Followers(PerLoop):
    """All followers of one event loop. While there are any, one task compares their people's readings."""

    def __init__(self) -> None:
        self._by_person: dict[str, set[Follower]] = {}
        self._digests: dict[str, Digest | None] = {}
        self._comparing: asyncio.Task[None] | None = None

    def add(self, follower: Follower) -> None:
        self._by_person.setdefault(follower.person.id, set()).add(follower)
        if self._comparing is None:
            self._comparing = DetachedTasks.here().start(self._keep_comparing())

    def remove(self, follower: Follower) -> None:
        followers = self._by_person.get(follower.person.id, set())
        followers.discard(follower)
        if not followers:
            self._by_person.pop(follower.person.id, None)
            self._digests.pop(follower.person.id, None)
        if not self._by_person and self._comparing is not None:
            self._comparing.cancel()
            self._comparing = None

    def changed(self, changes: Iterable[ReadingChange]) -> None:
        for person_id, room_name in changes:
            for follower in self._by_person.get(person_id, ()):
                follower.recount(Room(room_name))

    def ignoring_changed(self, person_id: str) -> None:
        for follower in self._by_person.get(person_id, ()):
            follower.reread()

    async def _keep_comparing(self) -> None:
        while True:
            alone = Layer.here().is_any_away or not Hub.here().is_listening
            await asyncio.sleep(COMPARE_INTERVAL_ALONE if alone else COMPARE_INTERVAL)
            try:
                await self._compare(alone)
            except Exception as error:
                unforeseen(error)

    async def _compare(self, alone: bool) -> None:
        """Reads the rooms of people anew whose readings have changed; `alone`, of those who are new here too."""
        people = list(self._by_person)
        for first in range(0, len(people), PEOPLE_PER_QUERY):
            some = people[first : first + PEOPLE_PER_QUERY]
            found = await in_database(readings.digests, some)
            for person_id in some:
                known = person_id in self._digests
                before, self._digests[person_id] = self._digests.get(person_id), found.get(person_id)
                if (known and before != found.get(person_id)) or (alone and not known):
                    for follower in list(self._by_person.get(person_id, ())):
                        with contextlib.suppress(ChatError):
                            await follower.read_all()


@on_control(SUBJECT)
def on_readings(about: Mapping[str, Any]) -> None:
    Followers.here().changed((str(person_id), str(room_name)) for person_id, room_name in about["changed"])
    if "ignoring" in about:
        Followers.here().ignoring_changed(str(about["ignoring"]))
