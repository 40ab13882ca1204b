"""Tells a room that somebody is typing. Nothing is stored: the others see it for a few seconds."""

from chat.actions import rate_limits
from chat.delivery.listener import Listener
from chat.delivery.rooms.source import RoomSource, presences
from chat.domain.grants import Scope
from chat.domain.people import Person
from chat.domain.rooms import Room


def note(listener: Listener, room: Room, person: Person, is_typing: bool) -> None:
    """Notes a sign of typing from somebody whose `listener` hears the room, and so may be there.

    It has no limit of its own: however many signs come, others are told once a second at most. Raises
    InsufficientScope.
    """
    person.require(Scope.WRITE)
    if listener.arrived:
        presences().type(room, person, is_typing)


async def set_typing(*, room: Room, person: Person, is_typing: bool) -> None:
    """The same from anybody. Raises InsufficientScope, RateLimited, Banned, NotAMember or Unavailable."""
    person.require(Scope.WRITE)
    await rate_limits.spend(person, on="typing")
    await RoomSource.here().reads.check(room, person)
    presences().type(room, person, is_typing)
