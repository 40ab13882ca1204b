"""Texts and JSON, from the likely to the absurd."""

import json
from typing import Any

from hypothesis import strategies as st

ODD = [
    "",
    " ",
    "\0",
    "\ud83d",
    "\udc00\ud800",
    "\u202e",
    "\u200b",
    "\r\nSet-Cookie: a=b",
    "%00",
    "../..",
    "é",
    "e\u0301",
    "𝕏" * 99,
]
texts = st.sampled_from(ODD) | st.text(max_size=40) | st.text(st.characters(), max_size=8) | st.just("x" * 5000)
numbers = st.integers() | st.floats() | st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**400, 1e308, -0.0])
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
# JSON that decoders may stumble over and that no encoder would write.
unspeakable = st.sampled_from(
    [
        "",
        "nonsense",
        "[]",
        "null",
        "{",
        '{"type":',
        "[" * 10_000,
        '{"a":' * 10_000,
        "9" * 5000,
        "1e999",
        '"\\ud800"',
        "\ufeff{}",
    ]
    + [
        '{"message": "a", "message": "b"}',
        '{"type": "ping", "type": "pong"}',
        "NaN",
        "{'message': 'a'}",
        "\0",
        "//",
        "true",
    ]
)


@st.composite
def mutated(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A text with up to three pieces of it cut out, doubled, or replaced."""
    text = draw(texts)
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        piece = draw(
            st.sampled_from(["", text[start:end] * 2, "{", "}", '"', "\\", "\0", "null", "$", "@", "...", "-1"])
        )
        text = text[:start] + piece + text[end:]
    return text


def json_of(objects: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    """JSON of `objects`: as it is, mutated, or something that never was JSON."""
    good = objects.map(json.dumps)
    return good | good | mutated(good) | unspeakable


def like(shape: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of the keys of `shape`; each value is as it should be or anything at all."""
    return st.fixed_dictionaries({}, optional={key: right | right | values for key, right in shape.items()})
