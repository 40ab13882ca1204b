"""Excerpts of texts that were found, in which what was looked for is marked."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from chat.domain.search import Phrase
from chat.domain.search_terms import Span, spans

EXCERPT_MAX = 300  # characters
BEFORE = 80  # characters before the first mark


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a text as it was written, and whether it is what was looked for."""

    text: str
    is_hit: bool


def excerpt(text: str, phrases: Iterable[Phrase]) -> list[Part]:
    """The text around the first hit, in parts. An ellipsis stands for what is left out."""
    hits = _merged(_hits(spans(text), phrases))
    begin, end = _window(text, hits)
    parts = list(_parts(text, hits, begin, end))
    if begin > 0:
        parts.insert(0, Part("…", is_hit=False))
    if end < len(text):
        parts.append(Part("…", is_hit=False))
    return parts


def has(terms: Sequence[str], phrases: Iterable[Phrase]) -> bool:
    """Whether all `phrases` are in a text with these terms."""
    return all(next(_places(terms, phrase), None) is not None for phrase in phrases)


def _hits(found: Sequence[Span], phrases: Iterable[Phrase]) -> Iterator[tuple[int, int]]:
    """The places of all phrases, each by where it begins and ends."""
    terms = [span.term for span in found]
    for phrase in phrases:
        for first in _places(terms, phrase):
            yield found[first].begin, found[first + len(phrase.terms) - 1].end


def _places(terms: Sequence[str], phrase: Phrase) -> Iterator[int]:
    """The numbers of the terms with which the phrase begins."""
    *others, last = phrase.terms
    for end, term in enumerate(terms):
        if term == last or (phrase.open and term.startswith(last)):
            first = end - len(others)
            if first >= 0 and list(terms[first:end]) == others:
                yield first


def _merged(hits: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(hits):
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return merged


def _window(text: str, hits: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Where the excerpt begins and ends: at blanks, if there are any near."""
    if len(text) <= EXCERPT_MAX:
        return 0, len(text)
    begin = max(0, (hits[0][0] if hits else 0) - BEFORE)
    if begin:
        blank = text.find(" ", begin, hits[0][0])
        begin = blank + 1 if blank >= 0 else begin
    end = min(len(text), begin + EXCERPT_MAX)
    if end < len(text):
        blank = text.rfind(" ", begin + EXCERPT_MAX // 2, end)
        end = blank if blank >= 0 else end
    return begin, end


def _parts(text: str, hits: Iterable[tuple[int, int]], begin: int, end: int) -> Iterator[Part]:
    at = begin
    for first, last in hits:
        if first >= end:
            break
        if first > at:
            yield Part(text[at:first], is_hit=False)
        yield Part(text[max(first, at) : min(last, end)], is_hit=True)
        at = min(last, end)
    if at < end:
        yield Part(text[at:end], is_hit=False)
