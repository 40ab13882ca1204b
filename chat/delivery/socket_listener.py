"""Listeners that write to a WebSocket: at once while it takes what it is given, else through a queue and a task."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Set
from typing import Any

from chat.delivery.backlog import Backlog
from chat.delivery.listener import Listener
from chat.delivery.source import EventT, LogT
from chat.delivery.text_frames import text_of
from chat.domain.logs import check_count
from chat.domain.positions import Position

WRITE_TIMEOUT = 20.0  # seconds that a socket may take nothing of what is written to it


class SocketListener(Listener[LogT, EventT]):
    """A listener that writes to one WebSocket. Each door says how an event, or a live state, looks there: `render`,
    `fail`.

    A server may have put a function `write_frame` into the `scope` (mysite.websocket): it writes a ready-made WebSocket
    frame, or returns False if the client has to be waited for. While it writes, an event needs neither queue nor task.

    An event that can't be written at once waits in a backlog, and one task sends it by ASGI's `send`, which waits for
    the client: behind a client that reads slowly, where an event takes time to render, and with any other server.
    """

    def __init__(
        self,
        logs: Iterable[LogT],
        after: Mapping[LogT, Position] | None = None,
        person: Any = None,
        kinds: Set[Any] | None = None,
        *,
        scope: Mapping[str, Any],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """`scope` and `send` are the consumer's, as ASGI has them. Raises TooManyRooms."""
        super().__init__(logs, after, person, kinds)
        check_count(self.logs)
        self._write_frame: Callable[[bytes], bool] | None = scope.get("write_frame")
        self._send: Callable[[Any], Awaitable[None]] = scope.get("direct_send", send)
        self._backlog: Backlog | None = None  # what waits behind the event that is being sent
        self._states: dict[tuple[Any, Hashable], Any] = {}  # the last ones, which wait behind the backlog
        self._sending: asyncio.Task[None] | None = None
        self._failing: asyncio.Task[None] | None = None
        self._over = False

    def render(self, event: Any) -> bytes | None:
        """The WebSocket frame that brings it, see `text_frame`; None if that takes time: `render_later`."""
        raise NotImplementedError

    async def render_later(self, event: Any) -> bytes:
        """The WebSocket frame that brings it, however long that takes."""
        frame = self.render(event)
        assert frame is not None, "a listener that can't render at once has to override this"
        return frame

    def message_of(self, frame: bytes) -> dict[str, Any]:
        """ASGI's message that sends what was rendered."""
        return {"type": "websocket.send", "text": text_of(frame)}

    async def fail(self, error: Exception) -> None:
        """Called once, in the connection's own context, with the error after which nothing more is written."""
        raise NotImplementedError

    async def recover(self) -> None:
        """Writes what was missed, no faster than the socket takes it, and goes on with what is said from now on.

        Raises as `read_missed` does.
        """
        while missed := await self.read_missed():
            for event in missed:
                self.check()
                await self.write(event)
                if self._over:
                    return
        self.go_live()

    async def write(self, event: EventT) -> None:
        """Takes the event, and waits until it is written. Errors are told to `fail`."""
        self.take(event)
        if self._sending is not None:
            await asyncio.wait([self._sending])

    def take(self, event: EventT) -> None:
        if self._over:
            return
        if self._sending is not None and self._backlog is not None:
            if not self._backlog.add(event):
                self._sending.cancel()  # the client takes too little for the rest to be of use
                self.cut_off()
        else:
            self._write_or_send(event)

    def show(self, state: Any) -> None:
        """Sends the state. While the socket takes nothing, one of each kind waits at most: the last."""
        if self._over:
            return
        if self._sending is not None:
            self._states[state.log, state.kind] = state
        else:
            self._write_or_send(state)

    def _write_or_send(self, event: Any) -> None:
        if not self._write_at_once(event):
            self._backlog = Backlog()
            self._sending = asyncio.create_task(self._send_all(event), context=self._context)

    def _write_at_once(self, event: Any) -> bool:
        """False if the event has to be sent. Errors are this listener's affair, not that of the person who posts."""
        if self._write_frame is None:
            return False
        try:
            frame = self.render(event)
            return frame is not None and self._write_frame(frame)
        except Exception as error:
            self.stop(error)
            return True

    async def _send_all(self, event: Any) -> None:
        """Sends it, and what comes behind it meanwhile."""
        assert self._backlog is not None
        timeout = asyncio.timeout(WRITE_TIMEOUT)
        try:
            async with timeout:
                await self._send_one(event)
                while self._backlog or self._states:
                    if not self._over:  # else it has what is left of the time for the rest
                        timeout.reschedule(asyncio.get_running_loop().time() + WRITE_TIMEOUT)
                    await self._send_one(self._next())
        except Exception as error:
            if isinstance(error, TimeoutError) and timeout.expired():
                self.cut_off()
            else:
                self.stop(error)
        finally:
            self._sending = self._backlog = None
            self._states.clear()
            del timeout  # it knows its task, and a task that is cancelled keeps this frame: they would keep each other

    def _next(self) -> Any:
        return self._backlog.pop() if self._backlog else self._states.pop(next(iter(self._states)))

    async def _send_one(self, event: Any) -> None:
        await self._send(self.message_of(await self.render_later(event)))

    @property
    def waiting(self) -> bool:
        """Whether there is something that the socket hasn't taken yet."""
        return self._sending is not None and not self._sending.done()

    async def close(self) -> None:
        """Stops writing, whatever was still to be written. `fail` may call this."""
        self._over = True
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.wait([self._sending])

    def stop(self, error: Exception) -> None:
        if not self._over:
            self._over = True
            self._failing = asyncio.create_task(self._fail(error), context=self._context)

    async def _fail(self, error: Exception) -> None:
        """Calls `fail` once the events from before the end are sent, or the socket has not taken them in time."""
        if self._sending is not None:
            await asyncio.wait([self._sending])
        await self.fail(error)
