import pytest

from chat.domain import names
from chat.errors import InvalidName

FLAG = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"  # of England, by tags that nobody sees


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("room1", "room1"),
        ("  room 1\t", "room 1"),
        ("cafe\N{COMBINING ACUTE ACCENT}", "caf\N{LATIN SMALL LETTER E WITH ACUTE}"),
        ("房间 1", "房间 1"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("می‌خواهم", "می‌خواهم"),
        ("שלום\u200f!", "שלום\u200f!"),
        (FLAG, FLAG),
        ("x" * 100, "x" * 100),
        (" " + "é" * 100 + " ", "é" * 100),
    ],
)
def test_a_name_is_trimmed_and_composed(typed: str, name: str) -> None:
    assert names.clean(typed, what="name", longest=100) == name


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("", "is empty"),
        (" \t\n", "is empty"),
        ("x" * 101, "is too long: 101 characters, 100 are allowed"),
        ("a\nb", "control characters"),
        ("a\0b", "control characters"),
        ("a\u2028b", "control characters"),
        ("a\ud800b", "control characters"),
        ("\u202egnp.exe", "nobody can see"),
        ("ad\u200bmin", "nobody can see"),
        ("\ufeffadmin", "nobody can see"),
        ("a\u2066b", "nobody can see"),
        ("\u200d", "nobody can see"),
        ("\u3164 \u2800", "nobody can see"),
        (None, "has to be a text"),
        (7, "has to be a text"),
        (["a"], "has to be a text"),
    ],
)
def test_what_is_no_name_is_told_why(typed: object, complaint: str) -> None:
    with pytest.raises(InvalidName, match=complaint):
        names.clean(typed, what="name", longest=100)
