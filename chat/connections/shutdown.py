"""Stopping without a loss: the steps between SIGTERM and the end of the process, under any server.

    1. `stopping()` is true, and the server is not ready any more. With CHAT_DRAIN_SECONDS, a load balancer has that
       long to notice.
    2. Nothing more is taken from sockets. Within GRACE_SOCKETS, clients get the answers and events that they wait for.
    3. Each socket is closed with 1012, and its consumer ends, so that listeners leave their groups. Other processes are
       told that nobody is here any more. Requests to other hosts are broken off.
    4. Requests over HTTP that are under way are answered, new ones with 503.
    5. The server gets the signal, and ends in its own way; LIMIT after the first socket was closed at the latest.

Uvicorn would close sockets in the middle of an answer; Daphne would drop them without a close frame and leave their
consumers running. Neither tells an application that it is about to stop (Daphne knows no lifespan). So the signal is
taken from the server when it first serves something, which is after it has set its handler, and handed to it later.
"""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from types import FrameType
from typing import Any

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chat.connections.answers import answer
from chat.connections.bearer import content_of
from chat.connections.sockets import Sockets, until
from chat.delivery.rooms.source import presences
from chat.domain.languages import in_language_of
from chat.errors import Unavailable
from chat.outgoing.client import Client
from chat.push.pusher import Pusher
from chat.status.processes import Reports

GRACE_SOCKETS = 1.5  # seconds for what clients at sockets still wait for
GRACE_HTTP = 1.0  # seconds for requests that are under way
LIMIT = 4.5  # seconds after which the process ends in any case
FLUSH = 0.05  # seconds for the server to write what it was given last
RESTARTING = 1012
SIGNALS = (signal.SIGTERM, signal.SIGINT)

logger = logging.getLogger(__name__)

_stopping = False
_ends: list[Callable[[], Awaitable[None]]] = []


def at_stop(end: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Decorator: calls a function in step 3, in the server's event loop. It has to return within a second."""
    _ends.append(end)
    return end


def stopping() -> bool:
    """Whether this process is about to end."""
    return _stopping


async def refuse(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """The application for requests that come after the sockets were closed: 503, try again in a second.

    For people as a text, for programs as JSON.
    """
    assert scope["type"] == "http"
    is_page = b"text/html" in dict(scope["headers"]).get(b"accept", b"")
    error = Unavailable(_("This server is restarting. Please try again in a moment."))
    with in_language_of(scope):
        content = f"{error}\n".encode() if is_page else content_of(error)
    content_type = b"text/plain; charset=utf-8" if is_page else b"application/json"
    headers = [(b"content-type", content_type), (b"retry-after", b"1"), (b"connection", b"close")]
    await answer(send, HTTPStatus.SERVICE_UNAVAILABLE, headers, content)


class Stopping:
    """ASGI middleware around everything, once in a process."""

    def __init__(self, application: ASGI3Application) -> None:
        self.application = application
        self._requests = 0  # over HTTP, that are being answered
        self._closed = False
        self._handlers: dict[int, Any] | None = None  # the server's own
        self._loop: asyncio.AbstractEventLoop
        self._work: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if self._handlers is None:
            self._take_signals()
            if self._handlers:  # it is a server's own process, which is stopped here
                Reports.here().start()
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        self._requests += 1
        try:
            await (refuse if self._closed else self.application)(scope, receive, send)
        finally:
            self._requests -= 1

    def _take_signals(self) -> None:
        self._handlers = {}
        self._loop = asyncio.get_running_loop()
        if threading.current_thread() is not threading.main_thread():
            return  # a development server that reloads has no handlers either
        for number in SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler) and handler is not signal.default_int_handler:
                self._handlers[number] = handler
                signal.signal(number, self._signalled)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        global _stopping
        if not _stopping:
            _stopping = True
            self._loop.call_soon_threadsafe(self._begin, number)
        elif number == signal.SIGINT:  # a second Ctrl+C; workers get one before their SIGTERM, too
            self._loop.call_soon_threadsafe(self._hand_over, number)

    def _begin(self, number: int) -> None:
        self._work = self._loop.create_task(self._stop(number))

    async def _stop(self, number: int) -> None:
        try:
            if number == signal.SIGTERM:
                await asyncio.sleep(settings.CHAT_DRAIN_SECONDS)
            self._limit_time()
            logger.info("Stopping, with %d open sockets", len(Sockets.here()))
            await Sockets.here().end(RESTARTING, "restarting", GRACE_SOCKETS)
            await presences().stop()
            await Reports.here().stop()
            await Pusher.here().stop()
            for end in _ends:
                await end()
            await Client.here().close()
            self._closed = True
            await until(lambda: not self._requests, GRACE_HTTP)
            await asyncio.sleep(FLUSH)
        except Exception:
            logger.exception("Can't stop cleanly")
        finally:
            self._hand_over(number)

    def _limit_time(self) -> None:
        """Ends the process by force in the end: a thread that waits for a database can't be cancelled."""
        timer = threading.Timer(LIMIT, self._break_off)
        timer.daemon = True
        timer.start()

    def _break_off(self) -> None:
        logger.error("Stopped by force: something hangs, most likely the database")
        os._exit(1)

    def _hand_over(self, number: int) -> None:
        assert self._handlers
        self._handlers[number](number, None)
