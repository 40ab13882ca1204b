"""One client's socket, as cheap as Python has it: clients share the machine with the servers that they measure."""

import asyncio
from urllib.parse import urlsplit

from picows import WSCloseCode, WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

CONNECT_TIMEOUT = 60  # seconds
CONNECT_ERRORS = (OSError, TimeoutError, WSError)


class ClientSocket(WSListener):
    """A WebSocket that answers pings, knows whether it was closed by the server, and hands frames to `take`."""

    def __init__(self) -> None:
        self.leaving = False
        self.closed = False  # by the server
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def connect(self, url: str, *, origin: str | None = None, protocol: str = "", cookie: str = "") -> None:
        """Returns once `ready` is set. Raises one of CONNECT_ERRORS."""
        headers = {"Origin": origin or f"http://{urlsplit(url).netloc}"}
        if protocol:
            headers["Sec-WebSocket-Protocol"] = protocol
        if cookie:
            headers["Cookie"] = cookie
        async with asyncio.timeout(CONNECT_TIMEOUT):
            await ws_connect(lambda: self, url, extra_headers=headers, websocket_handshake_timeout=CONNECT_TIMEOUT)
            await self.ready

    def say(self, text: bytes) -> None:
        self.transport.send(WSMsgType.TEXT, text)

    def leave(self) -> None:
        self.leaving = True
        self.transport.send_close(WSCloseCode.OK)
        self.transport.disconnect()

    def leave_if_open(self) -> None:
        """The same, also for one that was turned away or never got through."""
        if self.ready.done() and not self.ready.cancelled() and not self.ready.exception() and not self.closed:
            self.leave()

    # For the classes of clients

    def opened(self) -> None:
        """The socket is open; a client that has more to do before it is ready does it here."""
        self.ready.set_result(None)

    def take(self, text: bytes) -> None:
        """A frame with text."""

    def lost(self) -> None:
        """The server closed the socket."""

    # picows

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self.opened()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self.take(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self.leaving:
            self.closed = True
            self.lost()
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("closed before it was ready"))
