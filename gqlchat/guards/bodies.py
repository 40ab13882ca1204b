"""How much one may send at once over HTTP."""

import asyncio
import json
from typing import Any

from django.conf import settings

from chat.actions import rate_limits

LINGER = 2.0  # seconds in which a client may go on sending what nobody reads, before it is cut off


class TooLong(Exception):
    """More came than may come."""


def limited(application: Any) -> Any:
    """ASGI middleware: answers 413 once a body is announced to be, or turns out to be, longer than CHAT_BODY_MAX.

    A query in the URL may be as long; beyond that it is 414.
    """

    async def measuring(scope: Any, receive: Any, send: Any) -> None:
        length = 0

        async def counted() -> Any:
            nonlocal length
            message = await receive()
            length += len(message.get("body", b""))
            if length > settings.CHAT_BODY_MAX:
                raise TooLong
            return message

        if len(scope["query_string"]) > settings.CHAT_BODY_MAX:
            await refuse(receive, send, 414, "url_too_long", "The URL is too long")
            return
        try:
            if announced(scope) > settings.CHAT_BODY_MAX:
                raise TooLong
            await application(scope, counted, send)
        except TooLong:
            await refuse(receive, send, 413, "body_too_long", "The request is too long")

    return measuring


def announced(scope: Any) -> int:
    """The length that the client says its body has; 0 where it says none, or nonsense."""
    value = dict(scope["headers"]).get(b"content-length", b"")
    return int(value) if value.isdigit() else 0


async def refuse(receive: Any, send: Any, status: int, code: str, problem: str) -> None:
    rate_limits.hit("body")
    message = f"{problem}: {settings.CHAT_BODY_MAX:,} bytes are allowed."
    content = json.dumps({"errors": [{"message": message, "extensions": {"code": code}}]}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": content, "more_body": True})
    try:
        # Who is hung up on while still sending may never see the answer.
        async with asyncio.timeout(LINGER):
            while (await receive()).get("more_body"):
                pass
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b""})
