"""Mentions in the HTML of a message: a link to their profile, or set apart from the rest."""

import pytest

from chat.domain.formatting import to_html
from chat.domain.mentions import EVERYBODY
from chat.domain.people import Person
from tests.chat.domain.test_formatting import Page, calls

ANN = Person(id="user-7", name="Ann Hunt", username="ann")
OLD = Person(id="user-8", name="ben")  # of an entry from before there were display names
OTTER = Person(id="guest-00000000000000aa", name="Quiet Otter 42")
ANN_LINK = '<a class="mention" data-person="user-7" href="/people/id/user-7/" target="_blank" rel="{rel}">{text}</a>'


def linked(text: str) -> str:
    return ANN_LINK.format(rel="noopener noreferrer nofollow", text=text)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("@ann", linked("@ann")),
        ('hi @"Ann Hunt"!', "hi " + linked('@"Ann Hunt"') + "!"),
        ("@ANN.", f"{linked('@ANN')}."),
        ("@ann, @ann", f"{linked('@ann')}, {linked('@ann')}"),
        ("**@ann**", f"<strong>{linked('@ann')}</strong>"),
        ("> @ann", f"<blockquote><p>{linked('@ann')}</p></blockquote>"),
        ('@"quiet otter 42"', '<span class="mention" data-person="guest-00000000000000aa">@"quiet otter 42"</span>'),
        ("@room", '<span class="mention" data-person="room">@room</span>'),
        ("@ben", linked("@ben").replace("user-7", "user-8")),
        ("a\n@ann", f"a<br>{linked('@ann')}"),
        ("<b> & @ann", f"&lt;b&gt; &amp; {linked('@ann')}"),
    ],
)
def test_to_html_leads_to_those_who_are_called(text: str, html: str) -> None:
    found = to_html(text, (ANN, OLD, OTTER, EVERYBODY))
    assert found is not None
    assert found.removeprefix("<p>").removesuffix("</p>") == html


@pytest.mark.parametrize(
    "text",
    ["@nobody", "ann", "x@ann", "a/@ann", "`@ann`", "```\n@ann\n```", "https://a.example/@ann", "@annette", '@"ann'],
)
def test_to_html_leads_nowhere_from_what_calls_nobody(text: str) -> None:
    assert "mention" not in (to_html(text, (ANN, OTTER)) or "")


def test_to_html_of_names_that_are_called_needs_no_trust() -> None:
    evil = Person(id='user-7" onclick="x', name="ann")
    html = to_html("@ann", (evil,))
    assert html is not None
    assert Page(html).tags == [("p", {}), ("span", {"class": "mention", "data-person": 'user-7" onclick="x'})]


@pytest.mark.parametrize("text", ["@ann " * 800, "@" * 4000, '@"' * 2000, "@a" * 2000, "@ab @cd " * 500, "@ann*" * 800])
def test_to_html_of_many_mentions_takes_no_longer_than_it_may(text: str) -> None:
    called = tuple(Person(id=f"user-{n}", name=f"Name {n}" * 4, username=f"ann{n}") for n in range(20))
    to_html("@ann", called)  # reads the data of look-alikes
    assert calls(lambda given: to_html(given, called), text) < 80_000  # as in test_hostile_text_takes_little_work
