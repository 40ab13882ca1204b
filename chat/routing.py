"""URLs of the chat: for WebSocket, and for files and webhooks over HTTP. `chat.urls` has those of pages."""

from typing import Any

from asgiref.typing import ASGI3Application
from django.urls import URLPattern, path, re_path, register_converter

from chat.connections.registration import registered
from chat.consumers import ChatConsumer
from chat.event_door import EventDoor
from chat.file_downloads import download
from chat.file_uploads import UploadDoor
from chat.hooks import take_hook


class AnyText:
    """Any text in the place of a room's name, with slashes and line ends too: `rooms.enter` checks it."""

    regex = r"(?s:.*)"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(AnyText, "any_text")

websocket_urlpatterns = [path("ws/chat/<any_text:room_name>/", registered(ChatConsumer.as_asgi(), door="browser"))]


def hook_urlpatterns() -> list[URLPattern]:
    """For programs that know a token, wherever they are."""
    return [re_path(r"^hooks/(?P<token>[^/]*)/?$", take_hook)]  # type: ignore[arg-type]  # an ASGI application


def http_urlpatterns(pages: ASGI3Application) -> list[URLPattern]:
    """`pages` answers what is for none of these."""
    routes: list[tuple[str, Any]] = [
        (r"^chat/(?P<room_name>(?s:.+))/events/$", EventDoor(pages)),
        (r"^chat/(?P<room_name>(?s:.+))/files/$", UploadDoor(pages)),
        (r"^chat/(?P<room_name>(?s:.+))/files/(?P<file_id>[0-9a-f]{32})/(?P<file_name>[^/]+)$", download),
    ]
    return [re_path(path, application) for path, application in routes]
