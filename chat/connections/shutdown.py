"""Stopping without a loss: what happens between a server's SIGTERM and its end, on whichever server.

    1. `stopping()` is true, and so the server is not ready any more. With CHAT_DRAIN_SECONDS, whatever distributes
       connections has that long to notice.
    2. Nothing more is taken from sockets. Whoever is owed an answer, or has events waiting, gets them, within GRACE.
    3. Each socket is closed with 1012, and its consumer ends: so listeners leave their groups.
    4. Requests over HTTP that are under way are answered, new ones by 503.
    5. The server gets the signal, and ends as it always does; LIMIT after the first socket was closed at the latest.

Uvicorn would close sockets in the middle of an answer, and Daphne would drop them without a word and leave consumers
as they are. Neither tells an application that the end is near (Daphne knows no lifespan). So the signal is taken from
the server when it first serves something, which is after it has set its handler, and handed to it afterwards.
"""

import asyncio
import logging
import os
import signal
import threading
from types import FrameType
from typing import Any

from django.conf import settings

from chat.connections.sockets import Sockets, until

GRACE = 1.5  # seconds in which everybody at a socket has to have been given what is theirs
GRACE_HTTP = 1.0
LIMIT = 4.5  # seconds after which the process ends, whatever it waits for
FLUSH = 0.05  # seconds that the server has, to write what it was given last
RESTARTING = 1012
SIGNALS = (signal.SIGTERM, signal.SIGINT)

logger = logging.getLogger(__name__)

_stopping = False


def stopping() -> bool:
    """Whether this process is about to end."""
    return _stopping


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-type", b"text/plain"), (b"retry-after", b"1"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b"This server is restarting.\n"})


class Stopping:
    """ASGI middleware around everything, once in a process."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self._requests = 0  # over HTTP, that are being answered
        self._closed = False
        self._handlers: dict[int, Any] | None = None  # the server's own
        self._loop: asyncio.AbstractEventLoop
        self._work: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._handlers is None:
            self._take_signals()
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
            return  # a development server that reloads: it has no handlers either
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
        elif number == signal.SIGINT:  # somebody who doesn't want to wait; also comes to a worker before its SIGTERM
            self._loop.call_soon_threadsafe(self._hand_over, number)

    def _begin(self, number: int) -> None:
        self._work = self._loop.create_task(self._stop(number))

    async def _stop(self, number: int) -> None:
        try:
            if number == signal.SIGTERM:
                await asyncio.sleep(settings.CHAT_DRAIN_SECONDS)
            self._limit_time()
            logger.info("Stopping, with %d open sockets", len(Sockets.here()))
            await Sockets.here().end(RESTARTING, "restarting", GRACE)
            self._closed = True
            await until(lambda: not self._requests, GRACE_HTTP)
            await asyncio.sleep(FLUSH)
        except Exception:
            logger.exception("Can't stop in good order")
        finally:
            self._hand_over(number)

    def _limit_time(self) -> None:
        """A thread that waits for a database can't be broken off, and Python doesn't end before its threads do."""
        timer = threading.Timer(LIMIT, self._break_off)
        timer.daemon = True
        timer.start()

    def _break_off(self) -> None:
        logger.error("Something hangs, most likely the database: ending without it")
        os._exit(1)

    def _hand_over(self, number: int) -> None:
        assert self._handlers
        self._handlers[number](number, None)
