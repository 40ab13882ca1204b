"""What makes a name: one line of text that people can read and type, the same however it was typed."""

import re
import unicodedata

from chat.errors import InvalidName

# Unicode's categories: control characters, halves of characters, line and paragraph separators
UNNAMEABLE = {"Cc", "Cs", "Zl", "Zp"}
# What turns the text around it (embeddings, overrides, isolates), or can't be seen (soft hyphen, zero width space, word
# joiner and so on): with these a name passes for another. The joiners that scripts and emoji are written with may stay.
DISGUISING = re.compile("[\u202a-\u202e\u2066-\u2069\u00ad\u180e\u200b\u2060-\u2064\ufeff]")
# Letters and symbols that nobody sees: the fillers of Hangul, the empty pattern of Braille
BLANK = set("\u115f\u1160\u3164\uffa0\u2800")


def clean(text: object, *, what: str, longest: int, error: type[InvalidName] = InvalidName) -> str:
    """`text` in Unicode's NFC, without blanks around it.

    `what` says in the error's text whose name it is ("room name"), `longest` is in characters.

    Raises `error` for what is no text, nothing, nothing to be seen, longer, or has characters of UNNAMEABLE or
    DISGUISING.
    """
    if not isinstance(text, str):
        raise error(f"The {what} has to be a text.")
    name = unicodedata.normalize("NFC", text).strip()
    if not name:
        raise error(f"The {what} is empty.")
    if len(name) > longest:
        raise error(f"The {what} is too long: {len(name):,} characters, {longest} are allowed.")
    if any(unicodedata.category(character) in UNNAMEABLE for character in name):
        raise error(f"The {what} has control characters in it.")
    if DISGUISING.search(name) or all(_is_unseen(character) or character.isspace() for character in name):
        raise error(f"The {what} has characters in it that nobody can see.")
    return name


def skeleton(name: str) -> str:
    """What those who look at a name see of it: of letters that are compatible the usual ones, and no joiners."""
    return "".join(character for character in unicodedata.normalize("NFKC", name) if not _is_unseen(character))


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) == "Cf" or character in BLANK
