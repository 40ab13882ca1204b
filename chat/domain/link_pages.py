"""The description that a page of another site has of itself: Open Graph's properties, Twitter's, or else those of HTML.

Everything in here was written by strangers. What comes out is text, on one line, without characters that act on what
stands around them, and an address of a picture that may be asked for.
"""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from chat.domain.links import URL_MAX

TITLE_MAX, DESCRIPTION_MAX, SITE_NAME_MAX = 200, 400, 80  # characters
METAS_MAX = 300  # that are looked at
TAGS_MAX = 5_000  # of a page, from its beginning: a parser of HTML takes long where as many are in each other
CHARSET_WITHIN = 2048  # bytes; HTML asks for it in the first 1024
# The codecs that pages are written in. Python knows others, some of which take long, or do other things than decode.
CHARSETS = re.compile(
    r"utf-?8|utf-?16(?:le|be)?|(?:us-)?ascii|iso-?8859-\d{1,2}|latin-?\d|windows-(?:125\d|874)|cp125\d|koi8-[ru]"
    r"|gb2312|gbk|gb18030|big5(?:-hkscs)?|euc-(?:jp|kr)|iso-2022-jp|shift[-_]jis|mac-?(?:roman|cyrillic)",
    re.IGNORECASE,
)
META_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w-]{1,40})""", re.IGNORECASE)
HEADER_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([\w-]{1,40})""", re.IGNORECASE)
BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
JOINERS = {"\u200c", "\u200d"}  # belong to words of some scripts, and to emoji

TITLES = ("og:title", "twitter:title")
DESCRIPTIONS = ("og:description", "twitter:description", "description")
SITE_NAMES = ("og:site_name", "application-name")
PICTURES = ("og:image:secure_url", "og:image:url", "og:image", "twitter:image", "twitter:image:src")


@dataclass(frozen=True, slots=True)
class PageFacts:
    """A page's description of itself. All but the title may be empty."""

    title: str
    description: str
    site_name: str
    picture_url: str


def is_page(content_type: str) -> bool:
    """Whether a body of that type is a page that can be read here."""
    return content_type.partition(";")[0].strip().lower() in {"text/html", "application/xhtml+xml"}


def read_page(body: bytes, *, content_type: str, url: str) -> PageFacts | None:
    """The facts of the page that `url` leads to; None where it has no title. The body may be cut off anywhere."""
    tree = LexborHTMLParser("<".join(decoded(body, content_type).split("<", TAGS_MAX)[:TAGS_MAX]))
    said: dict[str, str] = {}
    for meta in tree.css("meta")[:METAS_MAX]:
        attributes = meta.attributes
        name = (attributes.get("property") or attributes.get("name") or "").strip().lower()
        content = attributes.get("content")
        if name and content and content.strip():
            said.setdefault(name, content)
    title = _first(said, TITLES, TITLE_MAX) or one_line(_title(tree), TITLE_MAX)
    if not title:
        return None
    return PageFacts(
        title=title,
        description=_first(said, DESCRIPTIONS, DESCRIPTION_MAX),
        site_name=_first(said, SITE_NAMES, SITE_NAME_MAX),
        picture_url=next(filter(None, (_address(said[name], url) for name in PICTURES if name in said)), ""),
    )


def _title(tree: LexborHTMLParser) -> str:
    """The page's own title: drawings in it may have some, too."""
    titles = (one.text() for one in tree.css("title")[:METAS_MAX] if one.parent is None or one.parent.tag != "svg")
    return next(titles, "")


def decoded(body: bytes, content_type: str) -> str:
    """The text of a page: its byte order mark says how it is encoded, or its header, or the page itself.

    Where none does, or says something that can't be, it is UTF-8 if it can be that, and else what Windows had.
    """
    for mark, codec in BOMS.items():
        if body.startswith(mark):
            return body.decode(codec, errors="replace")
    header = HEADER_CHARSET.search(content_type)
    meta = META_CHARSET.search(body[:CHARSET_WITHIN])
    for name in (header and header[1], meta and meta[1].decode("ascii")):
        if name and CHARSETS.fullmatch(name):
            try:
                return body.decode(name, errors="replace")
            except LookupError:
                continue
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        if error.end >= len(body) - 1 and error.reason == "unexpected end of data":
            return body.decode(errors="replace")  # cut off within a character
        return body.decode("windows-1252", errors="replace")


def one_line(text: str, longest: int) -> str:
    """The text on one line, cut to `longest` characters, without control characters and those that turn text around."""
    cleaned = "".join(char if _is_harmless(char) else " " for char in text[: 10 * longest])
    line = unicodedata.normalize("NFC", " ".join(cleaned.split()))
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _is_harmless(char: str) -> bool:
    return char in JOINERS or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _first(said: dict[str, str], names: tuple[str, ...], longest: int) -> str:
    return next(filter(None, (one_line(said[name], longest) for name in names if name in said)), "")


def _address(given: str, url: str) -> str:
    """The address of a picture, which may be relative to the page's; "" for what isn't of the web."""
    try:
        address = urljoin(url, given.strip())
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in {"http", "https"} and parts.hostname and len(address) <= URL_MAX else ""
