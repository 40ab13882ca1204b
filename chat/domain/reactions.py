"""Reactions to a message: emoji, each with how many people react with it and who some of them are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from chat.domain.people import JsonPerson, Person
from chat.errors import TooManyReactions

PEOPLE_NAMED = 20  # of those who react with one emoji; the others are counted
EMOJI_PER_MESSAGE = 20

JsonReaction = dict[str, str | int | list[JsonPerson]]


@dataclass(frozen=True, slots=True)
class Reaction:
    """One emoji at a message. `people` are the first PEOPLE_NAMED of all `count` who react with it."""

    emoji: str
    count: int
    people: tuple[Person, ...]

    def has(self, person: Person) -> bool | None:
        """Whether `person` reacts with it. None if this doesn't say: they aren't named, and others aren't either."""
        if any(named.id == person.id for named in self.people):
            return True
        return None if self.count > len(self.people) else False

    def as_json(self) -> JsonReaction:
        """As it is stored, and as it travels in a group."""
        return {"emoji": self.emoji, "count": self.count, "people": [person.as_json() for person in self.people]}

    @classmethod
    def all_from_json(cls, value: object) -> tuple["Reaction", ...]:
        """Those in a list of values that `as_json` returned. Other values are left out."""
        found = []
        for one in value if isinstance(value, list) else ():
            match one:
                case {"emoji": str(emoji), "count": int(count), "people": people}:
                    found.append(cls(emoji, count, Person.all_from_json(people)))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class ReactionRequest:
    """A person wants to react with `emoji`, which is a clean one, or (`on` is false) not to."""

    person: Person
    emoji: str
    on: bool


class Tally:
    """The reactions to one message, as requests come in one after the other.

    `counts` says how many people react with each emoji, and `own` which of them the people who ask react with already,
    as pairs of the person's id and the emoji.
    """

    def __init__(self, counts: Counter[str], own: set[tuple[str, str]]) -> None:
        self._counts = counts
        self._before = own
        self._now: dict[tuple[str, str], ReactionRequest] = {}  # the last request for each person and emoji

    def settle(self, request: ReactionRequest) -> None:
        """Meets the request; one that is met already changes nothing. Raises TooManyReactions."""
        key = request.person.id, request.emoji
        last = self._now.get(key)
        if request.on == (last.on if last else key in self._before):
            return
        if request.on and not self._counts[request.emoji] and len(+self._counts) >= EMOJI_PER_MESSAGE:
            raise TooManyReactions(
                _("This message has {most} different reactions already. Use one of them."), most=EMOJI_PER_MESSAGE
            )
        self._counts[request.emoji] += 1 if request.on else -1
        self._now[key] = request

    @property
    def changes(self) -> Sequence[ReactionRequest]:
        """The requests that are to be stored, in their order; nothing of what was taken back again."""
        return [request for key, request in self._now.items() if request.on != (key in self._before)]
