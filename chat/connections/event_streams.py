"""Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html

A stream of events is a connection like a WebSocket, except that the client can only listen. So a WebSocket's consumer
serves it: `EventStream` turns ASGI's messages for WebSockets into those for HTTP. Limits, logins that end, shutdown and
clients that don't read are the business of the same code as for sockets.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from chat.connections.answers import answer
from chat.connections.arrivals import ArrivalBudget
from chat.delivery.socket_listener import WRITE_TIMEOUT

CONTENT_TYPE = "text/event-stream"
HEARTBEAT_INTERVAL = 15.0  # seconds; proxies commonly end a connection on which nothing has come for 60
HEARTBEAT = b":\n\n"  # a comment, which clients pass over
RETRY = (500, 5000)  # milliseconds; clients of a server that restarts come back after some time between these
RESTARTING = 1012
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept"),
    (b"x-accel-buffering", b"no"),  # has nginx pass each event on as it comes
]


class Form(Protocol):
    """The form of a door's events and refusals. A code is a WebSocket's, and a reason is a stable word of ours."""

    def event(self, text: str) -> bytes:
        """The event that brings a text message."""

    def refusal(self, scope: Any, code: int, reason: str) -> tuple[int, bytes]:
        """The HTTP status and the JSON with which a connection is refused."""

    def farewell(self, scope: Any, code: int, reason: str) -> bytes:
        """The last events of a stream."""


def served(consumer: Any, form: Form) -> Any:
    """ASGI application for HTTP, where `consumer` is one for WebSocket with `registered` around it.

    The request's body has to be read before: `scope["body"]`. `consumer` finds whatever else the scope has.
    """

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await ArrivalBudget.here().wait()
        stream = EventStream(scope, receive, send, form)
        try:
            await consumer({**scope, "type": "websocket", "subprotocols": []}, stream.receive, stream.send)
        except OSError:
            pass  # the client is gone, which the server knows
        finally:
            stream.close()

    return application


class EventStream:
    """One response over HTTP, with the receive and the send of a WebSocket.

    A message with `bytes` has one or more whole events, as they are written; the door puts `text` into one.
    """

    def __init__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Any, form: Form) -> None:
        self._scope = scope
        self._send = send
        self._form = form
        self._connected = False
        self._accepted = False
        self._leaving = asyncio.create_task(_until_gone(receive))

    async def receive(self) -> dict[str, Any]:
        """Tells the consumer when the client is gone, or the stream has ended. Sends heartbeats while it waits."""
        if not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        while not (await asyncio.wait([self._leaving], timeout=HEARTBEAT_INTERVAL))[0]:
            if self._accepted:
                await self._beat()
        return {"type": "websocket.disconnect", "code": None}

    async def send(self, message: Any) -> None:
        """Raises ConnectionResetError when the client is gone."""
        if self._leaving.done():
            raise ConnectionResetError("The client is gone.")
        match message["type"]:
            case "websocket.accept":
                await self._send({"type": "http.response.start", "status": 200, "headers": HEADERS})
                await self._write(HEARTBEAT)  # a proxy may hold back the headers until something follows
                self._accepted = True
            case "websocket.send":
                await self._write(message.get("bytes") or self._form.event(message["text"]))
            case "websocket.close":
                await self._end(message.get("code") or 1000, message.get("reason") or "")

    def close(self) -> None:
        self._leaving.cancel()

    async def _end(self, code: int, reason: str) -> None:
        try:
            if not self._accepted:
                status, content = self._form.refusal(self._scope, code, reason)
                headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
                await answer(self._send, status, [*headers, (b"cache-control", b"no-store")], content)
            else:
                await self._write(self._form.farewell(self._scope, code, reason), more=False)
        finally:
            self.close()

    async def _write(self, events: bytes, *, more: bool = True) -> None:
        await self._send({"type": "http.response.body", "body": events, "more_body": more})

    async def _beat(self) -> None:
        """A client that doesn't take it in time, or what came before it, is dropped."""
        try:
            async with asyncio.timeout(WRITE_TIMEOUT):
                await self._write(HEARTBEAT)
        except TimeoutError:
            if drop := self._scope.get("drop"):
                drop()
            raise


def last_event_id(scope: Mapping[str, Any]) -> str:
    """The id of the last event that a client has, which comes back; empty for one that is new."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    return headers.get(b"last-event-id", b"").decode("latin1")


def retry() -> bytes:
    """Has a client that comes back by itself wait: a while that is another for each."""
    return b"retry: %d\n\n" % random.randint(*RETRY)


async def _until_gone(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
