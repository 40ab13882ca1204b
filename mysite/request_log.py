"""What the log says of requests, in one form whichever server has them, and without what people say in them."""

import logging
import time
from typing import Any
from urllib.parse import quote

from websockets.exceptions import InvalidState

from chat import log_context

logger = logging.getLogger(__name__)

PROBES = {"/livez", "/readyz", "/metrics"}  # every few seconds: of interest only to who looks closely


class AccessLog:
    """ASGI middleware around everything: from here on lines of the log tell connections apart. A request gets a line.

    (A WebSocket gets its own when it is closed, in `chat.connections.sockets`.) Query strings are left out: there may
    be a message in `GET /graphql?query=…`, and whether that is refused or not, it isn't for the log.
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        log_context.begin()
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        began, status = time.monotonic(), 500

        async def noting_the_status(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.application(scope, receive, noting_the_status)
        finally:
            path, client = quote(scope["path"]), scope.get("client")
            level = logging.DEBUG if path in PROBES else logging.INFO
            facts = {"status": status, "seconds": round(time.monotonic() - began, 4), "address": client and client[0]}
            logger.log(level, "%s %s %d", scope["method"], path, status, extra=facts)


class ServersOwn(logging.Filter):
    """Lets through what a server says of itself: not of requests, and not of frames, which it shows at DEBUG."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = str(record.msg)
        return record.levelno >= logging.INFO and '"WebSocket' not in said and not said.startswith("connection ")


class ClientsFault(logging.Filter):
    """What a client alone did wrong is no error of the site: a warning of one line, so that nobody can flood the log.

    Django logs a host or a redirect that it refuses as an error with a traceback; uvicorn a text that is not UTF-8; and
    asyncio, for uvicorn, such a text on a connection that is closing already.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        refused = record.name.startswith("django.security.") and record.levelno == logging.ERROR
        refused = refused or (record.name == "django.request" and record.levelno < logging.ERROR)  # with 4xx
        from_server = record.name in {"uvicorn.error", "asyncio"} and record.exc_info
        if refused or (from_server and from_server[0] in {UnicodeDecodeError, InvalidState}):
            record.exc_info = record.exc_text = None
            record.msg, record.args = record.getMessage().partition("\n")[0], None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True
