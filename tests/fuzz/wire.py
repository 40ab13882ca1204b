"""WebSocket as bytes: a client that may send any bytes, and reads the answers like a good client."""

import os
import socket
import struct
from collections.abc import Iterator
from types import TracebackType

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Event, RejectConnection, Request, TextMessage

READ_TIMEOUT = 20.0  # seconds
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(
    opcode: int, payload: bytes = b"", *, final: bool = True, reserved: int = 0, masked: bool = True, length: int = -1
) -> bytes:
    """A client's frame, right or not. `length` is what it says of itself, if that isn't the payload's."""
    length = len(payload) if length < 0 else length
    head = bytes([final << 7 | reserved << 4 | opcode])
    if length < 126:
        head += bytes([masked << 7 | length])
    elif length < 2**16:
        head += struct.pack("!BH", masked << 7 | 126, length)
    else:
        head += struct.pack("!BQ", masked << 7 | 127, length)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[number % 4] for number, byte in enumerate(payload))


class Wire:
    """A connection to `host` ("127.0.0.1:8000")."""

    def __init__(self, host: str) -> None:
        address, _, port = host.rpartition(":")
        self.host = host
        self.socket = socket.create_connection((address, int(port)), timeout=READ_TIMEOUT)
        self.reader = WSConnection(ConnectionType.CLIENT)
        self.code: int | None = None

    def __enter__(self) -> "Wire":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def open(self, path: str, subprotocol: str | None = None) -> None:
        subprotocols = [subprotocol] if subprotocol else []
        self.write(self.reader.send(Request(host=self.host, target=path, subprotocols=subprotocols)))
        opened = next(self.events())
        assert isinstance(opened, AcceptConnection), opened

    def write(self, some: bytes) -> None:
        """Some bytes; the server may have closed by now."""
        try:
            self.socket.sendall(some)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def events(self) -> Iterator[Event]:
        """The frames that arrive until the connection ends."""
        while True:
            try:
                some = self.socket.recv(65536)
            except ConnectionResetError:
                some = b""
            self.reader.receive_data(some or None)
            for event in self.reader.events():
                yield event
                if isinstance(event, (CloseConnection, RejectConnection)):
                    return
            if not some:
                return

    def answers(self, text: str, mark: str) -> bool:
        """Sends a good frame. Whether a text with `mark` in it came, and not the end of the connection."""
        self.write(frame(TEXT, text.encode()))
        return self.hears(mark)

    def hears(self, mark: str) -> bool:
        """Whether a text with `mark` in it came, and not the end of the connection, which is by `code`."""
        text = ""
        for event in self.events():
            if isinstance(event, TextMessage):
                text += event.data
                if event.message_finished and mark in text:
                    return True
                text = "" if event.message_finished else text
            elif isinstance(event, CloseConnection):
                self.code = event.code
        return False
