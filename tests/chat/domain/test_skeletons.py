import pytest

from chat.domain.skeletons import skeletons

LOOK_ALIKE = [
    *[(f"annhunt{unseen}", "annhunt") for unseen in "\ufe0f\u034f\u180b\u17b4\U000e0100\u2800\ufffc\u200d\u3164\uffa0"],
    ("ann\u200dhunt", "annhunt"),
    ("ann\u200ahunt", "annhunt"),  # a hair space
    ("ANNHUNT", "annhunt"),
    ("ａｎｎｈｕｎｔ", "annhunt"),
    ("𝓪𝓷𝓷𝓱𝓾𝓷𝓽", "annhunt"),
    ("аnnhunt", "annhunt"),  # Cyrillic
    ("αnnhunt", "annhunt"),  # Greek
    ("АNNHUNT", "annhunt"),  # Cyrillic, and a capital
    ("ZOÉ", "Zoé"),
    ("Zoe\u0301", "Zoé"),
    ("lna", "Ina"),
    ("1na", "Ina"),
    ("INA", "ina"),
    ("ına", "ina"),
    ("b0b", "bob"),
    ("rnaria", "maria"),
    ("STRASSE", "Straße"),
    ("Вob", "Bob"),  # Cyrillic
    ("ΒOB", "bob"),  # Greek
]


@pytest.mark.parametrize(("name", "other"), LOOK_ALIKE)
def test_skeletons_of_names_that_look_alike_overlap(name: str, other: str) -> None:
    assert skeletons(name) & skeletons(other)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("ann", "anna"),
        ("zoe", "zoé"),
        ("lna", "ina"),
        ("anna", "avva"),
        ("北京", "北海"),
        ("ann1", "ann2"),
        ("👩", "👨"),
    ],
)
def test_skeletons_of_names_that_look_different_do_not_overlap(name: str, other: str) -> None:
    assert not skeletons(name) & skeletons(other)


@pytest.mark.parametrize("name", ["Quiet Otter 42", "می‌خواهم", "ᘃᒉ", "가나", "ﷺ" * 40, "x" * 150])
def test_skeletons_are_their_own_skeletons_and_bounded_in_length(name: str) -> None:
    for skeleton in skeletons(name):
        assert skeleton in skeletons(skeleton)
        assert 0 < len(skeleton) <= 200
