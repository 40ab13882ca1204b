"""The request of a subscriber: rooms, positions, and a greeting."""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chat.actions import greetings, rate_limits
from chat.domain.events import USUAL_KINDS, Event, Kind
from chat.domain.grants import Scope
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.presence import LiveKind
from chat.domain.rooms import Room, enter, enter_all
from chat.errors import RateLimited, TooManyRooms
from chat.storage.history import check_position

Named = TypeVar("Named")
Given = tuple[str, int | None, str | None]
"""Of a RoomPosition: the room's name, the offset up to which it has been heard, and the id of the entry there."""


@dataclass(frozen=True, slots=True)
class Request:
    """To hear `kinds` in `rooms`, in some of them `after` a position, as `current_user`.

    And to greet them first, if it joins.
    """

    rooms: list[Room]
    after: dict[Room, Position]
    current_user: str
    person: Person
    kinds: Set[Kind]
    joins_as: str | None = None
    live_kinds: frozenset[LiveKind] = frozenset()
    """If there are any, it is these live states that are told, and not what is said."""

    async def greet(self) -> list[Event]:
        """Tells the rooms who has joined. Returns the greetings, which the subscriber hears before all else.

        A person who joins too many rooms in too short a time is let in without being announced: after a restart, many
        come back at once.
        """
        if self.joins_as is None:
            return []
        name, person, aloud, said = self.joins_as, self.person, True, []
        for room in self.rooms:
            aloud = aloud and await may_greet(person)
            said.append(await greetings.greet(room=room, name=name, person=person, aloud=aloud))
        return said if Kind.GREETING in self.kinds else []


async def may_greet(person: Person) -> bool:
    """Whether one more room may be told that `person` has joined."""
    try:
        await rate_limits.spend(person, on="greeting")
    except RateLimited:
        return False
    return True


def to_join(
    person: Person, rooms: Iterable[str], user: str, positions: Iterable[Given], kinds: Iterable[Kind] | None
) -> Request:
    """joinChatRooms.

    Raises InsufficientScope, InvalidName, InvalidRoomName, InvalidPosition, LoginRequired, NoRooms or TooManyRooms.
    """
    person.require(Scope.READ)
    name = greetings.clean_name(user, person)
    entered, after = enter_all(_few(rooms), person), _after(_few(positions), person)
    return Request(entered, after, current_user=user, person=person, kinds=_kinds(kinds), joins_as=name)


def to_follow(person: Person, positions: Iterable[Given], kinds: Iterable[Kind] | None) -> Request:
    """roomMessages.

    Raises InsufficientScope, InvalidRoomName, InvalidPosition, LoginRequired, NoRooms or TooManyRooms.
    """
    person.require(Scope.READ)
    positions = _few(positions)
    rooms = enter_all([name for name, *_ in positions], person)
    after = _after(positions, person)
    return Request(rooms, after, current_user=person.name, person=person, kinds=_kinds(kinds))


def _kinds(named: Iterable[Kind] | None) -> Set[Kind]:
    return USUAL_KINDS if named is None else frozenset(named)


def to_look(person: Person, room: str, kind: LiveKind) -> Request:
    """roomPresence and roomTyping. Raises InsufficientScope, InvalidRoomName or LoginRequired."""
    person.require(Scope.READ)
    rooms = [enter(room, person)]
    nothing: Set[Kind] = frozenset()
    return Request(rooms, {}, person.name, person, nothing, live_kinds=frozenset({kind}))


def _few(named: Iterable[Named]) -> list[Named]:
    named = list(named)
    if len(named) > settings.CHAT_ROOMS_PER_SUBSCRIPTION:
        rate_limits.hit("rooms")
        allowed = settings.CHAT_ROOMS_PER_SUBSCRIPTION
        raise TooManyRooms(_("A subscription is for {most} rooms at most: take several."), most=allowed)
    return named


def _after(positions: Iterable[Given], person: Person) -> dict[Room, Position]:
    return {enter(name, person): check_position(after, id) for name, after, id in positions if after is not None}
