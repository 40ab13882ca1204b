"""The terms by which texts are found: words without regard to case and diacritics, the same for texts and queries.

Both databases index exactly these terms and cut nothing themselves, so a query has the same answers on both. Scripts
that put no blanks between words are cut into single characters, which are found beside each other as a phrase.
"""

import unicodedata
from dataclasses import dataclass

import regex

TERM_MAX = 64  # characters; the rest of a longer word doesn't count
TERMS_MAX = 16_000  # of one text; PostgreSQL counts places in a text no further
TEXT_MAX = 100_000  # characters of one text that are indexed

WORD_OF_ASCII = regex.compile(r"[a-z0-9]+")
# Marks that Unicode puts through, below or above a letter, and points of Hebrew and Arabic. Voicing marks of kana, and
# vowels and viramas of Indian scripts (classes 0 and 7 to 9) or of Thai (103 to 132), make other words. Characters that
# nobody sees count as little.
CLASSES = (1, *range(10, 37), 202, 214, 216, 218, 220, 222, 224, 226, 228, 230, 232, 233, 234, 240)
MARKS = "".join(rf"\p{{ccc={number}}}" for number in CLASSES)
PASSED_OVER = regex.compile(rf"[\p{{Default_Ignorable_Code_Point}}{MARKS}]")
SPACELESS = (
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
    r"\p{Extended_Pictographic}\p{Regional_Indicator}&&[\p{L}\p{N}\p{M}\p{So}]]"
)
WORD = regex.compile(rf"{SPACELESS}|[\p{{L}}\p{{N}}\p{{M}}--{SPACELESS}]+", regex.V1)
# Letters with a stroke and the like, which Unicode doesn't take for a letter with a mark.
PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"}
)
GRAPHEME = regex.compile(r"\X")


@dataclass(frozen=True, slots=True)
class Span:
    """A term, and where it begins and ends in the text as it was written."""

    term: str
    begin: int
    end: int


def folded(text: str) -> str:
    """`text` without a difference between cases, without diacritics, and in Unicode's NFC."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = PASSED_OVER.sub("", plain).translate(PLAIN_LETTERS)
    return unicodedata.normalize("NFC", kept)


def terms(text: str) -> list[str]:
    """The terms of `text`, in their order."""
    plain = folded(text[:TEXT_MAX])
    pattern = WORD_OF_ASCII if plain.isascii() else WORD
    return [term[:TERM_MAX] for term in pattern.findall(plain)[:TERMS_MAX]]


def spans(text: str) -> list[Span]:
    """The same terms with their places, for marking them."""
    text = text[:TEXT_MAX]
    if text.isascii():
        return [Span(one.group()[:TERM_MAX], one.start(), one.end()) for one in WORD_OF_ASCII.finditer(text.lower())]
    plain: list[str] = []
    begins: list[int] = []
    ends: list[int] = []
    for grapheme in GRAPHEME.finditer(text):
        for character in folded(grapheme.group()):
            plain.append(character)
            begins.append(grapheme.start())
            ends.append(grapheme.end())
    found = WORD.finditer("".join(plain))
    return [Span(one.group()[:TERM_MAX], begins[one.start()], ends[one.end() - 1]) for one in found]


def joined(name: str) -> str:
    """A name as one term, by which those of its people are found: “Quiet Otter 42” is `quietotter42`."""
    return "".join(terms(name))[:TERM_MAX]
