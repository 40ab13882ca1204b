"""Answers over HTTP that need no request of Django's."""

import asyncio
from collections.abc import Iterable

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPResponseBodyEvent, HTTPResponseStartEvent

LINGER = 2.0  # seconds for which a client that was answered early may go on sending


async def answer(
    send: ASGISendCallable, status: int, headers: Iterable[tuple[bytes, bytes]], content: bytes, *, more: bool = False
) -> None:
    """Sends an answer; with `more`, the end of it is still to come. Names in `headers` are in lower case."""
    await send(HTTPResponseStartEvent(type="http.response.start", status=status, headers=[*headers], trailers=False))
    await send(HTTPResponseBodyEvent(type="http.response.body", body=content, more_body=more))


async def answer_early(
    receive: ASGIReceiveCallable,
    send: ASGISendCallable,
    status: int,
    headers: Iterable[tuple[bytes, bytes]],
    content: bytes,
) -> None:
    """Sends an answer to a request whose body isn't read to its end.

    What still comes is taken for LINGER: a client whose connection ends while it is sending may not see the answer.
    """
    await answer(send, status, headers, content, more=True)
    try:
        async with asyncio.timeout(LINGER):
            while (await receive()).get("more_body"):
                pass
    except TimeoutError:
        pass
    await send(HTTPResponseBodyEvent(type="http.response.body", body=b"", more_body=False))
