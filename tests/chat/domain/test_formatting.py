"""The HTML of a message's text, and that no text harms anybody or takes long."""

import sys
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.domain import markdown
from chat.domain.formatting import TAGS, _is_plain, to_html

MESSAGE_MAX = 4_000  # characters, as CHAT_MESSAGE_MAX has it by default
LETTERS = "aé字"


def link(url: str, text: str = "") -> str:
    return f'<a href="{url}" target="_blank" rel="noopener noreferrer nofollow">{text or url}</a>'


IN_LINES = {
    "**bold** and __bold__": "<p><strong>bold</strong> and <strong>bold</strong></p>",
    "*italic* and _italic_": "<p><em>italic</em> and <em>italic</em></p>",
    "***both***": "<p><em><strong>both</strong></em></p>",
    "~~gone~~": "<p><s>gone</s></p>",
    "half a **wo**rd": "<p>half a <strong>wo</strong>rd</p>",
    "**a *b* c**": "<p><strong>a <em>b</em> c</strong></p>",
    "**a __b__ c**": "<p><strong>a b c</strong></p>",
    "*" * 300 + "a" + "*" * 200: "<p>" + "*" * 100 + "<strong>a</strong></p>",
    "**over\ntwo lines**": "<p><strong>over<br>two lines</strong></p>",
    "`x < y && **z**`": "<p><code>x &lt; y &amp;&amp; **z**</code></p>",
    "``a ` b``": "<p><code>a ` b</code></p>",
    "` padded `": "<p><code>padded</code></p>",
    "`two\n  lines`": "<p><code>two\n  lines</code></p>",
    r"\*not\* and \_not\_": "<p>*not* and _not_</p>",
    "*a*\n\n*b*": "<p><em>a</em></p><p><em>b</em></p>",
    "*a*\n    indented\n  less": "<p><em>a</em><br>    indented<br>  less</p>",
    "  indented\n*a*": "<p>  indented<br><em>a</em></p>",
    "*a*\n\n\n\nb": "<p><em>a</em></p><br><br><p>b</p>",
    "\n\n*a*": "<br><br><p><em>a</em></p>",
    "make \\\n  *all*": "<p>make \\<br>  <em>all</em></p>",
}
BLOCKS = {
    "> said\nanswer": "<blockquote><p>said</p></blockquote><p>answer</p>",
    "> a\n> b\n>\n> c": "<blockquote><p>a<br>b</p><p>c</p></blockquote>",
    ">> deeper\n> less": "<blockquote><blockquote><p>deeper</p></blockquote><p>less</p></blockquote>",
    "- a\n- b\nafter": "<ul><li>a</li><li>b</li></ul><p>after</p>",
    "milk:\n* a\n+ b": "<p>milk:</p><ul><li>a</li></ul><ul><li>b</li></ul>",
    "- a\n  - b\n- c": "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>",
    "- a\n\n- b": "<ul><li><p>a</p></li><li><p>b</p></li></ul>",
    "1. a\n2. b": "<ol><li>a</li><li>b</li></ol>",
    "3) a\n4) b": '<ol start="3"><li>a</li><li>b</li></ol>',
    "- a\n  second line": "<ul><li>a<br>second line</li></ul>",
    "```\na  *b*\n\n<c>\n```": "<pre><code>a  *b*\n\n&lt;c&gt;\n</code></pre>",
    "~~~ python\nx\n~~~\nafter": '<pre><code class="language-python">x\n</code></pre><p>after</p>',
    "```c++\nx": '<pre><code class="language-c++">x</code></pre>',
    "```x = 1\ny\n```": "<pre><code>x = 1\ny\n</code></pre>",
    '```"><script>\ny\n```': '<pre><code>"&gt;&lt;script&gt;\ny\n</code></pre>',
    "- a\n  ```\n  b\n  ```": "<ul><li>a<pre><code>b\n</code></pre></li></ul>",
    "> - a\n> 1. b": "<blockquote><ul><li>a</li></ul><ol><li>b</li></ol></blockquote>",
}
LINKS = {
    "https://en.wikipedia.org/wiki/Foo_(bar)": f"<p>{link('https://en.wikipedia.org/wiki/Foo_(bar)')}</p>",
    "(see http://a.example/x).": f"<p>(see {link('http://a.example/x')}).</p>",
    "is it https://a.example/?q=1&b=2?": (
        f"<p>is it {link('https://a.example/?q=1&amp;b=2', 'https://a.example/?q=1&amp;b=2')}?</p>"
    ),
    '"https://a.example", he said': f'<p>"{link("https://a.example")}", he said</p>',
    "www.a.example/b and so on": f"<p>{link('http://www.a.example/b', 'www.a.example/b')} and so on</p>",
    "HTTPS://A.EXAMPLE/B": f"<p>{link('HTTPS://A.EXAMPLE/B')}</p>",
    "**https://a.example/x**": f"<p><strong>{link('https://a.example/x')}</strong></p>",
    "https://a.example/a_b_c_d*e*": f"<p>{link('https://a.example/a_b_c_d*e')}*</p>",
    "<https://a.example/x y>": "<p>&lt;" + link("https://a.example/x") + " y&gt;</p>",
    "<https://a.example/x>y": f"<p>{link('https://a.example/x')}y</p>",
    "> https://a.example": f"<blockquote><p>{link('https://a.example')}</p></blockquote>",
    "http://localhost:8000/chat/a%2Fb/": f"<p>{link('http://localhost:8000/chat/a%2Fb/')}</p>",
    "https://аpple.example": f"<p>{link('https://xn--pple-43d.example', 'https://аpple.example')}</p>",
    "https://a.example/字": f"<p>{link('https://a.example/%E5%AD%97', 'https://a.example/字')}</p>",
    "[here](https://a.example)": f"<p>[here]({link('https://a.example')})</p>",
    "![a](https://a.example/b.png)": f"<p>![a]({link('https://a.example/b.png')})</p>",
    "https://user:pass@a.example": f"<p>{link('https://user:pass@a.example')}</p>",
}
AS_WRITTEN = [
    "hello",
    "two\nlines\n\n\nand  more",
    "foo.py, example.com and a@b.example",
    "mailto:a@b.example ftp://a.example //a.example ssh://a.example",
    "javascript:alert(1) and <javascript:alert(1)>",
    "JaVaScRiPt://www.a.example/%0aalert(1)",
    "data:text/html;base64,PHNjcmlwdD4=",
    "vbscript:msgbox(1) file:///etc/passwd",
    "[x](javascript:alert(1))",
    "http:// www. www http://:80",
    f"https://a.example/{'x' * 3_000}",
    "# heading\n## other\n---\n***\n===",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "![x](y.png) [a][b]\n\n[b]: /c 'd'",
    "<b>bold</b> <!-- x --> <br> &lt; &amp; &#42;",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    '"><svg onload=alert(1)>',
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "{{ constructor.constructor('alert(1)')() }} ${alert(1)}",
    ">_< >:( ->",
    "* * *\n- - -\n-\n+\n1.\n> \n>",
    "a ``` and ~~~",
    "`` `",
    "2 * 3 * 4, a_b_c, ~5 ~6, C:\\new",
    "**not closed and *not closed",
    "text\n2. not the first",
    "+1 -1 1.5",
    "a \\\nb",
]


@pytest.mark.parametrize(("text", "html"), [*IN_LINES.items(), *BLOCKS.items(), *LINKS.items()])
def test_html_of_a_text_has_its_formatting(text: str, html: str) -> None:
    assert to_html(text) == html


@pytest.mark.parametrize("text", AS_WRITTEN)
def test_text_without_formatting_has_no_html(text: str) -> None:
    assert to_html(text) is None


@pytest.mark.parametrize("text", AS_WRITTEN)
def test_html_beside_something_formatted_is_as_written(text: str) -> None:
    html = to_html(f"{text}\n\n*a*")
    assert html is not None
    page = Page(html)
    assert [tag for tag, _ in page.tags if tag not in {"p", "br"}] == ["em"]
    assert "".join(page.texts.split()) == "".join(text.split()) + "a"


@pytest.mark.parametrize(
    "text",
    [
        "- " * 14 + "a",
        "> " * 30 + "a",
        "\n".join(f"{'  ' * depth}- a{depth}" for depth in range(14)),
        "> - " * 12 + "a",
    ],
)
def test_deep_nesting_ends_and_loses_nothing(text: str) -> None:
    html = to_html(text)
    assert html is not None
    page = Page(html)
    assert page.depth <= markdown.LEVELS_MAX + 2
    assert page.texts.count("a") == text.count("a")


class Page(HTMLParser):
    """The parts of a piece of HTML: its tags with their attributes, its text, and how deep it is."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.texts = ""
        self.depth = self.open = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        self.open += tag != "br"
        self.depth = max(self.depth, self.open)
        self.texts += dict(attributes).get("class") or ("\n" if tag == "br" else "")

    def handle_endtag(self, tag: str) -> None:
        self.open -= 1

    def handle_data(self, data: str) -> None:
        self.texts += data


PIECES = [*"*_~`<>-+.)/:&;\"'=( \n\t\\#1", *LETTERS, "**", "```", "\n> ", "\n- ", "\n1. ", "\n\n", "    "]
PIECES += ["https://", "www.", "javascript:", "a.example/", "<script>", "<img src=x onerror=a>", "&lt;", "\u202e"]
texts = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


@given(texts)
def test_html_of_any_text_is_safe_and_has_all_its_letters(text: str) -> None:
    html = to_html(text)
    if html is None:
        return
    page = Page(html)
    assert page.open == 0
    for tag, attributes in page.tags:
        assert tag in TAGS
        assert set(attributes) <= {"a": {"href", "target", "rel"}, "code": {"class"}, "ol": {"start"}}.get(tag, set())
        assert attributes.get("href", "http:").lower().startswith(("http:", "https:"))
    kept = page.texts.replace("language-", "")
    assert [letter for letter in kept if letter in LETTERS] == [letter for letter in text if letter in LETTERS]


@given(texts)
def test_text_that_is_not_worth_reading_is_plain(text: str) -> None:
    if not markdown.is_worth_reading(text):
        assert _is_plain(markdown.parse(text))


SIGNS = ["*a", "**a**", "*_", "é*", "~~a~~", "`a`", "<", "<a", "<http://a>", "\\*", "[a](b)", "&amp;"]
SIGNS += ["*a*\n\n", "\n*", "\\\n"]
BLOCKS_IN_A_ROW = ["```\na\n", "```\n\n", "- a\n", "- a\nb\n", "- a\n1. b\n", "-\n\n", "- - - - - a\n", "- a\n  - b\n"]
BLOCKS_IN_A_ROW += ["> a\nb\n", "> a\n\n", "> > > > > > > > > a\n", "> - a\n"]
ADDRESSES = ["://", "http://", "http://a ", "www.a.b ", "http://a.b/(", "http://a/['", " www.``a-~\u0300"]
ADDRESSES += ["http://:1.\n- a\n__", "http://awww.aü<http://a>**,", "***ab*http://a.b/*", "?**[(https://ab//"]
ADDRESSES += [f"http://{('a' * 60 + '.') * 70}-*"]
ONCE = ["- " + " " * MESSAGE_MAX, "> " + "\t" * MESSAGE_MAX, "1. " + "- " * MESSAGE_MAX, "```" + "`a" * MESSAGE_MAX]


@pytest.fixture(params=[*SIGNS, *BLOCKS_IN_A_ROW, *ADDRESSES, *ONCE], ids=lambda text: repr(text[:20]))
def hostile(request: pytest.FixtureRequest) -> str:
    return (request.param * MESSAGE_MAX)[:MESSAGE_MAX]


def test_hostile_text_takes_little_work(hostile: str) -> None:
    # The most is some 66,000. Quadratic work comes to millions. `python -m benchmarks.formatting` measures the time.
    assert calls(to_html, hostile) < 80_000


def calls(function: Any, text: str) -> int:
    """How many functions are called on the way, Python's own too."""
    counted = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal counted
        counted += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function(text)
    finally:
        sys.setprofile(before)
    return counted


def test_text_beyond_the_lengths_that_are_looked_at_has_no_html() -> None:
    assert to_html("*a*\n" * markdown.LINES_MAX) is None
    assert to_html("*a* " * 5_000) is None
