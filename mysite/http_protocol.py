"""uvicorn's HTTP, where a client that doesn't read what it is sent can't keep it waiting for ever.

The Procfile names it. Another server has to see to this itself, as a proxy in front does.
"""

from asyncio import BaseTransport
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mysite.websocket import limit_unread_time


class Http(HttpToolsProtocol):
    requests = 0  # that have come over this connection

    def connection_made(self, transport: BaseTransport) -> None:
        limit_unread_time(transport)
        super().connection_made(transport)  # type: ignore[arg-type]

    def on_message_begin(self) -> None:
        """Gives the application two ways that ASGI doesn't have, in the scope.

        `drop` ends the connection without a word: to close it would mean to wait until the client has read what was
        written before. `write_body` writes a part of a streamed body.
        """
        super().on_message_begin()
        self.scope["drop"] = self.transport.abort  # type: ignore[typeddict-unknown-key]
        self.requests += 1
        self.scope["request"] = self.requests  # type: ignore[typeddict-unknown-key]
        self.scope["write_body"] = partial(self.write_body, self.requests)  # type: ignore[typeddict-unknown-key]

    def write_body(self, request: int, part: bytes) -> bool:
        """Writes a part of the body of the answer to the connection's request of that number, at once and whole.

        False, and nothing is written, while the client has to be waited for, before the answer has begun, and when it
        has ended or the client is gone. `send` waits, or says which of these it is.
        """
        cycle: Any = self.cycle
        if cycle.scope["request"] != request:  # a client may ask for more before it has the answer
            return False
        if cycle.disconnected or not cycle.response_started or cycle.response_complete or not cycle.chunked_encoding:
            return False
        if self.flow.write_paused or self.transport.is_closing():
            return False
        self.transport.write(b"%x\r\n%b\r\n" % (len(part), part))
        return True
