"""Skeletons of names: what is left of a name where all that looks alike is the same. As Unicode's TR39, section 4.

Two names that have a skeleton in common can be taken for each other. Skeletons are for comparing, not for showing.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from functools import cache

from confusable_homoglyphs.utils import load

from chat.domain import unseen

SKELETON_MAX = 200  # characters; what is longer looks the same as far as anybody reads
MARK = "\u200e"  # keeps right-to-left letters in their place in the library's data


def skeletons(name: str) -> frozenset[str]:
    """The skeletons of `name`: of its letters as they are, and of its small letters.

    "lna" looks like "Ina", and "ina" is the same but for its case; no single skeleton says both, or "lna" would be
    "ina".
    """
    seen = unicodedata.normalize("NFKC", unseen.without(name))
    return frozenset({_look(seen), _look(_folded(seen))})


def _look(text: str) -> str:
    # Again, since a letter that was no other's look-alike may have become one by being folded: "M", and "rn" for "m".
    return _folded(_shape(_folded(_shape(text))))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFD", text.casefold())


def _shape(text: str) -> str:
    prototypes = _prototypes()
    letters = "".join(prototypes.get(letter, letter) for letter in unicodedata.normalize("NFD", text))
    return "".join(unseen.without(letters).split())[:SKELETON_MAX]


@cache
def _prototypes() -> Mapping[str, str]:
    """For each character that looks like another, the one that stands for all of these; or several, as "rn" for "m".

    The library has for each character, or characters, all that Unicode says can be confused with it: the prototype
    with all others, these with the prototype alone.
    """
    alike: dict[str, set[str]] = defaultdict(set)
    for text, others in load("confusables.json").items():
        alike[text.strip(MARK)] |= {other["c"].strip(MARK) for other in others}
    prototypes = {}
    for text, others in alike.items():
        prototype = max({text, *others}, key=lambda one: (len(one) > 1, len(alike[one]), one))
        if len(text) == 1 and prototype != text:
            prototypes[text] = unicodedata.normalize("NFD", prototype)
    # Of two that look alike either may be the other's prototype, and one of several letters may have the other in it.
    return {
        text: "".join(prototypes.get(letter, letter) for letter in prototype) for text, prototype in prototypes.items()
    }
