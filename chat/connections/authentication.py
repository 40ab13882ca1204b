"""Who opens a WebSocket: the session and the user of its cookie."""

from typing import Any

from django.conf import settings
from django.http import parse_cookie

from chat.errors import Unavailable
from chat.storage.database import in_database
from chat.storage.visitors import Visitor, stranger, visitors

TRY_AGAIN = 1013


class AuthMiddlewareStack:
    """ASGI middleware: puts `cookies`, `session` and `user` into the scope of a WebSocket.

    It does what Channels' stack of this name does. That is made of three, which copy the scope four times, wrap each
    message that is sent for the sake of HTTP's cookies, and go to the database even for those who bring no cookie.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        cookies = cookies_of(scope)
        try:
            visitor = await who_has(cookies.get(settings.SESSION_COOKIE_NAME))
        except Unavailable as error:
            await send({"type": "websocket.accept"})  # a browser can read the code only then
            await send({"type": "websocket.close", "code": TRY_AGAIN, "reason": error.code})
            return
        scope = {**scope, "cookies": cookies, "session": visitor.session, "user": visitor.user}
        await self.inner(scope, receive, send)


def cookies_of(scope: Any) -> dict[str, str]:
    for name, value in scope["headers"]:
        if name == b"cookie":
            return parse_cookie(value.decode("latin1"))
    return {}


async def who_has(session_key: str | None) -> Visitor:
    """Raises Unavailable."""
    if not session_key:
        return stranger()
    [visitor] = await in_database(visitors, [session_key])
    return visitor
