"""Links in messages, and what is shown of the pages that they lead to."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urldefrag, urlsplit

from chat.domain import markdown

LINKS_MAX = 3  # of a message, that are shown
REMOVED_MAX = 20  # of a message, that it is known never to show again
URL_MAX = 2000  # characters

JsonLink = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LinkPicture:
    """A page's picture, as this site serves it: small, and by an id that nobody guesses. Sizes are in pixels."""

    id: str
    width: int
    height: int

    @property
    def path(self) -> str:
        return f"/chat/links/{self.id}/picture"


@dataclass(frozen=True, slots=True)
class Link:
    """A link, and the page it leads to, by what that says of itself. All but the title may be empty."""

    url: str
    title: str
    description: str = ""
    site_name: str = ""
    picture: LinkPicture | None = None

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def as_json(self) -> JsonLink:
        """As it is stored with a message, and as it travels between processes."""
        said: JsonLink = {"url": self.url, "title": self.title}
        said |= {"description": self.description, "site_name": self.site_name}
        if self.picture:
            said["picture"] = {"id": self.picture.id, "width": self.picture.width, "height": self.picture.height}
        return said

    @classmethod
    def all_from_json(cls, value: object) -> tuple["Link", ...]:
        """Those in a list of values that `as_json` returned. Other values are left out."""
        found = []
        for one in value if isinstance(value, list) else ():
            match one:
                case {"url": str(url), "title": str(title), "description": str(about), "site_name": str(site)}:
                    found.append(cls(url, title, about, site, _picture(one.get("picture"))))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class MessageLinks:
    """The stored links of a message: those that it shows, and the addresses of those that were removed from it.

    A release that knows no removed ones passes over them.
    """

    shown: tuple[Link, ...] = ()
    removed: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: object) -> "MessageLinks":
        """Reads what `as_json` returned. Other values are left out."""
        removed = [one.get("removed") for one in value if isinstance(one, dict)] if isinstance(value, list) else []
        return cls(Link.all_from_json(value), tuple(url for url in removed if isinstance(url, str)))

    def as_json(self) -> list[JsonLink] | None:
        stored = [*(link.as_json() for link in self.shown), *({"removed": url} for url in self.removed)]
        return stored or None

    def with_shown(self, links: Iterable[Link]) -> "MessageLinks":
        """The message shows `links`, but for those that were removed from it."""
        return replace(self, shown=tuple(link for link in links if link.url not in self.removed))

    def without(self, url: str) -> "MessageLinks":
        """The message never shows the page at `url` again, which it shows now."""
        left = tuple(link for link in self.shown if link.url != url)
        return MessageLinks(left, (*self.removed, url)[-REMOVED_MAX:])


def _picture(value: object) -> LinkPicture | None:
    match value:
        case {"id": str(id), "width": int(width), "height": int(height)}:
            return LinkPicture(id, width, height)
    return None


def may_have_links(text: str) -> bool:
    """Whether it is worth the time to look for links. Most messages have none."""
    lower = text.lower()
    return len(text) <= markdown.LENGTH_MAX and ("://" in lower or "www." in lower) and markdown.is_readable(text)


def links_in(text: str) -> list[str]:
    """The first LINKS_MAX addresses that the formatted text links to, without fragments, each once."""
    found: dict[str, None] = {}
    for token in markdown.parse(text):
        for child in token.children or ():
            if child.type == "link_open":
                url = urldefrag(str(child.attrs.get("href", ""))).url
                if urlsplit(url).scheme in markdown.SCHEMES and len(url) <= URL_MAX:
                    found[url] = None
    return list(found)[:LINKS_MAX]


def key_of(url: str) -> str:
    """The key by which a link is kept: its length is the same for all."""
    return hashlib.sha256(url.encode()).hexdigest()


def shown(link: Link) -> Mapping[str, Any]:
    """A link as clients of the browser's door get it. Keys of what there isn't are left out."""
    said: dict[str, Any] = {"url": link.url, "title": link.title}
    if link.description:
        said["description"] = link.description
    if link.site_name:
        said["site_name"] = link.site_name
    if link.picture:
        said["picture"] = {"url": link.picture.path, "width": link.picture.width, "height": link.picture.height}
    return said
