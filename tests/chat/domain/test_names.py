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
        ("❤️", "❤️"),
        ("ᠮᠣᠩ\u180b", "ᠮᠣᠩ\u180b"),
        ("x" * 100, "x" * 100),
        (" " + "é" * 100 + " ", "é" * 100),
    ],
)
def test_clean_trims_and_composes_a_name(typed: str, name: str) -> None:
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
        *[
            (character * 2, "nobody can see")
            for character in "\ufe0f\u034f\u180b\u17b4\U000e0100\u2800\ufffc\u115f\U000e0020"
        ],
        *[(f"a{character}b", "nobody can see") for character in "\u034f\u17b4\u115f\u206a\ufff0\U0001d173\U000e0fff"],
        (None, "has to be a text"),
        (7, "has to be a text"),
        (["a"], "has to be a text"),
    ],
)
def test_clean_rejects_invalid_names_with_the_reason(typed: object, complaint: str) -> None:
    with pytest.raises(InvalidName, match=complaint):
        names.clean(typed, what="name", longest=100)


@pytest.mark.parametrize(
    "name", ["You", "you", "YOU\ufe0f", "Υou", "Admin", "аdmin", "adm1n", "Moderator", "mod erator", "The site's staff"]
)
def test_is_reserved_for_names_of_the_site_in_any_spelling(name: str) -> None:
    assert names.is_reserved(name)


@pytest.mark.parametrize("name", ["Yours", "Ann", "Quiet Otter 42", "Administrators", "你"])
def test_is_reserved_is_false_for_other_names(name: str) -> None:
    assert not names.is_reserved(name)


@pytest.mark.parametrize(("name", "expected"), [("@ann", True), ("＠ann", True), ("ann@home", False), ("a", False)])
def test_is_call_for_names_that_look_like_mentions(name: str, expected: bool) -> None:
    assert names.is_call(name) == expected
