"""Which pages may open a WebSocket here."""

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
    """ASGI middleware: refuses (HTTP 403) a WebSocket that a page of a foreign site opens, and logs it.

    Browsers say in `Origin` which site's page it is. A host of ALLOWED_HOSTS may, and an origin of
    CSRF_TRUSTED_ORIGINS; with `*` in ALLOWED_HOSTS, the host that the browser asked for. Programs send no `Origin`:
    they come with no visitor's cookies, so there is nobody to protect.

    Being the outermost, it also notes the server's own `send` in the scope, as `direct_send`: what is inside wraps it
    in layers that look at each frame for the sake of HTTP's cookies, which costs as much as sending it.
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", ()))
        origin = headers.get(b"origin", b"").decode("latin1")
        host = headers.get(b"host", b"").decode("latin1")
        if not origin or is_ours(origin, host):
            await self.application({**scope, "direct_send": send}, receive, send)
            return
        metrics.REFUSED_ORIGINS.inc()
        logger.warning("Refused a WebSocket at %r: its page is of %r, see ALLOWED_HOSTS", scope["path"], origin)
        await WebsocketDenier()(scope, receive, send)


def is_ours(origin: str, host: str) -> bool:
    """Whether `origin` (`https://chat.example.org`) belongs to the site that was asked for as `host`."""
    try:
        page = urlsplit(origin)
    except ValueError:
        return False
    domain = split_domain_port(page.netloc)[0]
    if not domain:
        return False
    named_hosts = [pattern for pattern in settings.ALLOWED_HOSTS if pattern != "*"]
    return (
        validate_host(domain, named_hosts)
        or ("*" in settings.ALLOWED_HOSTS and page.netloc == host)
        or any(is_trusted(page, urlsplit(trusted)) for trusted in settings.CSRF_TRUSTED_ORIGINS)
    )


def is_trusted(page: SplitResult, trusted: SplitResult) -> bool:
    """Django's reading of CSRF_TRUSTED_ORIGINS: `https://*.example.org` stands for every subdomain."""
    return page.scheme == trusted.scheme and is_same_domain(page.netloc, trusted.netloc.lstrip("*"))
