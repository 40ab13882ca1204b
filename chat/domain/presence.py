"""Live states of a room, which listeners that ask are told: the people who are here, and those who are typing.

They are never stored. A later state takes the place of an earlier one, so a listener needs the last one only.
"""

from dataclasses import dataclass
from enum import StrEnum

from chat.domain.people import Person
from chat.domain.rooms import Room

PEOPLE_MAX = 50  # people that a state names; `count` counts all
TYPING_LASTS = 6.0  # seconds after a person's last sign of typing


class LiveKind(StrEnum):
    PRESENCE = "presence"
    TYPING = "typing"


@dataclass(frozen=True, slots=True)
class Presence:
    """The people who are in a room: so many, and the first PEOPLE_MAX of them by name.

    `complete` is false where this process can't tell who is there through others.
    """

    room: Room
    count: int
    people: tuple[Person, ...]
    complete: bool

    @property
    def kind(self) -> LiveKind:
        return LiveKind.PRESENCE

    @property
    def log(self) -> Room:
        return self.room


@dataclass(frozen=True, slots=True)
class Typing:
    """The people who are typing in a room, the first of them first; PEOPLE_MAX at most."""

    room: Room
    people: tuple[Person, ...]

    @property
    def kind(self) -> LiveKind:
        return LiveKind.TYPING

    @property
    def log(self) -> Room:
        return self.room


LiveState = Presence | Typing
