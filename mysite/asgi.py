"""The one place where both protocols and both doors meet.

    HTTP       /livez …            → probes
               /graphql            → GraphQL
               /chat/<room>/events/ → the browser's chat, where no WebSocket gets through
               /chat/<room>/files/ → files that are uploaded or downloaded
               /hooks/<token>/     → incoming webhooks
               /static/            → static files
               anything else       → Django
    WebSocket  /ws/chat/<room>/    → the browser's chat
               /graphql            → GraphQL, both subprotocols
               anything else       → refused

Requests of foreign sites' pages are refused before anything else looks at them; the rest get a user and a session.
Programs get their user by the token that they bring, and no session.
A trusted proxy may say what address the client has, under any server.
"""

import gc
import os
from collections.abc import Sequence
from typing import Any, cast

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.db import connections
from django.urls import URLPattern, re_path
from strawberry.schema import BaseSchema
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
django_application = cast(ASGI3Application, get_asgi_application())  # loads the apps, which the imports below need

import chat.routing  # noqa: E402
import gqlchat.transport.routing  # noqa: E402
from chat.connections.arrivals import Arrivals  # noqa: E402
from chat.connections.authentication import AuthMiddlewareStack  # noqa: E402
from chat.connections.bearer import BearerCheck  # noqa: E402
from chat.connections.shutdown import Stopping  # noqa: E402
from chat.webhooks.deliveries import DeliversWebhooks  # noqa: E402
from mysite import daphne_protocol, tracing  # noqa: E402
from mysite.graphql import schema  # noqa: E402
from mysite.origins import OriginCheck  # noqa: E402
from mysite.page_connection import PageConnection  # noqa: E402
from mysite.probes import Probes  # noqa: E402
from mysite.request_log import RequestLog  # noqa: E402
from mysite.safeguards import Safeguards  # noqa: E402
from mysite.static_files import StaticFiles  # noqa: E402

PageConnection.wait_timeout = 5.0  # seconds; as long as a call in a lane


async def pages(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Django's pages. Django runs each request in a thread of its own, which opens a connection to the database.

    The connection is closed here. When the thread ends it would be left to the garbage collector, which may leave
    hundreds of them open.
    """
    async with ThreadSensitiveContext():
        try:
            await django_application(scope, receive, send)
        finally:
            await sync_to_async(connections.close_all)()


def safe(route: URLPattern) -> URLPattern:
    return URLPattern(route.pattern, Safeguards(route.callback))


def safe_from_anywhere(route: URLPattern) -> URLPattern:
    return URLPattern(route.pattern, Safeguards(route.callback, from_anywhere=True))


def routed(schema: BaseSchema, websocket_urlpatterns: Sequence[URLPattern] = ()) -> ASGI3Application:
    """The doors of the site, with `schema` at /graphql, and another app's WebSockets beside the chat's."""
    http = URLRouter(
        [
            *map(safe_from_anywhere, chat.routing.hook_urlpatterns()),
            *map(safe, gqlchat.transport.routing.http_urlpatterns(schema)),
            *map(safe, chat.routing.http_urlpatterns(pages)),
            safe_from_anywhere(re_path(settings.STATIC_URL.lstrip("/"), StaticFiles(pages))),  # type: ignore[arg-type]
            re_path("", pages),  # type: ignore[arg-type]  # Channels routes to ASGI applications
        ]
    )
    websocket = URLRouter(
        [
            *websocket_urlpatterns,
            *chat.routing.websocket_urlpatterns,
            *gqlchat.transport.routing.websocket_urlpatterns(schema),
            re_path("", WebsocketDenier.as_asgi()),
        ]
    )
    protocols = {"http": Probes(BearerCheck(http)), "websocket": OriginCheck(AuthMiddlewareStack(websocket))}
    return cast(ASGI3Application, ProtocolTypeRouter(protocols))


def served(doors: ASGI3Application) -> ASGI3Application:
    """The application that a server is given: `doors`, behind what concerns every connection. Once in a process."""
    # uvicorn has types of its own for ASGI.
    proxied = ProxyHeadersMiddleware(cast(Any, RequestLog(doors)), settings.FORWARDED_ALLOW_IPS)
    return Stopping(DeliversWebhooks(Arrivals(cast(ASGI3Application, proxied))))


application = served(routed(schema))

if tracing.begin():
    application = tracing.Traced(application)

daphne_protocol.install()  # in case Daphne serves this

# The application itself is more than a hundred thousand objects that stay: the collector needn't walk through them.
gc.collect()
gc.freeze()

# Thousands of sockets are millions of objects that stay, too. With Python's defaults (700, 10, 10) the collector walks
# through them again and again while more come; these thresholds make it do so about thirty times less often. Higher
# ones are no option: some garbage, that of failed operations say, waits for a full collection. Nor is the first one
# higher: everything waits while the young objects are walked through, 3 to 5 ms for so many.
gc.set_threshold(5_000, 10, 20)
