"""The language of searches, the terms of texts, and what is marked in them."""

from datetime import date

import pytest

from chat.domain.search import NAMES_MAX, PHRASES_MAX, TEXT_MAX, InvalidSearch, Phrase, Query, read
from chat.domain.search_excerpts import EXCERPT_MAX, excerpt
from chat.domain.search_terms import TERM_MAX, TERMS_MAX, spans, terms

FOX, DOG = Phrase(("fox",)), Phrase(("dog",))

TEXTS = {
    "Café CAFE\u0301 naïve": ["cafe", "cafe", "naive"],
    "foo_bar-baz a.b": ["foo", "bar", "baz", "a", "b"],
    "Straße ŁÓDŹ Ørsted Æsir": ["strasse", "lodz", "orsted", "aesir"],
    "İstanbul ısı": ["istanbul", "isi"],
    "ΟΔΟΣ οδός": ["οδοσ", "οδοσ"],
    "北京 tokyo 東京タ": ["北", "京", "tokyo", "東", "京", "タ"],
    "が ｶﾞ か": ["が", "ガ", "か"],
    "검색abc": ["검", "색", "abc"],
    "हिन्दी": ["हिन्दी"],
    "שָׁלוֹם": ["שלום"],
    "👍🏽 🇩🇪": ["👍", "🇩", "🇪"],
    "ﬁ ½ x²": ["fi", "1", "2", "x2"],
    "caf\u00ade \u200bx": ["cafe", "x"],
    "a\0b\ud800c\ue000d": ["a", "b", "c", "d"],
    "#r1 #f": ["r1", "f"],
    "!?*&| \n\t": [],
    "": [],
}


@pytest.mark.parametrize("text", TEXTS)
def test_terms_of_texts(text: str) -> None:
    assert terms(text) == TEXTS[text]


@pytest.mark.parametrize("text", TEXTS)
def test_spans_are_the_terms_with_their_places(text: str) -> None:
    assert [span.term for span in spans(text)] == TEXTS[text]
    assert all(span.term in terms(text[span.begin : span.end]) for span in spans(text))


def test_terms_are_neither_longer_nor_more_than_databases_take() -> None:
    assert terms("x" * 1000) == ["x" * TERM_MAX]
    assert len(terms("x " * 40_000)) == TERMS_MAX


READ = {
    "fox dog": Query("", (FOX, DOG)),
    "fox FOX": Query("", (FOX,)),
    '"fox dog"': Query("", (Phrase(("fox", "dog")),)),
    '"fox dog': Query("", (Phrase(("fox", "dog")),)),
    "“fox dog”": Query("", (Phrase(("fox", "dog")),)),
    '"fox do"*': Query("", (Phrase(("fox", "do"), open=True),)),
    "fo*": Query("", (Phrase(("fo",), open=True),)),
    "f*": Query("", (Phrase(("f",)),)),
    "a.b*": Query("", (Phrase(("a", "b")),)),
    "*fox": Query("", (FOX,)),
    "from:ann fox": Query("", (FOX,), people=(("ann",),)),
    'FROM:"Quiet Otter" from:bo': Query("", people=(("Quiet Otter", "bo"),)),
    'from:"Quiet Otter': Query("", people=(("Quiet Otter",),)),
    "from: fox": Query("", (Phrase(("from",)), FOX)),
    'from:"" fox': Query("", (Phrase(("from",)), FOX)),
    "in:room1 in:room1": Query("", rooms=(("room1",),)),
    "in:a/b": Query("", rooms=(("a/b",),)),
    "has:file": Query("", has_file=True),
    "HAS:File": Query("", has_file=True),
    "has:link": Query("", (Phrase(("has", "link")),)),
    "x:y": Query("", (Phrase(("x", "y")),)),
    "https://a.b": Query("", (Phrase(("https", "a", "b")),)),
    "before:2026-02-28 after:2026-01-31": Query("", before=date(2026, 2, 28), after=date(2026, 1, 31)),
    "before:2026-02-28 before:2026-02-27": Query("", before=date(2026, 2, 27)),
    "-fox": Query("", (FOX,)),
    "fox AND dog": Query("", (FOX, Phrase(("and",)), DOG)),
    '* " - & | ! :* \0': Query(""),
    " \t\n": Query(""),
}


@pytest.mark.parametrize("text", READ)
def test_searches_are_read(text: str) -> None:
    found = read(text)
    assert (found.phrases, found.people, found.rooms) == (READ[text].phrases, READ[text].people, READ[text].rooms)
    assert (found.before, found.after, found.has_file) == (READ[text].before, READ[text].after, READ[text].has_file)


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "x" * (TEXT_MAX + 1),
        "x" * 10_000,
        " ".join(f"x{number}" for number in range(PHRASES_MAX + 1)),
        " ".join(f"from:{number}" for number in range(NAMES_MAX + 1)),
        " ".join(f"in:{number}" for number in range(NAMES_MAX + 1)),
        "before:soon",
        "after:2026-02-30",
        "before:2026",
        "after:1969-12-31",
        "before:9999-12-31",
        "after:0001-01-01",
        'before:"2026-01-31 12:00"',
    ],
)
def test_searches_that_can_not_be_met_are_refused(text: object) -> None:
    with pytest.raises(InvalidSearch):
        read(text)


def marked(text: str, query: str) -> str:
    return "".join(f"[{part.text}]" if part.is_hit else part.text for part in excerpt(text, read(query).phrases))


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("The Café is open", "cafe", "The [Café] is open"),
        ("The Cafe\u0301 is open", "café", "The [Cafe\u0301] is open"),
        ("A STRASSE, a Straße", "straße", "A [STRASSE], a [Straße]"),
        ("fox fox-dog", '"fox dog"', "fox [fox-dog]"),
        ("fox, the dog", "dog fox", "[fox], the [dog]"),
        ("foxes and fox", "fox", "foxes and [fox]"),
        ("foxes and fox", "fox*", "[foxes] and [fox]"),
        ("在北京开会", "北京", "在[北京]开会"),
        ("echo echo echo", '"echo echo"', "[echo echo echo]"),
        ("ﬁne", "fine", "[ﬁne]"),
        ("<b>fox</b>", "fox", "<b>[fox]</b>"),
        ("nothing", "fox", "nothing"),
        ("", "fox", ""),
        ("two\nlines fox", "fox", "two\nlines [fox]"),
    ],
)
def test_excerpt_marks_what_was_looked_for_as_it_was_written(text: str, query: str, expected: str) -> None:
    assert marked(text, query) == expected


@pytest.mark.parametrize("word", ["word", "長い"])
def test_excerpt_of_a_long_text_is_around_the_first_hit(word: str) -> None:
    text = f"{word} " * 500 + "fox " + f"{word} " * 500
    found = marked(text, "fox")
    assert "[fox]" in found
    assert found.startswith("…")
    assert found.endswith("…")
    assert len(found) <= EXCERPT_MAX + 4


def test_excerpt_ends_within_a_hit_that_is_longer() -> None:
    assert len(marked("x" * 4000, "x" * 400)) <= EXCERPT_MAX + 4
