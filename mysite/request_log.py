"""The request log: one form under every server, and without the texts of messages."""

import logging
import re
import time
from urllib.parse import quote

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope
from websockets.exceptions import InvalidState

from chat import log_context
from chat.domain.tokens import MASK, PREFIX, masked

logger = logging.getLogger(__name__)

# The part of a path before its secret, and the secret
SECRET = re.compile(
    "^(/hooks/|/invitations/|/accounts/login/link/|/accounts/notifications/(?:confirm|unsubscribe)/)[^/]+"
)
PROBES = {"/livez", "/readyz", "/metrics"}  # asked every few seconds, so logged at DEBUG


class RequestLog:
    """ASGI middleware around everything: begins the logging context of each connection, and logs a line per request.

    The line of a WebSocket is logged when it is closed, by `chat.connections.sockets`. Query strings are left out:
    `GET /graphql?query=…` may hold a message.
    """

    def __init__(self, application: ASGI3Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        log_context.begin()
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        began, status = time.monotonic(), 500

        async def noting_the_status(message: ASGISendEvent) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.application(scope, receive, noting_the_status)
        finally:
            path, client = quote(SECRET.sub(rf"\1{MASK}", masked(scope["path"])), safe=f"/{MASK}"), scope.get("client")
            level = logging.DEBUG if path in PROBES else logging.INFO
            facts = {"status": status, "seconds": round(time.monotonic() - began, 4), "address": client and client[0]}
            logger.log(level, "%s %s %d", scope["method"], path, status, extra=facts)


class ServersOwn(logging.Filter):
    """Lets a server's lines about itself through; drops those about requests, and about frames (at DEBUG)."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = str(record.msg)
        return record.levelno >= logging.INFO and '"WebSocket' not in said and not said.startswith("connection ")


class WithoutTokens(logging.Filter):
    """Masks tokens of programs, which are secrets: a webhook's is in its path, and anybody may put one anywhere."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if PREFIX in said:
            record.msg, record.args = masked(said), None
        if record.exc_info:
            traceback = logging.Formatter().formatException(record.exc_info)
            if masked(traceback) != traceback:
                record.exc_info, record.exc_text = None, masked(traceback)
        return True


class ClientsFault(logging.Filter):
    """Turns errors that a client alone has caused into warnings of one line, so that no client can flood the log.

    Django logs a refused host or redirect as an error with a traceback. So does uvicorn a text that is not UTF-8, and
    asyncio such a text on a connection that is closing already.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        refused = record.name.startswith("django.security.") and record.levelno == logging.ERROR
        refused = refused or (record.name == "django.request" and record.levelno < logging.ERROR)  # with 4xx
        from_server = record.name in {"uvicorn.error", "uvicorn.error.websocket", "asyncio"} and record.exc_info
        if refused or (from_server and from_server[0] in {UnicodeDecodeError, InvalidState}):
            record.exc_info = record.exc_text = None
            record.msg, record.args = record.getMessage().partition("\n")[0], None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True
