"""The names that a text calls."""

import pytest

from chat.domain.mentions import MENTIONS_MAX, names_in


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("nobody", []),
        ("@", []),
        ("@ann", ["ann"]),
        ("@ann hello", ["ann"]),
        ("hello (@ann)", ["ann"]),
        ("@ann, @ben: hi", ["ann", "ben"]),
        ("@ann and @ann", ["ann"]),
        ("@ann.", ["ann.", "ann"]),
        ("@ann.lee", ["ann.lee"]),
        ("@ann@ben", ["ann@ben"]),
        ("@...", ["..."]),
        ('@"Quiet Otter 42" hi', ["Quiet Otter 42"]),
        ('@" Ann "', ["Ann"]),
        ('@""', []),
        ('@"half', []),
        ('@"two\nlines"', []),
        ("@Zoë @李雷 @Ольга", ["Zoë", "李雷", "Ольга"]),
        ("ann@example.org", []),
        ("see https://example.org/@ann", []),
        ("`@ann` @ben", ["ben"]),
        ("```\n@ann\n``` @ben", ["ben"]),
        ("```\n@ann", []),
        ("@room", ["room"]),
        ("*@ann*", ["ann"]),
        ("@ann!", ["ann"]),
        ("@" + "x" * 200, ["x" * 150]),
    ],
)
def test_names_in_a_text_are_those_called_by_an_at_sign(text: str, names: list[str]) -> None:
    assert names_in(text) == names


def test_names_in_a_text_are_few() -> None:
    assert len(names_in(" ".join(f"@n{number}." for number in range(1000)))) <= 2 * MENTIONS_MAX
