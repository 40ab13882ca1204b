"""The emoji that people may react with, and the one way to write each."""

import pytest
import regex

from chat.domain.emoji import EMOJI_MAX, clean_emoji
from chat.errors import InvalidEmoji

KISS = "👩🏽\u200d❤\ufe0f\u200d💋\u200d👨🏿"


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("👍", "👍"),
        ("👍\ufe0f", "👍"),  # some pickers put a variation selector after what needs none
        ("👍🏽", "👍🏽"),
        ("❤", "❤\ufe0f"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("☝🏽", "☝🏽"),
        ("☝\ufe0f🏽", "☝🏽"),
        ("©", "©\ufe0f"),
        ("😶\u200d🌫", "😶\u200d🌫\ufe0f"),
        ("🏳\u200d🌈", "🏳\ufe0f\u200d🌈"),
        ("👁\ufe0f\u200d🗨\ufe0f", "👁\ufe0f\u200d🗨\ufe0f"),
        ("🏃🏾\u200d♀\u200d➡", "🏃🏾\u200d♀\ufe0f\u200d➡\ufe0f"),
        ("👨\u200d👩\u200d👧\u200d👦", "👨\u200d👩\u200d👧\u200d👦"),
        (KISS, KISS),
        ("🇩🇪", "🇩🇪"),
        ("🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",) * 2,
        ("1\u20e3", "1\ufe0f\u20e3"),
        ("1\ufe0f\u20e3", "1\ufe0f\u20e3"),
        ("🫩", "🫩"),
    ],
)
def test_emoji_is_written_in_full(given: str, clean: str) -> None:
    assert clean_emoji(given) == clean
    assert clean_emoji(clean) == clean
    assert regex.fullmatch(r"\X", clean)


@pytest.mark.parametrize(
    "given",
    [
        "",
        " ",
        "a",
        "é",
        "漢",
        "1",
        "#",
        "1\ufe0f",
        "❤\ufe0e",  # as a text
        "👍👍",
        "👍 ",
        " 👍",
        "👍a",
        "👍\u0301",
        "👍\0",
        "🇩",
        "🇩🇪🇫🇷",
        "🍕🏽",  # a pizza has no skin
        "\ufe0f",
        "\u200d",
        "\u20e3",
        "👨\u200d",
        "\u200d👨",
        "👨\u200da",
        "👨\u200d👩\u200d👧\u200d👦\u200d👦",
        "🏴\U000e0067\U000e0062",
        ":+1:",
        "\ud83d\udc4d",  # two halves of a character
        "\ud83d",
        "★",
        "👍" + "\ufe0f" * EMOJI_MAX,
        "👍" * 100_000,
        None,
        True,
        1,
        ["👍"],
        {"emoji": "👍"},
    ],
)
def test_what_is_not_exactly_one_emoji_is_refused(given: object) -> None:
    with pytest.raises(InvalidEmoji):
        clean_emoji(given)
