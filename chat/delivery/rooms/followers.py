"""The followers of people's own rooms, who are told of what the people do elsewhere: what they read, whom they ignore.

The process in which they do it tells the others, by a control message. Such a message may be lost; so each process
compares the readings of the people who follow their rooms with the database from time to time, and often while the
layer is away.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from chat.delivery import hub
from chat.delivery.control import on_control
from chat.delivery.detached_tasks import DetachedTasks
from chat.delivery.hub import Hub
from chat.delivery.layer import Layer
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import ChatError, unforeseen
from chat.per_loop import PerLoop
from chat.storage import readings
from chat.storage.database import in_database
from chat.storage.readings import Digest

COMPARE_INTERVAL = 30.0  # seconds from one comparison of readings to the next
COMPARE_INTERVAL_ALONE = 2.0  # the same, while other processes can't be heard
PEOPLE_PER_QUERY = 500
SUBJECT = "readings"  # of the control messages

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


class Following(Protocol):
    """The rooms of a person, as one connection follows them."""

    @property
    def person(self) -> Person: ...

    def recount(self, room: Room) -> None:
        """The person's reading of the room has changed, was made, or is gone."""

    def reread(self) -> None:
        """The person ignores others than before."""

    async def read_all(self) -> None:
        """Any of the person's readings may have changed."""


class Followers(PerLoop):
    """All followers of one event loop. While there are any, one task compares their people's readings."""

    def __init__(self) -> None:
        self._by_person: dict[str, set[Following]] = {}
        self._digests: dict[str, Digest | None] = {}
        self._comparing: asyncio.Task[None] | None = None

    def add(self, follower: Following) -> None:
        self._by_person.setdefault(follower.person.id, set()).add(follower)
        if self._comparing is None:
            self._comparing = DetachedTasks.here().start(self._keep_comparing())

    def remove(self, follower: Following) -> None:
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
