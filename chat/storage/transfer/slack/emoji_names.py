"""Slack's names of emoji, as the characters that reactions have here."""

from functools import cache

import emoji

from chat.domain.emoji import VARIATION, clean_emoji
from chat.errors import InvalidEmoji

SKIN_TONE = "::skin-tone-"
FIRST_TONE = 0x1F3FB  # is skin-tone-2
OTHER_NAMES = {"simple_smile": "slightly_smiling_face"}


@cache
def emoji_called(name: str) -> str | None:
    """The emoji that Slack calls `name`, in its skin tone; None for those that a team has made for itself."""
    plain, _, tone = name.partition(SKIN_TONE)
    plain = OTHER_NAMES.get(plain, plain)
    for alias in (plain, plain.replace("-", "_"), plain.removeprefix("flag-")):
        found = emoji.emojize(f":{alias}:", language="alias")
        if found != f":{alias}:":
            return _with_tone(found, tone)
    return None


def _with_tone(found: str, tone: str) -> str | None:
    if tone in {"2", "3", "4", "5", "6"}:
        first, rest = found.replace(VARIATION, "")[:1], found.replace(VARIATION, "")[1:]
        toned = _clean(first + chr(FIRST_TONE + int(tone) - 2) + rest)
        if toned is not None:
            return toned
    return _clean(found)


def _clean(found: str) -> str | None:
    try:
        return clean_emoji(found)
    except InvalidEmoji:
        return None
