"""What a subscriber asks for."""

from collections.abc import Iterable
from dataclasses import dataclass

from chat import greetings, limits
from chat.events import Event
from chat.log import check_offset
from chat.people import Person
from chat.rooms import Room, enter, enter_all

Position = tuple[str, int | None]
"""A room's name, and the offset up to which it has been heard."""


@dataclass(frozen=True, slots=True)
class Request:
    """To hear `rooms`, some of them `after` an offset, as `viewer`; and to greet them first, if it joins."""

    rooms: list[Room]
    after: dict[Room, int]
    viewer: str
    person: Person
    joins_as: str | None = None

    async def greet(self) -> list[Event]:
        """Tells the rooms who has joined. Returns the greetings, which the subscriber hears before all else.

        As everybody hears them, they count as a message. Raises RateLimited.
        """
        if self.joins_as is None:
            return []
        await limits.spend(self.person)
        return [await greetings.greet(room=room, name=self.joins_as, person=self.person) for room in self.rooms]


def to_join(person: Person, rooms: Iterable[str], user: str, positions: Iterable[Position]) -> Request:
    """joinChatRooms. Raises InvalidName, InvalidRoomName, InvalidPosition, LoginRequired or NoRooms."""
    name = greetings.clean_name(user)
    return Request(enter_all(rooms, person), _after(positions, person), viewer=user, person=person, joins_as=name)


def to_follow(person: Person, positions: Iterable[Position]) -> Request:
    """roomMessages. Raises InvalidRoomName, InvalidPosition, LoginRequired or NoRooms."""
    positions = list(positions)
    rooms = enter_all([name for name, _ in positions], person)
    return Request(rooms, _after(positions, person), viewer=person.name, person=person)


def _after(positions: Iterable[Position], person: Person) -> dict[Room, int]:
    return {enter(name, person): check_offset(after) for name, after in positions if after is not None}
