"""What makes a name: one line of text that people can read and type, the same however it was typed."""

import unicodedata

from chat.errors import InvalidName

# Unicode's categories: control characters, halves of characters, line and paragraph separators
UNNAMEABLE = {"Cc", "Cs", "Zl", "Zp"}


def clean(text: object, *, what: str, longest: int, error: type[InvalidName] = InvalidName) -> str:
    """`text` in Unicode's NFC, without blanks around it.

    `what` says in the error's text whose name it is ("room name"), `longest` is in characters.

    Raises `error` for what is no text, nothing, longer, or has characters of UNNAMEABLE.
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
    return name
