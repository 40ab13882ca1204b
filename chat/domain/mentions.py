"""Mentions: the names that a text calls, `@ann`, `@"Quiet Otter 42"`, and `@room`, which means everybody there."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from chat.domain.people import Person
from chat.domain.skeletons import skeletons

MENTIONS_MAX = 20  # names that count in one text
EVERYBODY = Person(id="room", name="room")
"""Stands for all people of a room, among the people whom a message mentions."""

CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
# Not within a word, as in addresses of e-mail, and not in a path. Unquoted, it has the characters of accounts' names.
MENTION = re.compile(r'(?<![\w@/.+-])@(?:"([^"\n]{1,150})"|([\w.@+-]{1,150}))')
TRAILING = ".@+-"


def called_in(text: str, mentions: Iterable[Person]) -> dict[str, Person]:
    """Of the names that `text` may call, those of people in `mentions`, each with its person.

    Users go by the looks of their usernames and display names, as they did when `chat.storage.mentions` found them.
    """
    users = [person for person in mentions if not person.is_guest]
    spelled = {name: person for person in users for name in (person.name, person.username) if name}
    others = {person.name.casefold(): person for person in mentions if person.is_guest}
    found = {}
    for name in names_in(text) if users or others else ():
        person = others.get(name.casefold()) or spelled.get(name) or _alike(name, users)
        if person is not None:
            found[name] = person
    return found


def _alike(name: str, users: Iterable[Person]) -> Person | None:
    looks = skeletons(name)
    return next((user for user in users if not looks.isdisjoint(_looks(user.name, user.username))), None)


@lru_cache(maxsize=1000)
def _looks(name: str, username: str | None) -> frozenset[str]:
    """The skeletons of a user's names. Names in texts aren't kept: they have to be gone with a deleted message."""
    return skeletons(name) | skeletons(username or name)


def parts(text: str, called: Mapping[str, Person]) -> Iterator[tuple[str, Person | None]]:
    """A text without code in it, cut into what calls somebody and what doesn't; `called` is as `called_in` has it."""
    begin = 0
    for match in MENTION.finditer(text):
        quoted, plain = match.groups()
        name = (quoted or plain).strip()
        end = match.end()
        if plain and name not in called:
            name = plain.rstrip(TRAILING)
            end = match.start() + 1 + len(name)
        if name in called:
            yield text[begin : match.start()], None
            yield text[match.start() : end], called[name]
            begin = end
    yield text[begin:], None


def names_in(text: str) -> list[str]:
    """The names that `text` may call, each once, in their order. Names in code call nobody.

    "@ann." may call "ann." or "ann": of what could be one name, the longest comes first.
    """
    names: dict[str, None] = {}
    for called in MENTION.finditer(CODE.sub(" ", text)):
        quoted, plain = called.groups()
        names[(quoted or plain).strip()] = None
        if plain:
            names[plain.rstrip(TRAILING)] = None
        if len(names) >= 2 * MENTIONS_MAX:
            break
    return [name for name in names if name]
