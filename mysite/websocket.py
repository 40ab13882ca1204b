"""uvicorn's WebSocket, where a client that doesn't read can't keep what it is sent waiting for ever.

The Procfile names it. Whatever else serves the site has to see to this itself, as a proxy in front does.
"""

import socket
from asyncio import BaseTransport

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

READ_TIMEOUT = 40.0  # seconds; as long as uvicorn waits for the answer to a ping


class WebSocket(WebSocketsSansIOProtocol):
    def connection_made(self, transport: BaseTransport) -> None:
        """Has the system end a connection whose client takes nothing for READ_TIMEOUT.

        uvicorn does notice, by pings that aren't answered; but then it closes, and waits until all that was written
        before has been read.
        """
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if hasattr(socket, "TCP_USER_TIMEOUT") and connection and connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(READ_TIMEOUT * 1000))

    def handle_ping(self) -> None:
        """Answers a ping, unless the client doesn't read what it has been sent: those answers would have no end."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    async def run_asgi(self) -> None:
        """Gives the application a way to end the connection without a word: a close frame would have to be read."""
        self.scope["drop"] = self.transport.abort  # type: ignore[typeddict-unknown-key]
        await super().run_asgi()
