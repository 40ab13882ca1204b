"""One socket: a browser's, or one with GraphQL subscriptions."""

import asyncio
import re
import time
from array import array
from collections.abc import Sequence
from urllib.parse import urlsplit

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

STAMP = re.compile(rb"@(\d+)@")  # the clock when a message was sent; the first one in a frame counts
CONNECT_TIMEOUT = 60  # seconds


class Tally:
    """The messages sent since `start` that the subscribers of a run have heard."""

    def __init__(self) -> None:
        self.closed = 0
        self.errors: list[str] = []
        self.start()

    def start(self) -> None:
        self.since = time.monotonic_ns()
        self.latencies = array("q")  # nanoseconds
        self.last = time.monotonic()

    def hear(self, sent: int) -> bool:
        """Counts a message. False for one from an earlier phase that comes late."""
        if sent < self.since:
            return False
        self.latencies.append(time.monotonic_ns() - sent)
        self.last = time.monotonic()
        return True


class Subscriber(WSListener):
    """Counts what it hears; `operations` are GraphQL's first frames after the connection's, none for a browser."""

    def __init__(self, tally: Tally, operations: Sequence[bytes] = ()) -> None:
        self.tally = tally
        self.operations = operations
        self.heard = 0
        self.due: dict[str, int] = {}  # how many copies of a message, by room
        self.leaving = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def connect(
        cls, tally: Tally, url: str, *, origin: str | None, protocol: str = "", operations: Sequence[bytes] = ()
    ) -> "Subscriber":
        """One that has sent its operations; what the server made of them is not known yet.

        Raises OSError, TimeoutError and picows' WSError.
        """
        headers = {"Origin": origin or f"http://{urlsplit(url).netloc}"}
        if protocol:
            headers["Sec-WebSocket-Protocol"] = protocol
        async with asyncio.timeout(CONNECT_TIMEOUT):
            subscriber = cls(tally, operations)
            await ws_connect(
                lambda: subscriber, url, extra_headers=headers, websocket_handshake_timeout=CONNECT_TIMEOUT
            )
            await subscriber.ready
        return subscriber

    def say(self, text: bytes) -> None:
        self.transport.send(WSMsgType.TEXT, text)

    def leave(self) -> None:
        self.leaving = True
        self.transport.send_close(WSCloseCode.OK)
        self.transport.disconnect()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        if self.operations:
            self.say(b'{"type":"connection_init"}')
        else:
            self.ready.set_result(None)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self.take(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self.leaving:
            self.tally.closed += 1
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("closed before it was ready"))

    def take(self, text: bytes) -> None:
        if stamp := STAMP.search(text):
            self.heard += self.tally.hear(int(stamp[1]))
        elif b'"connection_ack"' in text:
            for operation in self.operations:
                self.say(operation)
            self.ready.set_result(None)
        elif b'"type"' in text and b'"ping"' in text:
            self.say(b'{"type":"pong"}')
        elif b'"error' in text:
            self.tally.errors.append(text[:300].decode(errors="replace"))
