"""The body of a request over HTTP, with a limit on its length and one on its time."""

import asyncio

from asgiref.typing import ASGIReceiveCallable, ASGIReceiveEvent, HTTPRequestEvent, HTTPScope
from django.utils.translation import gettext_lazy as _

from chat.errors import ChatError, grouped

READ_TIMEOUT = 30.0  # seconds for the whole body
DIGITS_MAX = 18  # of a length that may be allowed


class BodyTooLong(ChatError):
    """The body is longer than the door takes: most take CHAT_BODY_MAX."""

    code = "body_too_long"

    def __init__(self, longest: int) -> None:
        super().__init__(_("The body is longer than {longest} bytes."), longest=grouped(longest))


class BodyTooSlow(ChatError):
    """The body doesn't come to an end: it takes more than READ_TIMEOUT, or is cut off."""

    code = "body_too_slow"


class Body:
    """A request's body as the server gives it. After its end there is nothing to wait for: it ends once more."""

    def __init__(self, receive: ASGIReceiveCallable) -> None:
        self._receive = receive
        self._ended: ASGIReceiveEvent | None = None

    async def receive(self) -> ASGIReceiveEvent:
        message = self._ended or await self._receive()
        if not message.get("more_body"):
            self._ended = message
        return message


async def read_body(scope: HTTPScope, receive: ASGIReceiveCallable, longest: int) -> bytes:
    """Raises BodyTooLong as soon as it is, or is announced to be, longer than `longest` bytes; and BodyTooSlow."""
    if announced(scope) > longest:
        raise BodyTooLong(longest)
    body = bytearray()
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise TimeoutError
                body += message.get("body", b"")  # ASGI lets servers leave it out
                if len(body) > longest:
                    raise BodyTooLong(longest)
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError:
        raise BodyTooSlow(_("The body doesn’t come to an end.")) from None


def announced(scope: HTTPScope) -> int:
    """The length that Content-Length announces; 0 where there is none, or where it makes no sense."""
    value = dict(scope["headers"]).get(b"content-length", b"")
    return int(value[:DIGITS_MAX]) if value.isdigit() else 0


def again(body: bytes, receive: ASGIReceiveCallable) -> ASGIReceiveCallable:
    """A `receive` that begins with the body, which has been read."""
    messages: list[ASGIReceiveEvent] = [HTTPRequestEvent(type="http.request", body=body, more_body=False)]

    async def receive_again() -> ASGIReceiveEvent:
        return messages.pop() if messages else await receive()

    return receive_again
