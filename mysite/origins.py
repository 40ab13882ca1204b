"""Which pages may use this site: its own. Browsers say whose page it is that asks."""

import logging
from typing import Any
from urllib.parse import SplitResult, urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

from chat import metrics

logger = logging.getLogger(__name__)


class OriginCheck:
    """ASGI middleware: refuses (HTTP 403) a WebSocket that a page of a foreign site opens.

    Being the outermost, it also notes the server's own `send` in the scope, as `direct_send`: what is inside wraps it
    in layers that look at each frame for the sake of HTTP's cookies, which costs as much as sending it.
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if comes_from_elsewhere(scope):
            await WebsocketDenier()(scope, receive, send)
        else:
            await self.application({**scope, "direct_send": send}, receive, send)


def comes_from_elsewhere(scope: Any) -> bool:
    """Whether a page of a foreign site makes this request or opens this WebSocket, with the visitor's cookies perhaps.

    Browsers send `Origin` with all WebSockets, with whatever could change something, and with all that scripts may
    read. With the rest, which are GETs, they say in `Sec-Fetch-Site` from how far away the page is that asks. To follow
    a link that leads here from elsewhere is fine. Programs send neither: they come with no visitor's cookies, so there
    is nobody to protect.
    """
    headers = dict(scope.get("headers", ()))
    origin = headers.get(b"origin", b"").decode("latin1")
    if origin:
        foreign = not is_ours(origin, headers.get(b"host", b"").decode("latin1"))
    else:
        foreign = headers.get(b"sec-fetch-site") == b"cross-site" and not _follows_a_link(scope, headers)
    if foreign:
        metrics.REFUSED_ORIGINS.inc()
        page, kind, path = origin or "another site", scope["type"], scope["path"]
        logger.warning(
            "Refused a page of %r, by %s at %r; see ALLOWED_HOSTS and CSRF_TRUSTED_ORIGINS", page, kind, path
        )
    return foreign


def _follows_a_link(scope: Any, headers: dict[bytes, bytes]) -> bool:
    return scope.get("method") == "GET" and headers.get(b"sec-fetch-mode") == b"navigate" and not scope["query_string"]


def is_ours(origin: str, host: str) -> bool:
    """Whether `origin` (`https://chat.example.org`) belongs to the site that was asked for as `host`.

    It is if it is the very host and port that was asked for, and ALLOWED_HOSTS allows the host; if ALLOWED_HOSTS names
    the host, and it is on the scheme's own port, whatever a proxy made of what was asked for; or if it is one of
    CSRF_TRUSTED_ORIGINS. Another port of the same host is another site, and so is another subdomain that nobody named.
    (No browser leaves out `Host`; where it is missing, any port of an allowed host will do.)
    """
    try:
        page = urlsplit(origin)
    except ValueError:
        return False
    if page.path or page.query or page.fragment:
        return False
    if any(_is_trusted(page, urlsplit(trusted)) for trusted in settings.CSRF_TRUSTED_ORIGINS):
        return True
    domain, port = split_domain_port(page.netloc)
    if not domain or page.scheme not in ({"https"} if settings.SECURE_SSL_REDIRECT else {"http", "https"}):
        return False
    allowed = [pattern for pattern in settings.ALLOWED_HOSTS if pattern != "*"]
    if not host:
        return validate_host(domain, allowed)
    if page.netloc.lower() == host.lower():
        return "*" in settings.ALLOWED_HOSTS or validate_host(domain, allowed)
    return not port and validate_host(domain, [pattern for pattern in allowed if not pattern.startswith(".")])


def _is_trusted(page: SplitResult, trusted: SplitResult) -> bool:
    """Django's reading of CSRF_TRUSTED_ORIGINS: `https://*.example.org` stands for every subdomain."""
    return page.scheme == trusted.scheme and is_same_domain(page.netloc, trusted.netloc.lstrip("*"))
