"""A connection through a proxy: two ends, and the bytes that are on their way from each to the other."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

HELD_MAX = 1 << 20  # bytes on their way in one direction; at more than that, the proxy stops reading
END = b""  # in the place of bytes: the sender closed its direction


class SlowConnection:
    """The end `near` is a client's, `far` the server's. All methods belong to the proxy's event loop."""

    def __init__(self, delay: Callable[[], float], forget: Callable[["SlowConnection"], None]) -> None:
        self.delay = delay  # seconds, asked for each piece
        self.black_holed = False
        self.passed = 0  # bytes that arrived, in both directions
        self.near, self.far = End(self), End(self)
        self.near.other, self.far.other = self.far, self.near
        self._forget = forget

    def cut(self) -> None:
        """Closes both ends at once; what is on its way is lost."""
        for end in (self.near, self.far):
            end.close()
        self._forget(self)

    def black_hole(self) -> None:
        """From now on nothing arrives, neither bytes nor the end of them, and both ends stay open."""
        self.black_holed = True
        for end in (self.near, self.far):
            end.drop()
            end.read_on()

    def lost(self, error: Exception | None) -> None:
        """One end is gone. By an error the other one goes too, unless the connection is a black hole."""
        if (error and not self.black_holed) or (self.near.closed and self.far.closed):
            self.cut()


class End(asyncio.Protocol):
    """Reads at one end, and writes at the other once the delay is over."""

    other: "End"

    def __init__(self, connection: SlowConnection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._on_the_way: deque[tuple[float, bytes]] = deque()  # when each piece arrives, by the loop's clock
        self._held = 0  # bytes in it
        self._timer: asyncio.TimerHandle | None = None
        self._writable = True  # by the transport's own buffer
        self._ended = False  # whether the other end has been told that no more is coming
        self.closed = False

    def read_on(self) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        self.drop()
        self.closed = True
        if self._transport:
            self._transport.abort()

    def drop(self) -> None:
        """Forgets what is on its way."""
        self._on_the_way.clear()
        self._held = 0
        if self._timer:
            self._timer.cancel()
            self._timer = None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self.closed:
            self._transport.abort()
        else:
            self._transport.pause_reading()  # until there is another end

    def data_received(self, data: bytes) -> None:
        self._send(data)
        if self._held > HELD_MAX and self._transport:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        self._send(END)
        return True  # the other direction goes on

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        self._connection.lost(error)

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self.other._deliver()

    # To the other end

    def _send(self, data: bytes) -> None:
        if self._connection.black_holed:
            return
        due = self._loop.time() + self._connection.delay()
        if self._on_the_way:
            due = max(due, self._on_the_way[-1][0])  # the delay may have been changed, the order never is
        self._on_the_way.append((due, data))
        self._held += len(data)
        self._schedule()

    def _schedule(self) -> None:
        if self._timer is None and self._on_the_way and self.other._writable:
            self._timer = self._loop.call_at(self._on_the_way[0][0], self._deliver)

    def _deliver(self) -> None:
        """Writes all that is due, and comes back for the rest."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        now = self._loop.time()
        while self._on_the_way and self._on_the_way[0][0] <= now and self.other._writable:
            data = self._on_the_way.popleft()[1]
            self._held -= len(data)
            self.other._write(data)
        if self._held <= HELD_MAX:
            self.read_on()
        self._schedule()

    def _write(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if data != END:
            self._connection.passed += len(data)
            transport.write(data)
            return
        self._ended = True
        transport.write_eof()
        if self.other._ended:
            transport.close()
            if self.other._transport:
                self.other._transport.close()
