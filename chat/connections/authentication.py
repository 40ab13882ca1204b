"""The session and the user of those who open a WebSocket, and the user of those who ask over HTTP."""

from collections.abc import Sequence
from typing import Any

from channels.auth import AuthMiddleware
from channels.db import database_sync_to_async
from django.conf import settings
from django.http import parse_cookie

from chat.connections.bearer import authorizations_of, let_in
from chat.connections.sockets import LOG_IN
from chat.delivery.batcher import Batcher
from chat.domain.people import GRANT_KEY
from chat.errors import Unavailable
from chat.per_loop import PerLoop
from chat.storage.database import in_database
from chat.storage.visitors import Visitor, stranger, user_of, visitors
from chat.token_errors import InvalidToken

TRY_AGAIN = 1013


class AuthMiddlewareStack:
    """ASGI middleware: puts `cookies`, `session` and `user` into the scope of a WebSocket.

    It does what Channels' stack of this name does. That is made of three, which copy the scope four times, wrap each
    message that is sent for the sake of HTTP's cookies, change threads even for those who bring no cookie, and take a
    query or two for each who does.

    A program that brings a token is its user, with a session that is empty. With one that doesn't hold, the connection
    is closed (4401).
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope, authorizations = {**scope}, authorizations_of(scope)
        try:
            if authorizations and GRANT_KEY not in scope:
                await let_in(scope, *authorizations)
            else:
                await bring_session(scope)
        except (InvalidToken, Unavailable) as error:
            # A browser can read the code only of a connection that was accepted, and some clients want a subprotocol.
            await send({"type": "websocket.accept", "subprotocol": next(iter(scope.get("subprotocols", ())), None)})
            code = TRY_AGAIN if isinstance(error, Unavailable) else LOG_IN
            await send({"type": "websocket.close", "code": code, "reason": error.code})
            return
        await self.inner(scope, receive, send)


async def bring_session(scope: Any) -> None:
    """Puts `cookies`, `session` and `user` into the scope of a connection, unless they came by a token.

    Raises Unavailable.
    """
    if GRANT_KEY in scope:
        return
    cookies = cookies_of(scope)
    visitor = await Sessions.here().visitor(cookies.get(settings.SESSION_COOKIE_NAME))
    scope |= {"cookies": cookies, "session": visitor.session, "user": visitor.user}


class UserMiddleware(AuthMiddleware):  # type: ignore[misc]  # Channels has no types
    """ASGI middleware: puts `user` into the scope, like Channels' own, but read together with their profile.

    The user of a token is there already.
    """

    async def resolve_scope(self, scope: Any) -> None:
        if GRANT_KEY in scope:
            return
        scope["user"]._wrapped = await database_sync_to_async(user_of)(scope["session"])


def cookies_of(scope: Any) -> dict[str, str]:
    for name, value in scope["headers"]:
        if name == b"cookie":
            return parse_cookie(value.decode("latin1"))
    return {}


class Sessions(PerLoop):
    """Reads the sessions of those who come: one at once, and those who come meanwhile together."""

    def __init__(self) -> None:
        self._batcher = Batcher(_visitors)

    async def visitor(self, session_key: str | None) -> Visitor:
        """Raises Unavailable."""
        return await self._batcher.ask(session_key) if session_key else stranger()


async def _visitors(session_keys: list[str]) -> Sequence[Visitor]:
    return await in_database(visitors, session_keys)
