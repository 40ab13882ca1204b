"""Formatting of messages: their Markdown as HTML that is safe to put into a page."""

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape

import nh3
from markdown_it.token import Token

from chat.domain import markdown, mentions
from chat.domain.events import Event, Kind
from chat.domain.people import Person
from chat.domain.presence import LiveState

TAGS = {"a", "blockquote", "br", "code", "em", "li", "ol", "p", "pre", "s", "span", "strong", "ul"}
MENTION = "mention"  # the class of what calls somebody
LANGUAGE = re.compile(r"[\w+#.-]{1,30}")


CHARACTERS_PER_EFFORT = 100

Called = Mapping[str, Person]
"""The people who are called in a text, by the names that stand there."""


def text_of(event: Event | LiveState) -> str:
    """The text that may be formatted, which is what somebody wrote; "" where there is none."""
    if isinstance(event, Event) and event.kind in {Kind.MESSAGE, Kind.EDIT} and not event.deleted and event.message:
        return event.text
    return ""


def people_of(event: Event | LiveState) -> tuple[Person, ...]:
    """The people whom that text calls."""
    return event.mentions if isinstance(event, Event) else ()


def effort(text: str, people: tuple[Person, ...] = ()) -> int:
    """How long `to_html` may take, in units of at most 0.3 ms; 0 where there is nothing to do."""
    return 0 if _is_passed_over(text, people) else 1 + len(people) // 2 + len(text) // CHARACTERS_PER_EFFORT


def _is_passed_over(text: str, people: tuple[Person, ...]) -> bool:
    if len(text) > markdown.LENGTH_MAX or not markdown.is_readable(text):
        return True
    return not (people or markdown.is_worth_reading(text))


def to_html(text: str, people: tuple[Person, ...] = ()) -> str | None:
    """The text of a message as HTML; None where that would say no more than the text.

    Its elements are TAGS. Links have `target` and `rel`, numbered lists perhaps a `start`, and code of a language has
    that in its class. Blanks and newlines count, as in `white-space: pre-wrap`. A mention of one of `people` has their
    id in `data-person`, and leads to their profile, if they have one.
    """
    if _is_passed_over(text, people):
        return None
    tokens = markdown.parse(text)
    called = mentions.called_in(text, people)
    if not called and _is_plain(tokens):
        return None
    html: str = _cleaner.clean("".join(_blocks(tokens, text.split("\n"), called)))
    return html


def _is_plain(tokens: Iterable[Token]) -> bool:
    """Whether there are but paragraphs, of what was written."""
    return all(token.tag == "p" or (token.type == "inline" and _written(token) == token.content) for token in tokens)


def _written(inline: Token) -> str | None:
    """The text of a token without any formatting."""
    parts = [{"text": child.content, "hardbreak": "\n"}.get(child.type) for child in inline.children or ()]
    return None if None in parts else "".join(filter(None, parts))


def _blocks(tokens: Iterable[Token], lines: list[str], called: Called) -> Iterator[str]:
    """Between two blocks is a gap, which stands for one blank line; <br> for each of the others."""
    done = 0  # lines
    for token in tokens:
        if token.map and token.nesting == 1 or token.type == "fence":
            start, end = token.map or (0, 0)
            if token.type != "list_item_open":
                yield "<br>" * (start - done - bool(done))
            done = end if token.type in ("fence", "paragraph_open") else start
        if token.type == "inline":
            yield from _inline(token.children or (), called)
        elif token.type == "fence":
            yield _fence(token)
        elif not token.hidden:
            yield _tag(token)
            if token.type == "paragraph_open" and token.level == 0:
                yield _indentation(lines[start])


def _inline(tokens: Iterable[Token], called: Called) -> Iterator[str]:
    """Bold within bold is bold, however often somebody says so. In a link's text nobody is called."""
    opened = dict.fromkeys(["em", "s", "strong"], 0)
    in_link = False
    for token in tokens:
        if token.type == "code_inline":
            yield f"<code>{escape(token.content)}</code>"
        elif token.nesting == 0:
            yield "<br>" if token.tag == "br" else _text(token.content, {} if in_link else called)
        elif token.tag not in opened:
            in_link = token.type == "link_open"
            yield _tag(token)
        else:
            opened[token.tag] += token.nesting
            if opened[token.tag] == (token.nesting == 1):
                yield _tag(token)


def _text(text: str, called: Called) -> str:
    if not called:
        return escape(text)
    return "".join(_mention(part, person) if person else escape(part) for part, person in mentions.parts(text, called))


def _mention(text: str, person: Person) -> str:
    """Users have profiles. The rest is set apart: guests, and the word for everybody."""
    id = escape(person.id)
    if path := person.profile_path:
        return f'<a class="{MENTION}" data-person="{id}" href="{escape(path)}">{escape(text)}</a>'
    return f'<span class="{MENTION}" data-person="{id}">{escape(text)}</span>'


def _tag(token: Token) -> str:
    if token.nesting == -1:
        return f"</{token.tag}>"
    attributes = "".join(f' {name}="{escape(str(value))}"' for name, value in token.attrs.items())
    return f"<{token.tag}{attributes}>"


def _fence(token: Token) -> str:
    """A word behind the fence is the language of the code. More than a word is where the code begins."""
    info = token.info.strip()
    if not info:
        return f"<pre><code>{escape(token.content)}</code></pre>"
    if LANGUAGE.fullmatch(info):
        return f'<pre><code class="language-{escape(info)}">{escape(token.content)}</code></pre>'
    return f"<pre><code>{escape(info)}\n{escape(token.content)}</code></pre>"


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


# The HTML made above has nothing else in it. The cleaner sees to that, whatever the code above gets wrong.
_cleaner = nh3.Cleaner(
    tags=TAGS,
    attributes={"a": {"data-person", "href"}, "code": {"class"}, "ol": {"start"}, "span": {"data-person"}},
    allowed_classes={"a": {MENTION}, "span": {MENTION}},
    set_tag_attribute_values={"a": {"target": "_blank"}},
    link_rel="noopener noreferrer nofollow",
    url_schemes=set(markdown.SCHEMES),
)
