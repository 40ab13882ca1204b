"""uvicorn's WebSocket, where a client that doesn't read can't keep what it is sent waiting for ever.

The Procfile names it. Another server has to see to this itself, as a proxy in front does.
"""

import logging
import socket
from asyncio import BaseTransport, Transport
from typing import Any, cast

from django.conf import settings
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from mysite.gate import Gate
from mysite.inbox import Inbox

# The settings leave out what uvicorn and websockets log of each connection. To find out late takes as long as to write.
logger = logging.getLogger("uvicorn.error.websocket")

READ_TIMEOUT = 40.0  # seconds; as long as uvicorn waits for the answer to a ping


class WebSocket(WebSocketsSansIOProtocol):
    # uvicorn's attributes. Of more than thirty Python makes a table for each instance, of 1.5 KB.
    __slots__ = (
        *("app", "app_state", "asgi_version", "client", "close_sent", "close_timeout", "close_timer", "config", "conn"),
        *("connections", "curr_msg_data_type", "default_headers", "disconnected", "frames", "handshake_complete"),
        *("handshake_initiated", "initial_response", "last_ping_rtt", "logger", "loop", "pending_ping_payload"),
        *("ping_interval", "ping_sent_at", "ping_timeout", "ping_timer", "pong_timer", "queue", "read_paused"),
        *("request", "response", "root_path", "scheme", "scope", "server", "tasks", "transport", "writable"),
    )

    def __init__(self, config: Config, *args: Any, **kwargs: Any) -> None:
        """Reads frames as long as the site's settings say, whatever uvicorn was told."""
        config.ws_max_size = settings.WEBSOCKET_MAX_SIZE
        super().__init__(config, *args, **kwargs)
        self.queue, self.writable = Inbox(), Gate()
        self.logger = self.conn.logger = logger

    def connection_made(self, transport: BaseTransport) -> None:
        """Has the system notice a client that takes nothing.

        uvicorn does notice, by pings that aren't answered; but then it closes, and waits until all that was written
        before has been read.
        """
        forget_parser(transport)
        super().connection_made(transport)
        limit_unread_time(transport)

    def start_keepalive(self) -> None:
        """Called when the connection is accepted: nobody looks at the handshake any more, whose parser keeps it."""
        super().start_keepalive()
        self.request.headers.clear()
        del self.request, self.response

    def connection_lost(self, exc: Exception | None) -> None:
        """Lets go of what would keep this protocol until the garbage collector looks: the parser knows its parts."""
        super().connection_lost(exc)
        self.conn.parser.close()

    def handle_ping(self) -> None:
        """Answers a ping, unless the client doesn't read what it has been sent: those answers would have no end."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    async def run_asgi(self) -> None:
        """Gives the application two ways that ASGI doesn't have, in the scope.

        `drop` ends the connection without a word: a close frame would have to be read. `write_frame` is there where
        frames are sent as they are: compressed ones depend on what that client was sent before.
        """
        self.scope["drop"] = self.transport.abort  # type: ignore[typeddict-unknown-key]
        if not self.conn.extensions:
            self.scope["write_frame"] = self.write_frame  # type: ignore[typeddict-unknown-key]
        try:
            await super().run_asgi()
        finally:
            self.scope.clear()  # type: ignore[attr-defined]  # it knows this protocol, and the protocol it

    def write_frame(self, frame: bytes) -> bool:
        """Writes a ready-made WebSocket frame, at once and whole.

        False, and nothing is written, while the client has to be waited for, before the connection is accepted, and
        when it is closing or gone. `send` waits, or says which of these it is.
        """
        if not self.writable.is_set() or self.conn.state is not State.OPEN or self.transport.is_closing():
            return False
        self.transport.write(frame)
        return True


def limit_unread_time(transport: BaseTransport) -> None:
    """Has the system end a connection whose client takes nothing for READ_TIMEOUT."""
    connection = transport.get_extra_info("socket")
    if hasattr(socket, "TCP_USER_TIMEOUT") and connection and connection.family != socket.AF_UNIX:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(READ_TIMEOUT * 1000))


def forget_parser(transport: BaseTransport) -> None:
    """Has uvicorn's HTTP protocol, which upgrades its connection to a WebSocket, let go of its parser.

    The parser knows the protocol, too. They would stay as long as the WebSocket, until the garbage collector looks.
    """
    upgraded = cast(Transport, transport).get_protocol()
    if isinstance(upgraded, HttpToolsProtocol):
        upgraded.parser = None  # type: ignore[assignment]  # as uvicorn does when a connection is lost
