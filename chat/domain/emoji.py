"""Emoji, as people react with them: one each, and always written in the same way."""

import regex
from django.utils.translation import gettext_lazy as _

from chat.errors import InvalidEmoji

EMOJI_MAX = 32  # code points; the longest that Unicode recommends has ten
VARIATION = "\ufe0f"  # asks for a picture where a character may be a text as well

# A picture, in a skin tone if it has one; up to four of them joined, as in families; two letters that make a flag; a
# key; a flag of a part of a country, spelled by tags. Digits and signs alone are emoji to Unicode, and texts to people.
PICTURE = r"(?:\p{Emoji_Modifier_Base}\p{Emoji_Modifier}|(?=\p{Emoji})\p{Extended_Pictographic})"
EMOJI = regex.compile(
    rf"{PICTURE}(?:\u200d{PICTURE}){{0,3}}"
    r"|\p{Emoji_Modifier}"
    r"|\p{Regional_Indicator}{2}"
    r"|[0-9#*]\u20e3"
    r"|\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"
)
# Signs that are text unless a variation selector or a skin tone follows them.
TEXT = regex.compile(r"(?=\p{Emoji})\P{Emoji_Presentation}(?!\p{Emoji_Modifier})")


def clean_emoji(given: object) -> str:
    """The emoji `given`, as Unicode writes it in full. Raises InvalidEmoji for all that isn't exactly one.

    Keyboards leave variation selectors out, or put in more than are needed: `❤` and `❤` with one are the same emoji.
    """
    if isinstance(given, str) and len(given) <= EMOJI_MAX:
        bare = given.replace(VARIATION, "")
        if EMOJI.fullmatch(bare):
            return str(TEXT.sub(rf"\g<0>{VARIATION}", bare))
    raise InvalidEmoji(_("A reaction has to be one emoji."))
