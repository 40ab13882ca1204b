"""The people who are in a room through this process, and those of whom another process has told."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chat.domain.people import Person
from chat.domain.presence import TYPING_LASTS

LINGER = 5.0  # seconds for which a person stays after their last listener has gone: a page that is loaded again
TYPERS_MAX = 100  # people who are remembered as typing in a room, per process; more are passed over


class PeopleHere:
    """The people with a listener in the room, each once, and those who had one until LINGER seconds ago."""

    __slots__ = ("_lingering", "_more", "people")

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self._more: dict[str, int] | None = None  # listeners beyond the first, of those who have several
        self._lingering: dict[str, float] | None = None  # when they leave, on the event loop's clock; the next is first

    def arrive(self, person: Person) -> bool:
        """A listener more. Returns whether that changes who is here."""
        known = self.people.get(person.id)
        self.people[person.id] = person
        if known is not None and not self._end_lingering(person.id):
            self._more = self._more or {}
            self._more[person.id] = self._more.get(person.id, 0) + 1
        return known is None or known.name != person.name

    def _end_lingering(self, id: str) -> bool:
        return self._lingering is not None and self._lingering.pop(id, None) is not None

    def depart(self, person: Person, now: float, *, linger: bool) -> bool:
        """A listener less. Returns whether that changes who is here at once."""
        more = self._more.pop(person.id, 0) if self._more else 0
        if more:
            if more > 1 and self._more is not None:
                self._more[person.id] = more - 1
            return False
        if linger:
            self._lingering = self._lingering or {}
            self._lingering[person.id] = now + LINGER
            return False
        return self.people.pop(person.id, None) is not None

    def rename(self, person: Person) -> bool:
        if person.id not in self.people or self.people[person.id].name == person.name:
            return False
        self.people[person.id] = person
        return True

    @property
    def next_expiry(self) -> float:
        return next(iter(self._lingering.values()), math.inf) if self._lingering else math.inf

    def expire(self, now: float) -> bool:
        """Lets those go whose time is over. Returns whether there were any."""
        before = len(self.people)
        while self.next_expiry <= now and self._lingering:
            id = next(iter(self._lingering))
            del self._lingering[id], self.people[id]
        return len(self.people) < before


class Typers:
    """The people who are typing in the room, each with when that ends, on the event loop's clock."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until: dict[str, tuple[Person, float]] = {}

    def __bool__(self) -> bool:
        return bool(self._until)

    def __iter__(self) -> Iterator[tuple[Person, float]]:
        return iter(self._until.values())

    def note(self, person: Person, until: float) -> bool:
        """Returns whether the person wasn't typing before. Nothing changes where there are TYPERS_MAX already."""
        is_new = person.id not in self._until
        if is_new and len(self._until) >= TYPERS_MAX:
            return False
        self._until[person.id] = person, until
        return is_new

    def stop(self, person_id: str) -> bool:
        return self._until.pop(person_id, None) is not None

    @property
    def next_expiry(self) -> float:
        return min((until for _, until in self), default=math.inf)

    def expire(self, now: float) -> bool:
        """Lets those go whose time is over. Returns whether there were any."""
        over = [person.id for person, until in self if until <= now]
        for id in over:
            del self._until[id]
        return bool(over)


@dataclass(slots=True)
class Peer:
    """The room as one other process tells of it, in messages that it numbers by `seq`."""

    seq: int
    people: dict[str, Person]
    typers: Typers = field(default_factory=Typers)

    def change(self, seq: int, came: Mapping[str, str], left: list[str]) -> None:
        self.seq = seq
        self.people |= people_of(came)
        for id in left:
            self.people.pop(id, None)

    def set_typers(self, told: Mapping[str, Any], now: float) -> None:
        """`told` has names and remaining seconds by the ids of all who are typing there."""
        self.typers = Typers()
        for id, (name, seconds) in told.items():
            self.typers.note(Person(id=id, name=name), now + min(float(seconds), TYPING_LASTS))


def people_of(names: Mapping[str, str]) -> dict[str, Person]:
    """People by their ids, from names by their ids."""
    return {id: Person(id=id, name=name) for id, name in names.items()}
