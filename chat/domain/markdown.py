"""The Markdown that messages are written in, read into markdown-it's tokens.

A part of CommonMark, with some rules of our own: docs/adr/0046 says which, and why.
"""

import re
from collections.abc import Callable

import regex
from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, fence, list_block
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, backtick
from markdown_it.rules_inline import escape as backslash
from markdown_it.token import Token

SCHEMES = frozenset({"http", "https"})

# With these, no message takes long. A message that has more of something is shown without that, but with the rest.
LENGTH_MAX = 10_000  # characters; longer texts, which only a setting allows, are shown as they are
LINES_MAX = 500  # more, and nothing is looked at
MARKED_LINES_MAX = 200  # that begin quotes or items
LEVELS_MAX = 10  # a quote is one, a list with its item two; only what is deeper stays text
SIGNS_MAX = 500  # within lines, code blocks aside
ADDRESSES_MAX = 60  # only those that follow stay text
ADDRESS_MAX = 2_048  # characters

BlockRule = Callable[[StateBlock, int, int, bool], bool]

SIGNS = r"[*_~`\\<]"
SIGN = re.compile(SIGNS)
# Of what may stand before `www.`, nothing may be a part of an address: so it isn't looked for twice in the same place.
ADDRESSES = r"(?<![a-z0-9+.-])https?://|(?<![^\s\p{P}]|[_/:@.-])www\.(?=\S)"
ADDRESS = regex.compile(ADDRESSES, regex.IGNORECASE)
MARKED_LINE = re.compile(r"^[ \t]*(?:[-+*>]|\d{1,9}[.)])[ \t>]", re.MULTILINE)
SOMETHING = re.compile(rf"{SIGNS}|://|www\.|{MARKED_LINE.pattern}", re.IGNORECASE | re.MULTILINE)

# A quote or an item begins with a line that has something to show: `>_<` and `* * *` are themselves.
QUOTE = re.compile(r">[> \t]*[ \t][^\s>]")
ITEM = re.compile(r"(?:[-+*]|\d{1,9}[.)])[ \t][\s*+-]*[^\s*+-]")


def is_readable(text: str) -> bool:
    """Whether a text has few enough lines to be read."""
    return text.count("\n") < LINES_MAX


def is_worth_reading(text: str) -> bool:
    """Whether anything in a text may be Markdown. Most messages have nothing."""
    return SOMETHING.search(text) is not None


def parse(text: str) -> list[Token]:
    return _markdown.parse(text, {"addresses": 0, "marked": len(MARKED_LINE.findall(text)) <= MARKED_LINES_MAX})


# Blocks


def _beginning_with(start: re.Pattern[str], rule: BlockRule) -> BlockRule:
    """`rule` for lines that begin like `start`, unless there are too many or too deep in each other."""

    def bounded(state: StateBlock, line: int, end: int, silent: bool) -> bool:
        if not state.env["marked"] or state.level >= LEVELS_MAX:
            return False
        position = state.bMarks[line] + state.tShift[line]
        return start.match(state.src, position, state.eMarks[line]) is not None and rule(state, line, end, silent)

    return bounded


def _fence(state: StateBlock, line: int, end: int, silent: bool) -> bool:
    """A fence has lines after it."""
    return line + 1 < end and fence(state, line, end, silent)


def _end(state: StateBlock, line: int, end: int, silent: bool) -> bool:
    """The end of a quote or an item, before a line that is not marked or indented as a part of it."""
    return silent and (state.parentType == "blockquote" or state.sCount[line] < state.blkIndent)


# Within lines


def _inline(state: StateCore) -> None:
    """Reads what stands within the lines of all blocks."""
    blocks = [token for token in state.tokens if token.type == "inline"]
    signs = sum(len(SIGN.findall(block.content)) for block in blocks)
    parser = state.md if signs <= SIGNS_MAX else _only_addresses
    for block in blocks:
        block.children = parser.inline.parse(block.content, parser, state.env, [])


def _code(state: StateInline, silent: bool) -> bool:
    """Code keeps its newlines, for which CommonMark has blanks."""
    start, before = state.pos, len(state.tokens)
    found: bool = backtick(state, silent)
    if len(state.tokens) > before and (code := state.tokens[-1]).type == "code_inline":
        written = state.src[start + len(code.markup) : state.pos - len(code.markup)]
        code.content = written if len(code.content) == len(written) else written[1:-1]
    return found


def _newline(state: StateInline, silent: bool) -> bool:
    """Each newline is one, and the blanks around it stay."""
    if state.src[state.pos] != "\n":
        return False
    state.push("hardbreak", "br", 0)
    state.pos += 1
    return True


def _escape(state: StateInline, silent: bool) -> bool:
    """A backslash at the end of a line stays: it is a shell's."""
    return not state.src.startswith("\\\n", state.pos) and backslash(state, silent)


def _address(state: StateInline, silent: bool) -> bool:
    """A link to an address that stands in the text. linkify knows where it ends."""
    start = ADDRESS.match(state.src, state.pos)
    if start is None or state.env["addresses"] == ADDRESSES_MAX:
        return False
    state.env["addresses"] += 1
    supplied = "http://" if start[0].lower() == "www." else ""
    ahead = supplied + state.src[state.pos : state.pos + ADDRESS_MAX]
    slashes = ahead.index("//")
    end = slashes + _linkify.test_schema_at(ahead, "http:", slashes)
    url = ahead[:end].rstrip("*_~")  # which end what is bold, italic or struck
    text = url.removeprefix(supplied)
    if end == slashes or text.lower() == "www" or end >= ADDRESS_MAX:
        return False
    state.push("link_open", "a", 1).attrs = {"href": state.md.normalizeLink(url)}
    state.push("text", "", 0).content = text
    state.push("link_close", "a", -1)
    state.pos += len(text)
    return True


class _Markdown(MarkdownIt):
    """Of addresses between < and >, those that are links, shown as they are written."""

    def validateLink(self, url: str) -> bool:
        return url.partition(":")[0].lower() in SCHEMES

    def normalizeLinkText(self, link: str) -> str:
        return link


def _parser(stops: "regex.Pattern[str]") -> MarkdownIt:
    """Finds addresses, and what may be added to that."""
    markdown = _Markdown("zero", {"maxNesting": 100})  # never reached: there, markdown-it would drop text
    markdown.inline.terminator_re = stops
    markdown.inline.ruler.after("text", "address", _address)
    markdown.inline.ruler.at("newline", _newline)
    markdown.enable(["newline"])
    return markdown


def _full_parser() -> MarkdownIt:
    markdown = _parser(regex.compile(rf"\n|{SIGNS}|{ADDRESSES}", regex.IGNORECASE))
    blocks, inline = markdown.block.ruler, markdown.inline.ruler
    blocks.at("fence", _fence, {"alt": ["paragraph", "blockquote", "list"]})
    blocks.at("blockquote", _beginning_with(QUOTE, blockquote), {"alt": ["paragraph", "blockquote", "list"]})
    blocks.at("list", _beginning_with(ITEM, list_block), {"alt": ["paragraph", "blockquote"]})
    blocks.before("paragraph", "end", _end, {"alt": ["paragraph", "blockquote"]})
    markdown.core.ruler.at("inline", _inline)
    inline.at("escape", _escape)
    inline.at("backticks", _code)
    markdown.enable(["fence", "blockquote", "list", "escape", "backticks", "strikethrough", "emphasis", "autolink"])
    return markdown


_linkify = LinkifyIt()
_linkify.test_schema_at("//", "http:", 0)  # makes its pattern, which takes a while, now and not for the first message
_markdown = _full_parser()
_only_addresses = _parser(regex.compile(rf"\n|{ADDRESSES}", regex.IGNORECASE))
