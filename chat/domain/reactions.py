"""Reactions to a message: emoji, each with how many people react with it and who some of them are."""

from dataclasses import dataclass

from chat.domain.people import JsonPerson, Person

PEOPLE_NAMED = 20  # of those who react with one emoji; the others are counted

JsonReaction = dict[str, str | int | list[JsonPerson]]


@dataclass(frozen=True, slots=True)
class Reaction:
    """One emoji at a message. `people` are the first PEOPLE_NAMED of all `count` who react with it."""

    emoji: str
    count: int
    people: tuple[Person, ...]

    def as_json(self) -> JsonReaction:
        """As it is stored, and as it travels in a group."""
        return {"emoji": self.emoji, "count": self.count, "people": [person.as_json() for person in self.people]}

    @classmethod
    def all_from_json(cls, value: object) -> tuple["Reaction", ...]:
        """Those in a list of what `as_json` returned. What is anything else is left out."""
        found = []
        for one in value if isinstance(value, list) else ():
            match one:
                case {"emoji": str(emoji), "count": int(count), "people": people}:
                    found.append(cls(emoji, count, Person.all_from_json(people)))
        return tuple(found)
