"""The messages by which processes tell each other of a room's people, and when each is due.

Processes tell each other through a group of the room, in messages of this shape:

{"type": "chat.presence", "room_id": "<group>", "process": "<id>",
 "seq": 7, "people": {"<id>": "<name>"},                             all who are there through the process; or
 "seq": 8, "came": {"<id>": "<name>"}, "left": ["<id>"],             what has changed since the message before; or
 "seq": 8,                                                           that nothing has
 "typing": {"<id>": ["<name>", 4.2]},                                all who are typing, and for how many seconds yet
 "ask": ["<process>"]}                                               tell me all; an empty list means every process

`seq` counts the changes. A process that has missed one asks, and so does one whose first listener wants to know. After
a change the process says its `seq` once more, so that the last change isn't missed either; then it says nothing until
something happens.

A process that asks all does so through the group by which processes hear that others live
(chat.delivery.rooms.presences). So those answer as well in which nobody asks, and which therefore aren't in the room's
group.
"""

import math
from typing import Any

from chat.delivery.pace import Pace
from chat.delivery.rooms.people_here import PeopleHere, Typers
from chat.domain.people import Person

TYPE = "chat.presence"
INTERVAL = 1.0  # seconds between two messages of a room
GATHERED = 0.05  # seconds for which the first change waits for others
CONFIRM_AFTER = 5.0  # seconds from a change until its number is said once more


class PresenceMessages:
    """The messages of one room. Times are in seconds on the event loop's clock."""

    __slots__ = (
        "_confirm_at",
        "_here",
        "_seq",
        "_telling",
        "_to_ask",
        "_told",
        "_told_all_at",
        "_typers",
        "_typing",
        "_unasked",
    )

    def __init__(self, here: PeopleHere, typers: Typers) -> None:
        self._here = here
        self._typers = typers
        self._telling = Pace(INTERVAL)
        self._confirm_at = math.inf  # when the number of the last change is said once more
        self._told: dict[str, Person] | None = None  # who was here by the last message; None if all is to be told
        self._told_all_at = -math.inf
        self._seq = 0
        self._unasked = False  # whether all is told to others of whom nobody may listen
        self._typing = False  # whether the typers are to be told
        self._to_ask: set[str] | None = None  # processes; an empty set means all

    @property
    def begun(self) -> bool:
        """Whether the others have been told of anybody."""
        return self._seq > 0

    @property
    def next_due(self) -> float:
        return min(self._telling.due, self._confirm_at)

    def people_changed(self, now: float) -> None:
        self._telling.request(now + GATHERED)

    def typing_changed(self, now: float) -> None:
        """Somebody is typing, or still is: others forget a person of whom they aren't told again."""
        self._typing = True
        self._telling.request(now)

    def tell_all(self, at: float) -> None:
        self._told = None
        self._telling.request(at)

    def announce(self, at: float) -> None:
        """Tells others, of whom nobody may ask, of the people here."""
        self._unasked = self._told is None
        self._telling.request(at)

    def ask_all(self, at: float) -> None:
        """Asks all others who is there through them, and tells them the same."""
        self._to_ask, self._told = set(), None
        self._telling.hurry(at)

    def ask_one(self, process: str, now: float) -> None:
        if self._to_ask is None:
            self._to_ask = {process}
        elif self._to_ask:  # else all are asked
            self._to_ask.add(process)
        self._telling.request(now)

    def answer(self, now: float) -> None:
        """Another process has asked. All that ask within INTERVAL get one answer."""
        if not self._here.people and not self.begun:
            return
        self.tell_all(now)
        if now - self._told_all_at >= INTERVAL:
            self._telling.hurry(now)

    def failed(self) -> None:
        """The others haven't got a message."""
        self._told = None

    def take(self, now: float) -> dict[str, Any] | None:
        """The message that is due now, without the address; None if none is."""
        if now >= self._confirm_at:
            self._confirm_at = math.inf
            self._telling.request(now)
        if not self._telling.take(now):
            return None
        tells_all = self._told is None
        message = self._people(now)
        if self._typing or (tells_all and self._typers):
            message["typing"] = {person.id: [person.name, round(until - now, 3)] for person, until in self._typers}
            self._typing = False
        if self._to_ask is not None:
            message["ask"], self._to_ask = sorted(self._to_ask), None
        return message or None

    def _people(self, now: float) -> dict[str, Any]:
        people, told = self._here.people, self._told
        if not people and not self.begun:
            return {}
        self._told = dict(people)
        if told is None:
            self._told_all_at = now
            self._count(now)
            if self._unasked:
                self._confirm_at, self._unasked = math.inf, False
            return {"seq": self._seq, "people": {id: person.name for id, person in people.items()}}
        came = {id: one.name for id, one in people.items() if id not in told or told[id].name != one.name}
        left = [id for id in told if id not in people]
        if not came and not left:
            return {"seq": self._seq}
        self._count(now)
        return {"seq": self._seq, "came": came, "left": left}

    def _count(self, now: float) -> None:
        self._seq += 1
        self._confirm_at = now + CONFIRM_AFTER
