"""Tells a room who has joined, without drowning it: greetings that come too fast are merged into one line.

Each greeting is a delivery to everybody in the room. When thousands join one room, those are by far the most of what
joining costs, unless there are the fewer of them the more people are there.
"""

import asyncio
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from chat import log_context
from chat.delivery.hub import Hub
from chat.delivery.publisher import publish
from chat.domain import events, names, people
from chat.domain.events import Event, Kind
from chat.domain.grants import Scope
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.per_loop import PerLoop
from chat.storage import permissions
from chat.storage.database import in_database

PERIOD = 1.0  # seconds; longer in a room with more than DELIVERIES_PER_PERIOD listeners
GREETINGS_PER_PERIOD = 4
DELIVERIES_PER_PERIOD = 1000  # of a room's greetings to its listeners in this process, merged ones aside
NAMES_PER_GREETING = 3
NAME_MAX = 100  # characters, of the name that a user joins with


@dataclass(eq=False)
class Crowd:
    """The people who have joined one room through this process lately."""

    room: Room
    greeted: int = 0  # in this period
    waiting: list[str] = field(default_factory=list)
    hosting: asyncio.Task[None] | None = None


class Crowds(PerLoop):
    """The crowds of one event loop, by room."""

    def __init__(self) -> None:
        self.by_room: dict[Room, Crowd] = {}


def clean_name(name: object, person: Person) -> str:
    """The name with which `person` joins. A guest's is no longer than in the rest of the site. Raises InvalidName."""
    return names.clean(name, what=_("The user name"), longest=people.NAME_MAX if person.is_guest else NAME_MAX)


async def greet(*, room: Room, name: str, person: Person, aloud: bool = True) -> Event:
    """Tells `room` that `name` has joined. Returns the greeting for the joiner, whom no merging concerns.

    If it isn't said aloud, the joiner alone has it; so it is in a read-only room, unless the joiner may post there, and
    with a token that isn't for writing.
    Raises Unavailable.
    """
    greeting = events.build(room=room, message=f"Hello my name is {name}!", person=person, kind=Kind.GREETING)
    if not aloud or not person.allows(Scope.WRITE) or not await _may_be_heard(room, person):
        return greeting
    crowds = Crowds.here().by_room
    crowd = crowds.setdefault(room, Crowd(room))
    if crowd.hosting is None:
        crowd.hosting = asyncio.create_task(_host(crowd, crowds), context=log_context.detached())
    if crowd.greeted < pace(Hub.here().audience(room))[0]:
        crowd.greeted += 1
        await publish(greeting)
    else:
        crowd.waiting.append(name)
    return greeting


async def _may_be_heard(room: Room, person: Person) -> bool:
    """Whether a greeting of `person` may reach `room`. That is looked up only where it is read-only."""
    if not Hub.here().is_read_only(room):
        return True
    return (await in_database(permissions.permission, room, person)).may_post


def pace(audience: int) -> tuple[int, float]:
    """How many greetings a room with so many listeners here gets one by one in a period, and its length in seconds."""
    greetings = DELIVERIES_PER_PERIOD // max(1, audience)
    return max(1, min(GREETINGS_PER_PERIOD, greetings)), PERIOD * max(1.0, audience / DELIVERIES_PER_PERIOD)


async def _host(crowd: Crowd, crowds: dict[Room, Crowd]) -> None:
    """Greets in one line, once a period, those who have come meanwhile; until a period passes in which nobody came."""
    while crowd.greeted:
        await asyncio.sleep(pace(Hub.here().audience(crowd.room))[1])
        joined, crowd.waiting = crowd.waiting, []
        crowd.greeted = 1 if joined else 0
        if joined:
            message = f"Hello our names are {_listed(joined)}!" if len(joined) > 1 else f"Hello my name is {joined[0]}!"
            await publish(events.build(room=crowd.room, message=message, person=None, kind=Kind.GREETING))
    del crowds[crowd.room]


def _listed(joined: list[str]) -> str:
    """`["ann", "bob", "cem", "dan", "eve"]` → `ann, bob, cem and 2 more`"""
    shown, more = joined[:NAMES_PER_GREETING], len(joined) - NAMES_PER_GREETING
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}"
