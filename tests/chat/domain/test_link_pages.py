"""The title, text and picture that are read of a page, whatever its author does."""

import time

import pytest

from chat.domain.link_pages import DESCRIPTION_MAX, TITLE_MAX, PageFacts, decoded, is_page, read_page

URL = "https://a.example/folder/page"


def read(html: str | bytes, content_type: str = "text/html; charset=utf-8") -> PageFacts | None:
    body = html if isinstance(html, bytes) else html.encode(errors="surrogatepass")
    return read_page(body, content_type=content_type, url=URL)


def title(html: str | bytes, content_type: str = "text/html; charset=utf-8") -> str | None:
    facts = read(html, content_type)
    return facts and facts.title


def meta(name: str, content: str, key: str = "property") -> str:
    return f'<meta {key}="{name}" content="{content}">'


def test_open_graph_comes_before_twitter_and_these_before_html() -> None:
    html = "<title>HTML</title>" + meta("description", "HTML's", "name")
    assert read(html) == PageFacts("HTML", "HTML's", "", "")
    html += meta("twitter:title", "Twitter", "name") + meta("twitter:description", "Twitter's", "name")
    assert read(html) == PageFacts("Twitter", "Twitter's", "", "")
    html += meta("og:title", "Graph") + meta("og:description", "Graph's") + meta("og:site_name", "A site")
    assert read(html) == PageFacts("Graph", "Graph's", "A site", "")


TITLES = {
    "<title>One &amp; two</title>": "One & two",
    "<title>\n One\t \n two </title>": "One two",
    "<TITLE>Capitals</TITLE>": "Capitals",
    "<title>Not closed": "Not closed",
    "<title></title>" + meta("og:title", "  "): None,
    "": None,
    "<p>Text</p>": None,
    "<title><b>bold</b></title>": "<b>bold</b>",
    "<title>&lt;script&gt;alert(1)&lt;/script&gt;</title>": "<script>alert(1)</script>",
    "<title>a\u202eb\u2066c\u200bd\u200fe\ufefff</title>": "a b c d e f",
    "<title>a\x07b\x1bc&#x202e;d&#0;</title>": "a b c d\ufffd",
    "<title>a\u2028b\u2029c\u0085d</title>": "a b c d",
    "<title>نمی\u200cخواهم</title>": "نمی\u200cخواهم",
    "<title>\U0001f469\u200d\U0001f52c</title>": "\U0001f469\u200d\U0001f52c",
    "<title>e\u0301</title>": "\u00e9",
    "<title>" + "x" * 1000 + "</title>": "x" * (TITLE_MAX - 1) + "…",
    "<svg><title>Picture</title></svg><title>Page</title>": "Page",
    "<meta property='og:title' content='Single quotes'>": "Single quotes",
    "<meta content=Unquoted property=og:title>": "Unquoted",
    "<!-- " + meta("og:title", "Comment") + " --><title>Page</title>": "Page",
    meta("og:title", "First") + meta("og:title", "Second"): "First",
    "<script>var x = '<title>Script</title>'</script><title>Page</title>": "Page",
}


@pytest.mark.parametrize(("html", "expected"), TITLES.items())
def test_titles_are_text_on_one_line(html: str, expected: str | None) -> None:
    assert title(html) == expected


ENCODED = [
    ("é".encode("latin-1"), "text/html; charset=iso-8859-1", "é"),
    ("é".encode(), "text/html", "é"),
    ("é".encode("windows-1252"), "text/html", "é"),
    ("日本".encode("shift_jis"), "text/html; charset=Shift_JIS", "日本"),
    ("日本".encode("euc-jp"), 'text/html; charset="euc-jp"', "日本"),
    ("привет".encode("koi8-r"), "text/html;charset=KOI8-R", "привет"),
    ("中文".encode("gb18030"), "text/html; charset=gb2312", None),
    ("é".encode(), "text/html; charset=no-such", "é"),
    ("é".encode(), "text/html; charset=unicode_escape", "é"),
    ("é".encode(), "text/html; charset=idna", "é"),
    ("é".encode(), "text/html; charset=rot13", "é"),
    (b"\xff\xfe\xfa", "text/html; charset=utf-8", "\ufffd\ufffd\ufffd"),
]


@pytest.mark.parametrize(("text", "content_type", "expected"), ENCODED)
def test_charset_of_the_header_counts_if_it_is_one(text: bytes, content_type: str, expected: str | None) -> None:
    found = title(b"<title>" + text + b"</title>", content_type)
    assert found == expected if expected else found


def test_charset_of_the_page_counts_where_the_header_has_none() -> None:
    for tag in ['<meta charset="koi8-r">', '<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">']:
        assert title(tag.encode() + b"<title>" + "привет".encode("koi8-r") + b"</title>", "text/html") == "привет"


def test_byte_order_mark_counts_more_than_the_header() -> None:
    for codec in ["utf-16", "utf-8-sig"]:
        assert title("<title>é</title>".encode(codec), "text/html; charset=latin-1") == "é"


def test_page_that_was_cut_within_a_character_is_still_utf_8() -> None:
    assert decoded("é日".encode()[:-1], "text/html").startswith("é")


PICTURES = {
    "/a.png": "https://a.example/a.png",
    "b.png": "https://a.example/folder/b.png",
    "//cdn.example/c.png": "https://cdn.example/c.png",
    "http://cdn.example/d.png?e=1&amp;f=2": "http://cdn.example/d.png?e=1&f=2",
    "data:image/png;base64,AAAA": "",
    "javascript:alert(1)": "",
    "file:///etc/passwd": "",
    "http://[": "",
    "  ": "",
    "/" + "x" * 3000: "",
}


@pytest.mark.parametrize(("given", "expected"), PICTURES.items())
def test_addresses_of_pictures_are_of_the_web(given: str, expected: str) -> None:
    facts = read("<title>Page</title>" + meta("og:image", given))
    assert facts is not None
    assert facts.picture_url == expected


def test_descriptions_are_cut() -> None:
    facts = read("<title>Page</title>" + meta("description", "y " * 1000, "name"))
    assert facts is not None
    assert len(facts.description) <= DESCRIPTION_MAX


HOSTILE = {
    "nested elements": "<div>" * 100_000,
    "entities": "<title>" + "&amp;" * 100_000,
    "entities that name entities": "<!DOCTYPE x [<!ENTITY a '&a;&a;'>]><title>&a;</title>",
    "comments that don't end": "<!--" * 100_000,
    "declarations that don't end": "<![" * 100_000,
    "attributes": "<meta " + "a=b " * 100_000 + ">",
    "quotes": "<meta content='" + '"' * 400_000,
    "metas": "<meta property=og:x content=y>" * 16_000,
    "titles": "<title>x</title>" * 30_000,
    "formatting": "<b><i><u>" * 50_000 + "</b>" * 50_000,
    "tables": "<table><tr><td>" * 30_000,
    "noise": "\x00\x01<\x02>&#" * 60_000,
    "a charset that isn't found": "<meta " * 80_000,
}


@pytest.mark.parametrize("html", HOSTILE.values(), ids=HOSTILE)
def test_hostile_pages_take_little_time(html: str) -> None:
    started = time.process_time()
    read(html[:512_000], "text/html")
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [("text/html", True), ("Text/HTML; charset=x", True), ("application/xhtml+xml", True), ("text/plain", False)]
    + [("", False), ("image/svg+xml", False), ("application/json", False), ("text/htmlx", False)],
)
def test_is_page_goes_by_the_type(content_type: str, expected: bool) -> None:
    assert is_page(content_type) is expected
