import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
django_application = get_asgi_application()

from strawberry.channels import GraphQLHTTPConsumer, GraphQLWSConsumer  # noqa: E402

from chat.consumers import ChatConsumer  # noqa: E402
from gqlchat.schema import schema  # noqa: E402

graphql_http = AuthMiddlewareStack(GraphQLHTTPConsumer.as_asgi(schema=schema))
chat = re_path(r"ws/chat/(?P<room_name>[\w-]+)/$", ChatConsumer.as_asgi())
graphql = re_path(r"graphql", GraphQLWSConsumer.as_asgi(schema=schema))
application = ProtocolTypeRouter(
    {
        "http": URLRouter([re_path("^graphql", graphql_http), re_path("^", django_application)]),
        "websocket": AuthMiddlewareStack(URLRouter([chat, graphql])),
    }
)
