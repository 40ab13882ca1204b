"""The one place where both protocols and both doors meet.

    HTTP       /livez …            → whoever runs the site
               /graphql            → GraphQL
               anything else       → Django
    WebSocket  /ws/chat/<room>/    → the browser's chat
               /graphql            → GraphQL, both subprotocols
               anything else       → refused

What a foreign site's page asks for is refused before anything else looks at it; whoever comes through has a user and a
session. Who the client is, a proxy may say if it is one that the site trusts, to whichever server.
"""

import gc
import os
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.db import connections
from django.urls import URLPattern, re_path
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
django_application: Any = get_asgi_application()  # loads the apps, which the imports below need

import chat.routing  # noqa: E402
import gqlchat.transport.routing  # noqa: E402
from chat.connections.shutdown import Stopping  # noqa: E402
from mysite import daphne_protocol  # noqa: E402
from mysite.graphql import schema  # noqa: E402
from mysite.origins import OriginCheck  # noqa: E402
from mysite.probes import Probes  # noqa: E402
from mysite.request_log import AccessLog  # noqa: E402
from mysite.safeguards import Safeguards  # noqa: E402


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """Django's own. It runs each request in a thread of its own, which opens a connection to the database.

    That is closed here: as the thread ends it would be left to the garbage collector, which may let hundreds stay open.
    """
    async with ThreadSensitiveContext():
        try:
            await django_application(scope, receive, send)
        finally:
            await sync_to_async(connections.close_all)()


def safe(route: URLPattern) -> URLPattern:
    return URLPattern(route.pattern, Safeguards(route.callback))


http = URLRouter([*map(safe, gqlchat.transport.routing.http(schema)), re_path("", pages)])  # type: ignore[arg-type]  # an ASGI application, as Channels has it
websocket = URLRouter(
    [*chat.routing.websocket, *gqlchat.transport.routing.websocket(schema), re_path("", WebsocketDenier.as_asgi())]
)
protocols = ProtocolTypeRouter({"http": Probes(http), "websocket": OriginCheck(AuthMiddlewareStack(websocket))})
application: Any = Stopping(ProxyHeadersMiddleware(AccessLog(protocols), settings.FORWARDED_ALLOW_IPS))

daphne_protocol.install()  # for when it is Daphne that serves this

# Thousands of sockets are millions of objects that stay. With Python's defaults (700, 10, 10) the collector walks
# through them again and again while more come; this lets it look some thirty times more seldom. Not never: connections
# that are over lie there until it looks at everything. When they come and go fast, that is some 40 MB; with 20 and 100
# it was gigabytes.
gc.set_threshold(20_000, 10, 5)
