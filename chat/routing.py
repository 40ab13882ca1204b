"""WebSocket URLs of the chat."""

from django.urls import path, register_converter

from chat.connections.registration import registered
from chat.consumers import ChatConsumer


class AnyText:
    """Any text in the place of a room's name, with slashes and line ends too: `rooms.enter` checks it."""

    regex = r"(?s:.*)"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(AnyText, "any_text")

websocket_urlpatterns = [path("ws/chat/<any_text:room_name>/", registered(ChatConsumer.as_asgi(), door="browser"))]
