"""Queries of the search: the language of `/search/` and of GraphQL's `search`.

    caf* "quiet otter" from:ann from:"Quiet Otter 42" in:room1 after:2026-01-31 before:2026-02-28 has:file

A message is found that has all words and phrases, was written by one of the people, stands in one of the rooms, on or
after the one day and before the other one. A word that ends in `*` is the beginning of one. An operator that isn't
known is a word as any other, and so are quotes that aren't closed, `AND`, `-` and whatever else a database might read.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date

import regex
from django.utils.translation import gettext_lazy as _

from chat.domain import search_terms
from chat.errors import ChatError

TEXT_MAX = 500  # characters
PHRASES_MAX = 32  # words and phrases
NAMES_MAX = 10  # people, and rooms
PREFIX_MIN = 2  # letters before `*`; the beginnings of too many words have fewer
YEARS = range(1970, 9999)  # in which days can be told in every time zone
FILE = "file"

QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))  # that keyboards of phones and languages make
PART = regex.compile(
    r"""
    (?P<operator> from | in | before | after | has ) : (?: "(?P<quoted>[^"]*)(?:"|\Z) | (?P<plain>[^\s"]+) )
    | "(?P<phrase>[^"]*)(?:"(?P<open>\*)?|\Z)
    | (?P<word>[^\s"]+)
    """,
    regex.VERBOSE | regex.IGNORECASE,
)


class InvalidSearch(ChatError):
    """A search that is too long, names too much, or has a day that is none."""

    code = "invalid_search"


@dataclass(frozen=True, slots=True)
class Phrase:
    """Terms that stand one after the other; of the last one only the beginning, if it is `open`."""

    terms: tuple[str, ...]
    open: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A search that was read. Empty parts ask for nothing."""

    text: str
    """As it was written."""
    phrases: tuple[Phrase, ...] = ()
    people: tuple[tuple[str, ...], ...] = ()
    rooms: tuple[tuple[str, ...], ...] = ()
    """One of each of these groups."""
    before: date | None = None
    after: date | None = None
    """The first day."""
    has_file: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for: no word, person, room or file. Days alone are too little."""
        return not (self.phrases or self.people or self.rooms or self.has_file)

    def narrowed(self, room_name: str | None, username: str | None) -> "Query":
        """The same search in that room alone, and among what that person wrote."""
        rooms = () if room_name is None else ((room_name,),)
        people = () if username is None else ((username,),)
        return replace(self, rooms=self.rooms + rooms, people=self.people + people)


def read(text: object) -> Query:
    """Raises InvalidSearch for a text that is too long or names too much, and for days that are none."""
    if not isinstance(text, str):
        raise InvalidSearch(_("A search has to be a text."))
    if len(text) > TEXT_MAX:
        raise InvalidSearch(_("The search is too long: {longest} characters are allowed."), longest=TEXT_MAX)
    phrases: dict[Phrase, None] = {}
    named: dict[str, list[str]] = defaultdict(list)
    for part in PART.finditer(text.translate(QUOTES)):
        operator = (part["operator"] or "").casefold()
        value = (part["plain"] or part["quoted"] or "").strip()
        if operator and value and not (operator == "has" and value.casefold() != FILE):
            named[operator].append(value)
        elif phrase := _phrase(part):
            phrases[phrase] = None
    if len(phrases) > PHRASES_MAX:
        raise InvalidSearch(_("The search has too many words: {most} are allowed."), most=PHRASES_MAX)
    return Query(
        text=text.strip(),
        phrases=tuple(phrases),
        people=_few(named["from"]),
        rooms=_few(named["in"]),
        before=min(_days("before", named["before"]), default=None),
        after=max(_days("after", named["after"]), default=None),
        has_file=bool(named["has"]),
    )


def _phrase(part: "regex.Match[str]") -> Phrase | None:
    """None where there are no letters, and nothing else that is found."""
    written = part["word"] or part["phrase"] or part.group()
    terms = tuple(search_terms.terms(written))
    is_open = part["open"] is not None or (part["word"] or part["plain"] or "").endswith("*")
    return Phrase(terms, is_open and len(terms[-1]) >= PREFIX_MIN) if terms else None


def _few(names: list[str]) -> tuple[tuple[str, ...], ...]:
    """One group of those names, if there are any."""
    distinct = tuple(dict.fromkeys(names))
    if len(distinct) > NAMES_MAX:
        raise InvalidSearch(_("The search names too many people or rooms: {most} are allowed."), most=NAMES_MAX)
    return (distinct,) if distinct else ()


def _days(operator: str, values: list[str]) -> list[date]:
    try:
        days = [date.fromisoformat(value) for value in values]
    except ValueError:
        days = []
    if len(days) < len(values) or not all(day.year in YEARS for day in days):
        raise InvalidSearch(_("“{operator}:” takes a day, as in {operator}:2026-01-31."), operator=operator)
    return days
