"""The one place where both protocols and both doors meet.

    HTTP       /graphql            → GraphQL
               anything else       → Django
    WebSocket  /ws/chat/<room>/    → the browser's chat
               /graphql            → GraphQL, both subprotocols
               anything else       → refused

Sockets that a foreign site's page opens are refused before anything else looks at them; whoever comes through has a
user and a session.
"""

import gc
import os
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import WebsocketDenier
from django.core.asgi import get_asgi_application
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
django_application: Any = get_asgi_application()  # loads the apps, which the imports below need

import chat.routing  # noqa: E402
import gqlchat.routing  # noqa: E402
from mysite.graphql import schema  # noqa: E402
from mysite.origins import OriginCheck  # noqa: E402

http = URLRouter([*gqlchat.routing.http(schema), re_path("", django_application)])
websocket = URLRouter(
    [*chat.routing.websocket, *gqlchat.routing.websocket(schema), re_path("", WebsocketDenier.as_asgi())]
)
application = ProtocolTypeRouter({"http": http, "websocket": OriginCheck(AuthMiddlewareStack(websocket))})

# Thousands of sockets are millions of objects that stay, and the collector would walk through them again and again:
# what is loaded by now is left out for good, and the rest is looked at less often than the default of 700 has it.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 100)
