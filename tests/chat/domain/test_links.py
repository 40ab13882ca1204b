"""Links in texts, and what is kept of the pages that they lead to."""

import pytest

from chat.domain.links import LINKS_MAX, Link, LinkPicture, key_of, links_in, may_have_links, shown

FOUND = {
    "see https://a.example/x?y=1 there": ["https://a.example/x?y=1"],
    "https://a.example/x#part": ["https://a.example/x"],
    "https://a.example/#a https://a.example/#b": ["https://a.example/"],
    "www.a.example": ["http://www.a.example"],
    "<https://a.example>": ["https://a.example"],
    "> quoted https://a.example/": ["https://a.example/"],
    "* https://a.example/\n* https://b.example/": ["https://a.example/", "https://b.example/"],
    "`https://a.example/`": [],
    "```\nhttps://a.example/\n```": [],
    "ftp://a.example/ javascript:alert(1) a.example //a.example": [],
    "no link at all": [],
    "https://a.example/" + "x" * 2000: [],
}


@pytest.mark.parametrize(("text", "links"), FOUND.items())
def test_links_in_finds_what_the_formatted_text_links_to(text: str, links: list[str]) -> None:
    assert links_in(text) == links
    assert may_have_links(text) or not links


def test_links_in_finds_the_first_ones_only() -> None:
    links = [f"https://a.example/{number}" for number in range(10)]
    assert links_in(" ".join(links)) == links[:LINKS_MAX]


def test_may_have_links_passes_over_very_long_texts() -> None:
    assert not may_have_links("https://a.example/ " * 1000)


@pytest.mark.parametrize(
    "link",
    [
        Link("https://a.example/", "Title"),
        Link("https://a.example/", "Title", "About", "Site", LinkPicture("0f" * 16, 480, 320)),
    ],
)
def test_links_come_back_from_json(link: Link) -> None:
    assert Link.all_from_json([link.as_json()]) == (link,)


@pytest.mark.parametrize("value", [None, "x", {}, [None], [{"url": 1, "title": "x"}], [{"url": "https://a.example/"}]])
def test_links_from_json_leave_out_what_they_do_not_know(value: object) -> None:
    assert Link.all_from_json(value) == ()


def test_shown_link_leaves_out_what_there_is_not() -> None:
    assert shown(Link("https://a.example/", "Title")) == {"url": "https://a.example/", "title": "Title"}


def test_keys_differ_by_every_letter_of_a_url() -> None:
    assert len({key_of(url) for url in ["https://a/x", "https://a/X", "http://a/x", "https://a/x/"]}) == 4
