"""Programs that bring a token: `Authorization: Bearer chat_…`, over HTTP and over WebSocket.

Browsers send that header for no page of another site, neither with a form nor with a WebSocket, and a script may send
it only where a site allows that, which this one doesn't. So what comes with a token needs no check of the page that
asks. It has no session and gets no cookie; cookies that come beside the header are dropped.
"""

import contextlib
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from django.utils.translation import gettext_lazy as _

from chat.connections.answers import answer
from chat.delivery.batcher import Batcher
from chat.domain.languages import in_language_of
from chat.domain.people import GRANT_KEY, SCOPE_KEY
from chat.domain.tokens import is_well_formed
from chat.errors import ChatError, Unavailable, unforeseen
from chat.per_loop import PerLoop
from chat.storage import tokens
from chat.storage.database import in_database
from chat.storage.tokens import USE_NOTED_EVERY, Bearer
from chat.storage.visitors import stranger
from chat.token_errors import InvalidToken

REMEMBERED_MAX = 10_000  # tokens whose last use is remembered, before all are forgotten
RETRY_AFTER = 5  # seconds


# The prefix says what is meant, whatever scheme stands before it, or none: it must not go on as a guest's request.
ABOUT_TOKEN = re.compile(r"\s*(?:bearer(?:\s|$)|(?:\S+\s+)?chat_)", re.IGNORECASE)
SCHEMES = {"", "bearer", "token"}


def is_about_token(value: object) -> bool:
    """Whether a value is `Bearer …`, or `chat_…` after any scheme or none: a token, right or wrong."""
    return isinstance(value, str) and ABOUT_TOKEN.match(value) is not None


def authorizations_of(scope: Mapping[str, Any]) -> list[str]:
    """The headers `Authorization` that are about a token; others, such as a proxy's Basic, are left out."""
    headers = [value.decode("latin1") for name, value in scope.get("headers", ()) if name == b"authorization"]
    return [value for value in headers if is_about_token(value)]


def authorizations_in(payload: Mapping[str, Any]) -> list[object]:
    """Values of `authorization` in the payload of `connection_init`, in any case, and all others that are a token."""
    return [value for key, value in _entries(payload) if key.lower() == "authorization" or is_about_token(value)]


def _entries(payload: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Those in `headers` as well, where some clients put what they can't send as headers."""
    for key, value in payload.items():
        if key.lower() == "headers" and isinstance(value, dict):
            yield from value.items()
        else:
            yield key, value


async def let_in(scope: dict[str, Any], *authorizations: object) -> None:
    """Puts into the scope of a connection the user and the grant of the token in `authorizations`: `Bearer chat_…`.

    Raises InvalidToken, where they are several tokens too, or Unavailable.
    """
    secrets = {_secret(authorization) for authorization in authorizations}
    if len(secrets) != 1:
        raise _several()
    bearer = await Bearers.here().find(secrets.pop())
    if GRANT_KEY in scope and scope[GRANT_KEY].token_id != bearer.grant.token_id:
        raise _several()
    scope.pop(SCOPE_KEY, None)  # the guest that it was so far
    headers = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
    scope |= {"headers": headers, "cookies": {}, "session": stranger().session}
    scope |= {"user": bearer.user, GRANT_KEY: bearer.grant}


def _secret(authorization: object) -> str:
    words = authorization.split() if isinstance(authorization, str) else []
    scheme, secret = ("", *words)[-2:] if len(words) in {1, 2} else ("", "")
    if scheme.lower() not in SCHEMES or not is_well_formed(secret):
        raise _invalid()
    return secret


def _several() -> InvalidToken:
    return InvalidToken(_("This request has several tokens: send one."))


def _invalid() -> InvalidToken:
    return InvalidToken(_("This token is wrong, has expired or was revoked."))


class Bearers(PerLoop):
    """Reads the tokens of those who come: one at once, and those who come meanwhile together."""

    def __init__(self) -> None:
        self._batcher: Batcher[str, Bearer | None] = Batcher(_bearers)
        self._noted_at: dict[int, float] = {}  # by this process's clock

    async def find(self, secret: str) -> Bearer:
        """Raises InvalidToken or Unavailable."""
        bearer = await self._batcher.ask(secret)
        if bearer is None:
            raise _invalid()
        if bearer.is_use_old:
            await self._note_use(bearer.grant.token_id)
        return bearer

    async def _note_use(self, token_id: int) -> None:
        """Once in USE_NOTED_EVERY at most, even while nothing can be written."""
        now = time.monotonic()
        if now < self._noted_at.get(token_id, -now) + USE_NOTED_EVERY.total_seconds():
            return
        if len(self._noted_at) >= REMEMBERED_MAX:
            self._noted_at.clear()
        self._noted_at[token_id] = now
        with contextlib.suppress(Unavailable):
            await in_database(tokens.note_use, token_id=token_id)


async def _bearers(secrets: list[str]) -> Sequence[Bearer | None]:
    return await in_database(tokens.bearers, secrets)


class BearerCheck:
    """ASGI middleware for HTTP: lets requests with a token in as its user, and answers 401 to a token that isn't one.

    The answer is JSON, in the form of both GraphQL and the doors for files.
    """

    def __init__(self, application: ASGI3Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        assert scope["type"] == "http"
        if authorizations := authorizations_of(scope):
            connection: Any = {**scope}
            try:
                await let_in(connection, *authorizations)
            except Exception as error:
                await _refuse(scope, send, unforeseen(error))
                return
            scope = connection
        await self.application(scope, receive, send)


async def _refuse(scope: Scope, send: ASGISendCallable, error: ChatError) -> None:
    with in_language_of(scope):
        content = content_of(error)
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    if isinstance(error, InvalidToken):
        status = HTTPStatus.UNAUTHORIZED
        headers.append((b"www-authenticate", b'Bearer error="invalid_token"'))
    elif isinstance(error, Unavailable):
        status = HTTPStatus.SERVICE_UNAVAILABLE
        headers.append((b"retry-after", str(RETRY_AFTER).encode()))
    else:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
    headers.append((b"content-length", str(len(content)).encode()))
    await answer(send, status, headers, content)


def content_of(error: ChatError) -> bytes:
    """The body that both GraphQL's clients and others understand, in the language that is active."""
    details = error.details
    code, message = details.pop("code"), str(error)
    errors = [{"message": message, "extensions": {"code": code, **details}}]
    return json.dumps({"error": code, "message": message, **details, "errors": errors}, ensure_ascii=False).encode()
