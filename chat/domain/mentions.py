"""Mentions: the names that a text calls, `@ann`, `@"Quiet Otter 42"`, and `@room`, which means everybody there."""

import re

from chat.domain.people import Person

MENTIONS_MAX = 20  # names that count in one text
EVERYBODY = Person(id="room", name="room")
"""Stands for all people of a room, among the people whom a message mentions."""

CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
# Not within a word, as in addresses of e-mail, and not in a path. Unquoted, it has the characters of accounts' names.
MENTION = re.compile(r'(?<![\w@/.+-])@(?:"([^"\n]{1,150})"|([\w.@+-]{1,150}))')
TRAILING = ".@+-"


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
