"""The limit on what one request over HTTP may send."""

import asyncio

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    HTTPResponseBodyEvent,
    HTTPScope,
    Scope,
)
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chat.actions import rate_limits
from chat.connections.answers import answer
from chat.errors import ChatError, grouped
from gqlchat.guards.refusals import content_of

LINGER = 2.0  # seconds for which a refused client may go on sending


class BodyTooLong(ChatError):
    """The body is longer than CHAT_BODY_MAX."""

    code = "body_too_long"

    def __init__(self) -> None:
        super().__init__(
            _("The request is too long: {longest} bytes are allowed."), longest=grouped(settings.CHAT_BODY_MAX)
        )


class UrlTooLong(ChatError):
    """The query string is longer than CHAT_BODY_MAX."""

    code = "url_too_long"

    def __init__(self) -> None:
        super().__init__(
            _("The URL is too long: {longest} bytes are allowed."), longest=grouped(settings.CHAT_BODY_MAX)
        )


def limited(application: ASGI3Application) -> ASGI3Application:
    """ASGI middleware: answers 413 as soon as a body is, or is announced to be, longer than CHAT_BODY_MAX.

    A query string that is longer than that is answered by 414.
    """

    async def measuring(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        assert scope["type"] == "http"
        length = 0

        async def counted() -> ASGIReceiveEvent:
            nonlocal length
            message = await receive()
            if message["type"] == "http.request":
                length += len(message.get("body", b""))  # ASGI lets servers leave it out
            if length > settings.CHAT_BODY_MAX:
                raise BodyTooLong
            return message

        if len(scope["query_string"]) > settings.CHAT_BODY_MAX:
            await refuse(scope, receive, send, 414, UrlTooLong())
            return
        try:
            if announced(scope) > settings.CHAT_BODY_MAX:
                raise BodyTooLong
            await application(scope, counted, send)
        except BodyTooLong as error:
            await refuse(scope, receive, send, 413, error)

    return measuring


def announced(scope: HTTPScope) -> int:
    """The length that Content-Length announces; 0 where there is none, or where it makes no sense."""
    value = dict(scope["headers"]).get(b"content-length", b"")
    return int(value) if value.isdigit() else 0


async def refuse(
    scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable, status: int, error: ChatError
) -> None:
    rate_limits.hit("body")
    content = content_of(error, scope)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await answer(send, status, [*headers, (b"connection", b"close")], content, more=True)
    try:
        # A client whose connection ends while it is still sending may never see the answer.
        async with asyncio.timeout(LINGER):
            while (await receive()).get("more_body"):
                pass
    except TimeoutError:
        pass
    await send(HTTPResponseBodyEvent(type="http.response.body", body=b"", more_body=False))
