"""Characters that nobody sees: those that Unicode has ignored in display, and letters and symbols that are blank."""

import regex

# Default_Ignorable_Code_Point has the joiners, the variation selectors, the tags, the fillers of Hangul and so on, the
# unassigned among them too. Other format characters (Cf) can't be seen either, but for signs like ARABIC NUMBER SIGN.
# The blank ones that neither has: the empty pattern of Braille, a hieroglyph's blanks, a filler, a note without a head,
# and the place of an object that is not in the text (U+FFFC), for which browsers draw nothing.
UNSEEN = (
    r"[[[\p{Default_Ignorable_Code_Point}\p{Cf}]--\p{Prepended_Concatenation_Mark}]"
    r"\u2800\uFFFC\U00013441\U00013442\U00016FE4\U0001D159]"
)
_UNSEEN = regex.compile(UNSEEN, regex.V1)
_BLANK = regex.compile(rf"[\s\x1c-\x1f{UNSEEN}]*", regex.V1)  # those four are spaces to Python, and separate records


def without(text: str) -> str:
    """`text` without what can't be seen; spaces stay."""
    return str(_UNSEEN.sub("", text))


def is_blank(text: str) -> bool:
    """Whether there is nothing to be seen in `text`, spaces and line ends included."""
    return _BLANK.fullmatch(text) is not None
