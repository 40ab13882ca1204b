"""uvicorn's HTTP, where a client that doesn't read what it is sent can't keep it waiting for ever.

The Procfile names it. Another server has to see to this itself, as a proxy in front does.
"""

from asyncio import BaseTransport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mysite.websocket import limit_unread_time


class Http(HttpToolsProtocol):
    def connection_made(self, transport: BaseTransport) -> None:
        limit_unread_time(transport)
        super().connection_made(transport)  # type: ignore[arg-type]

    def on_message_begin(self) -> None:
        """Gives the application a way that ASGI doesn't have: `drop` ends the connection without a word.

        To close it would mean to wait until the client has read what was written before.
        """
        super().on_message_begin()
        self.scope["drop"] = self.transport.abort  # type: ignore[typeddict-unknown-key]
