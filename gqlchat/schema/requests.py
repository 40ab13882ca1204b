"""The request of a subscriber: logs and positions; of rooms, a greeting, too."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

from chat.actions import greetings, rate_limits
from chat.domain.events import USUAL_KINDS, Event, Kind
from chat.domain.grants import Scope
from chat.domain.logs import check_count
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.presence import LiveKind
from chat.domain.rooms import Room, enter, enter_all
from chat.errors import RateLimited, TooManyRooms
from chat.storage.history import check_position

Named = TypeVar("Named")
Given = tuple[str, int | None, str | None]
"""Of a RoomPosition: the room's name, the offset up to which it has been heard, and the id of the entry there."""


@dataclass(frozen=True, kw_only=True)
class FollowRequest:
    """To hear `kinds` of what comes to `logs`, in some of them `after` a position. Any app's subscription has one.

    Without kinds, it is those that a listener hears which names none. `current_user` is the name that results have
    where a field of theirs is to have the subscriber's. If there are `live_kinds`, it is these states that are told,
    and not what comes to the logs. Raises TooManyRooms.
    """

    logs: Sequence[Any]
    after: Mapping[Any, Position]
    person: Person
    kinds: Set[Any] | None = None
    current_user: str = ""
    live_kinds: frozenset[LiveKind] = frozenset()

    def __post_init__(self) -> None:
        _few(self.logs)

    async def greet(self) -> Sequence[Event]:
        """The events that the subscriber hears before all else, and not again where they come with the rest."""
        return []

    def resumed(self, after: Mapping[Any, Position]) -> Self:
        """The request of the same subscriber who comes back with these positions."""
        return replace(self, after={**self.after, **after})


@dataclass(frozen=True, kw_only=True)
class Request(FollowRequest):
    """To hear rooms, and to greet them first, if it joins."""

    joins_as: str | None = None

    def resumed(self, after: Mapping[Any, Position]) -> Self:
        """Without greeting the rooms again."""
        return replace(self, after={**self.after, **after}, joins_as=None)

    async def greet(self) -> list[Event]:
        """Tells the rooms who has joined. Returns the greetings, which the subscriber hears before all else.

        A person who joins too many rooms in too short a time is let in without being announced: after a restart, many
        come back at once.
        """
        said: list[Event] = []
        if self.joins_as is None:
            return said
        name, person, aloud = self.joins_as, self.person, True
        for room in self.logs:
            aloud = aloud and await may_greet(person)
            said.append(await greetings.greet(room=room, name=name, person=person, aloud=aloud))
        return said if Kind.GREETING in (self.kinds or ()) else []


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
    return Request(logs=entered, after=after, person=person, kinds=_kinds(kinds), current_user=user, joins_as=name)


def to_follow(person: Person, positions: Iterable[Given], kinds: Iterable[Kind] | None) -> Request:
    """roomMessages.

    Raises InsufficientScope, InvalidRoomName, InvalidPosition, LoginRequired, NoRooms or TooManyRooms.
    """
    person.require(Scope.READ)
    positions = _few(positions)
    rooms = enter_all([name for name, *_ in positions], person)
    after = _after(positions, person)
    return Request(logs=rooms, after=after, person=person, kinds=_kinds(kinds), current_user=person.name)


def _kinds(named: Iterable[Kind] | None) -> Set[Kind]:
    return USUAL_KINDS if named is None else frozenset(named)


def to_look(person: Person, room: str, kind: LiveKind) -> Request:
    """roomPresence and roomTyping. Raises InsufficientScope, InvalidRoomName or LoginRequired."""
    person.require(Scope.READ)
    return Request(
        logs=[enter(room, person)],
        after={},
        person=person,
        kinds=frozenset(),
        current_user=person.name,
        live_kinds=frozenset({kind}),
    )


def _few(named: Iterable[Named]) -> list[Named]:
    named = list(named)
    try:
        check_count(named)
    except TooManyRooms:
        rate_limits.hit("rooms")
        raise
    return named


def _after(positions: Iterable[Given], person: Person) -> dict[Room, Position]:
    return {enter(name, person): check_position(after, id) for name, after, id in positions if after is not None}
