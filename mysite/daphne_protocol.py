"""How Daphne closes a WebSocket: with the code and reason that the application gives, and when a frame is too long."""

from typing import Any

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.conf import settings

UNREAD_MAX = 8_000_000  # bytes; no consumer waits for a client here, so what one has missed is written at once


class Protocol(WebSocketProtocol):
    """Autobahn, under Daphne, lets no application close with 1011, 1012 or 1013; and Daphne leaves out the reason.

    What is sent after that is an OSError, as ASGI has it, and not an error of autobahn's own. And as Daphne has nobody
    wait for a client that doesn't read, such a one is dropped.
    """

    @property
    def unread(self) -> int:
        """How many bytes wait for the client, who doesn't read them. Twisted has no other way to ask."""
        transport = self.transport
        return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)

    def handle_reply(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close" and self.state == self.STATE_OPEN:
            reason = message.get("reason") or ""
            self.sendCloseFrame(code=message.get("code") or 1000, reasonUtf8=reason.encode())
        elif message["type"] == "websocket.send" and self.state not in {self.STATE_OPEN, self.STATE_CONNECTING}:
            raise ConnectionResetError("The connection is closed.")
        elif message["type"] == "websocket.send" and self.unread > UNREAD_MAX:
            self.transport.abortConnection()
            raise ConnectionAbortedError("The client doesn't read.")
        else:
            super().handle_reply(message)


def install() -> None:
    Protocol.maxFramePayloadSize = Protocol.maxMessagePayloadSize = settings.WEBSOCKET_MAX_SIZE
    WebSocketFactory.protocol = Protocol
