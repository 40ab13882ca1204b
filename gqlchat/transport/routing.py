"""URLs of GraphQL, for HTTP and for WebSocket."""

from channels.sessions import SessionMiddlewareStack
from django.urls import URLPattern, re_path
from strawberry.schema import BaseSchema

from chat.connections.authentication import UserMiddleware
from chat.connections.registration import registered
from gqlchat.guards import bodies, outages
from gqlchat.transport.consumers import ChatGraphQLHTTPConsumer, ChatGraphQLWSConsumer
from gqlchat.transport.streams import with_streams

GRAPHQL = r"^graphql/?$"


def http_urlpatterns(schema: BaseSchema) -> list[URLPattern]:
    # Around this route only: the rest of HTTP is Django's, which finds session and user itself.
    consumer = with_streams(schema, ChatGraphQLHTTPConsumer.as_asgi(schema=schema))
    application = bodies.limited(outages.answered(SessionMiddlewareStack(UserMiddleware(consumer))))
    return [re_path(GRAPHQL, application)]  # type: ignore[arg-type]  # Channels routes to ASGI applications


def websocket_urlpatterns(schema: BaseSchema) -> list[URLPattern]:
    return [re_path(GRAPHQL, registered(ChatGraphQLWSConsumer.as_asgi(schema=schema), door="graphql"))]
