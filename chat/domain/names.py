"""Names of rooms and people: one line of text that people can read and type, the same however it was typed."""

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

import regex
from django.utils.translation import gettext_lazy as _

from chat.domain import unseen
from chat.domain.skeletons import skeletons
from chat.errors import InvalidName, grouped

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# Unicode's categories: control characters, halves of characters, line and paragraph separators
UNNAMEABLE = {"Cc", "Cs", "Zl", "Zp"}
# Characters that can't be seen, and that scripts and emoji are written with all the same: joiners, direction marks,
# variation selectors, the tags of flags. Names may have them, and are compared without them.
NEEDED = r"[\u061c\u200c-\u200f\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef]"
# The others, and what turns the text around it (embeddings, overrides, isolates): with these a name passes for another.
DISGUISING = regex.compile(rf"[\p{{Default_Ignorable_Code_Point}}--{NEEDED}]", regex.V1)

# Names by which the site's own pages and notices call somebody, in each of its languages. `skeletons` says what else
# looks like one of them.
RESERVED = (
    "You",
    "Admin",
    "Administrator",
    "Moderator",
    "Owner",
    "Staff",
    "Site staff",
    "The site",
    "The site’s staff",
    "System",
    "Someone",
    "Du",
    "Eigentümer",
    "Jemand",
    "Team der Website",
    "dem Team der Website",
)
# Words that call many people at once behind an `@`, here or in other chats.
MENTION_WORDS = ("all", "channel", "everybody", "everyone", "here", "room")
NO_NAME_OF_SITE = _("The site itself uses that name. Please choose another one.")
NO_CALL = _("A name can’t begin with “@”: it would look like a mention of somebody.")


def clean(text: object, *, what: "StrOrPromise", longest: int, error: type[InvalidName] = InvalidName) -> str:
    """`text` in Unicode's NFC, without blanks around it.

    `what` is the subject of the error's text ("The room name"), `longest` is in characters.

    Raises `error` for what is not a text, empty, blank or too long, or has characters of UNNAMEABLE or DISGUISING.
    """
    if not isinstance(text, str):
        raise error(_("{what} has to be a text."), what=what)
    name = unicodedata.normalize("NFC", text).strip()
    if not name:
        raise error(_("{what} is empty."), what=what)
    if len(name) > longest:
        raise error(
            _("{what} is too long: {length} characters, {longest} are allowed."),
            what=what,
            length=grouped(len(name)),
            longest=longest,
        )
    if name.isascii() and name.isprintable():
        return name  # as most are, and nothing of what follows can be wrong with it
    if has_controls(name):
        raise error(_("{what} has control characters in it."), what=what)
    if DISGUISING.search(name) or unseen.is_blank(name):
        raise error(_("{what} has characters in it that nobody can see."), what=what)
    return name


def has_controls(text: str) -> bool:
    """Whether there are characters of UNNAMEABLE in `text`."""
    return any(unicodedata.category(character) in UNNAMEABLE for character in text)


@cache
def _reserved() -> frozenset[str]:
    return frozenset().union(*(skeletons(name) | skeletons(name.upper()) for name in (*RESERVED, *MENTION_WORDS)))


def is_call(name: str) -> bool:
    """Whether `name` begins with an `@`, of whatever width, as mentions do: “@ann” passes for ann."""
    return unicodedata.normalize("NFKC", name).startswith("@")


def is_reserved(name: str) -> bool:
    """Whether `name` is one of RESERVED or MENTION_WORDS, or looks like one."""
    return not skeletons(name).isdisjoint(_reserved())
