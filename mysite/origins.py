"""Only the site's own pages may use it. Browsers say which page a request comes from."""

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

from chat import metrics
from chat.connections.bearer import authorizations_of

logger = logging.getLogger(__name__)


class OriginCheck:
    """ASGI middleware: refuses (HTTP 403) a WebSocket that a page of a foreign site opens."""

    def __init__(self, application: ASGI3Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if comes_from_elsewhere(scope):
            await WebsocketDenier()(scope, receive, send)
        else:
            await self.application(scope, receive, send)


def comes_from_elsewhere(scope: Mapping[str, Any]) -> bool:
    """Whether a page of a foreign site makes this request or opens this WebSocket, perhaps with the visitor's cookies.

    Browsers send `Origin` with all WebSockets, with all requests that could change something, and with those whose
    answers scripts may read. With the rest, which are GETs, `Sec-Fetch-Site` says where the page is that asks. Links
    from elsewhere may be followed. Programs send neither header; they bring no visitor's cookies, so there is nobody to
    protect. Nor is there with a token: see `chat.connections.bearer`.
    """
    if authorizations_of(scope):
        return False
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


def _follows_a_link(scope: Mapping[str, Any], headers: dict[bytes, bytes]) -> bool:
    return scope.get("method") == "GET" and headers.get(b"sec-fetch-mode") == b"navigate" and not scope["query_string"]


def is_ours(origin: str, host: str) -> bool:
    """Whether `origin` (`https://chat.example.org`) belongs to the site that was requested as `host`.

    It does in three cases: it is the requested host and port, and ALLOWED_HOSTS allows the host; ALLOWED_HOSTS names
    its host, and it is on the scheme's own port (a proxy may have changed `host`); or it is in CSRF_TRUSTED_ORIGINS.
    Another port of the same host is another site, and so is a subdomain that is not named. (Browsers always send
    `Host`; without it, any port of an allowed host will do.)
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
    allowed: list[str] = [pattern for pattern in settings.ALLOWED_HOSTS if pattern != "*"]
    if not host:
        return validate_host(domain, allowed)
    if page.netloc.lower() == host.lower():
        return "*" in settings.ALLOWED_HOSTS or validate_host(domain, allowed)
    return not port and validate_host(domain, [pattern for pattern in allowed if not pattern.startswith(".")])


def _is_trusted(page: SplitResult, trusted: SplitResult) -> bool:
    """Django's reading of CSRF_TRUSTED_ORIGINS: `https://*.example.org` stands for every subdomain."""
    return page.scheme == trusted.scheme and is_same_domain(page.netloc, trusted.netloc.lstrip("*"))
