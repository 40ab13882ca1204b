"""Answers over HTTP that need no request of Django's."""

from collections.abc import Iterable

from asgiref.typing import ASGISendCallable, HTTPResponseBodyEvent, HTTPResponseStartEvent


async def answer(
    send: ASGISendCallable, status: int, headers: Iterable[tuple[bytes, bytes]], content: bytes, *, more: bool = False
) -> None:
    """Sends an answer; with `more`, the end of it is still to come. Names in `headers` are in lower case."""
    await send(HTTPResponseStartEvent(type="http.response.start", status=status, headers=[*headers], trailers=False))
    await send(HTTPResponseBodyEvent(type="http.response.body", body=content, more_body=more))
