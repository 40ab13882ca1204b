"""Daphne's protocols, made fit for clients that don't read.

And WebSockets are closed with the code and reason that the application gives, and when a frame is too long. Tokens of
programs are masked in Daphne's own access log.
"""

from typing import Any

from daphne import cli, http_protocol
from daphne.access import AccessLogGenerator
from daphne.http_protocol import WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.conf import settings

from chat.domain.tokens import masked

UNREAD_MAX = 8_000_000  # bytes; no consumer waits for a client here, so what one has missed is written at once


class Protocol(WebSocketProtocol):
    """Autobahn, under Daphne, lets no application close with 1011, 1012 or 1013; and Daphne leaves out the reason.

    What is sent after that is an OSError, as ASGI has it, and not an error of autobahn's own. And as Daphne has nobody
    wait for a client that doesn't read, such a one is dropped.
    """

    def handle_reply(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close" and self.state == self.STATE_OPEN:
            reason = message.get("reason") or ""
            self.sendCloseFrame(code=message.get("code") or 1000, reasonUtf8=reason.encode())
        elif message["type"] == "websocket.send" and self.state not in {self.STATE_OPEN, self.STATE_CONNECTING}:
            raise ConnectionResetError("The connection is closed.")
        elif message["type"] == "websocket.send" and unread(self.transport) > UNREAD_MAX:
            self.transport.abortConnection()
            raise ConnectionAbortedError("The client doesn't read.")
        else:
            super().handle_reply(message)


class Request(WebRequest):
    """An answer that is streamed to a client that doesn't read ends the connection, as a WebSocket does."""

    def handle_reply(self, message: dict[str, Any]) -> None:
        if message.get("more_body") and self.channel and unread(self.channel.transport) > UNREAD_MAX:
            self.channel.transport.abortConnection()
            raise ConnectionAbortedError("The client doesn't read.")
        super().handle_reply(message)


def unread(transport: Any) -> int:
    """How many bytes wait for the client, who doesn't read them. Twisted has no other way to ask."""
    return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)


class MaskedAccessLog(AccessLogGenerator):
    """Daphne's access log is no logger of logging's, and has whole paths: those of webhooks hold tokens."""

    def write_entry(self, host: str, date: Any, request: str, *arguments: Any, **details: Any) -> None:
        super().write_entry(host, date, masked(request), *arguments, **details)


def install() -> None:
    cli.AccessLogGenerator = MaskedAccessLog  # which its command line makes after it has imported the application
    Protocol.maxFramePayloadSize = Protocol.maxMessagePayloadSize = settings.WEBSOCKET_MAX_SIZE
    WebSocketFactory.protocol = Protocol
    http_protocol.WebRequest = Request  # which Daphne's factory looks up for each connection
