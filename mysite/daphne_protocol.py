"""How Daphne closes a WebSocket: with the code and reason that the application gives, and when a frame is too long."""

from typing import Any

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol


class Protocol(WebSocketProtocol):
    """Autobahn, under Daphne, lets no application close with 1011, 1012 or 1013; and Daphne leaves out the reason.

    What is sent after that is an OSError, as ASGI has it, and not an error of autobahn's own.
    """

    maxFramePayloadSize = maxMessagePayloadSize = 262_144  # bytes; for uvicorn the Procfile says so

    def handle_reply(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close" and self.state == self.STATE_OPEN:
            reason = message.get("reason") or ""
            self.sendCloseFrame(code=message.get("code") or 1000, reasonUtf8=reason.encode())
        elif message["type"] == "websocket.send" and self.state not in {self.STATE_OPEN, self.STATE_CONNECTING}:
            raise ConnectionResetError("The connection is closed.")
        else:
            super().handle_reply(message)


def install() -> None:
    WebSocketFactory.protocol = Protocol
