"""Listeners that write to a socket, with a server that takes ready-made frames and with one that only has `send`."""

import asyncio
import contextvars
import gc
import logging
from collections.abc import Iterable
from sys import getsizeof
from typing import Any
from weakref import ref

import pytest
from pytest_django import Settings

from chat import log_context
from chat.delivery import socket_listener
from chat.delivery.rooms import source
from chat.delivery.socket_listener import SocketListener
from chat.delivery.text_frames import text_frame, text_of
from chat.domain.events import Event
from chat.domain.people import Person
from chat.domain.positions import START, Position
from chat.domain.presence import Presence, Typing
from chat.domain.recoveries import Recovery
from chat.domain.rooms import Room, find
from chat.errors import ChatError, Removed, SlowListener, TooManyRooms
from tests.chat.delivery.past import Past, joined

ROOM = find("listener")
ANN = Person(id="guest-ann", name="Ann")
REMOVED = Removed("You were removed.")


def said(offset: int) -> Event:
    return Event(room=ROOM, message=str(offset), offset=offset)


class Socket:
    """Takes frames only while `open` is set: the offsets in `written` by `write_frame`, those in `sent` by `send`."""

    def __init__(self, *, direct: bool) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.taken: list[int] = []
        self.written: list[int] = []
        self.sent: list[int] = []
        self.scope: dict[str, Any] = {"write_frame": self.write_frame} if direct else {}

    def write_frame(self, frame: bytes) -> bool:
        if not self.open.is_set():
            return False
        self.written.append(int(text_of(frame)))
        self.taken.append(self.written[-1])
        return True

    async def send(self, message: Any) -> None:
        assert message["type"] == "websocket.send"
        await self.open.wait()
        self.sent.append(int(message["text"]))
        self.taken.append(self.sent[-1])

    async def takes(self, *offsets: int) -> None:
        """Waits until these offsets have been taken, and nothing else."""
        async with asyncio.timeout(5):
            while len(self.taken) < len(offsets):
                await asyncio.sleep(0)
        assert self.taken == [*offsets]


class OffsetListener(SocketListener):
    """Writes the offset of each event, and notes what it has failed with."""

    def __init__(
        self, socket: Socket, after: dict[Room, Position] | None = None, rooms: Iterable[Room] = (ROOM,)
    ) -> None:
        super().__init__(rooms, after, scope=socket.scope, send=socket.send)
        self.failed_with: asyncio.Queue[Exception] = asyncio.Queue()

    def render(self, event: Event) -> bytes | None:
        return text_frame(str(event.offset).encode())

    async def fail(self, error: Exception) -> None:
        self.failed_with.put_nowait(error)

    async def failure(self) -> Exception:
        return await asyncio.wait_for(self.failed_with.get(), 5)


@pytest.fixture(params=[True, False], ids=["direct", "send"])
async def socket(request: pytest.FixtureRequest) -> Socket:
    return Socket(direct=request.param)


async def live_listener(socket: Socket) -> OffsetListener:
    listener = OffsetListener(socket)
    await listener.recover()
    return listener


async def test_listener_of_more_logs_than_a_subscription_may_have_is_refused(settings: Settings) -> None:
    settings.CHAT_ROOMS_PER_SUBSCRIPTION = 2
    rooms = [find(name) for name in "abc"]
    OffsetListener(Socket(direct=True), rooms=rooms[:2])
    with pytest.raises(TooManyRooms):
        OffsetListener(Socket(direct=True), rooms=rooms)


# Writing


async def test_put_writes_ready_made_frames_at_once_without_a_task() -> None:
    socket = Socket(direct=True)
    listener = await live_listener(socket)
    tasks = asyncio.all_tasks()
    for offset in (1, 2):
        listener.put(said(offset))
    assert socket.written == [1, 2]
    assert asyncio.all_tasks() == tasks
    assert not listener.waiting


async def test_put_keeps_order_behind_waiting_events_when_the_socket_takes_frames_again() -> None:
    socket = Socket(direct=True)
    listener = await live_listener(socket)
    socket.open.clear()
    for offset in (1, 2):
        listener.put(said(offset))
    socket.open.set()
    listener.put(said(3))
    await socket.takes(1, 2, 3)
    assert socket.sent == [1, 2, 3]
    listener.put(said(4))
    assert socket.written == [4]


async def test_event_with_asynchronous_rendering_keeps_its_place(socket: Socket) -> None:
    rendered = asyncio.Event()

    class Later(OffsetListener):
        def render(self, event: Event) -> bytes | None:
            return super().render(event) if event.offset != 2 or rendered.is_set() else None

        async def render_later(self, event: Event) -> bytes:
            if event.offset == 2:
                await rendered.wait()
            return await super().render_later(event)

    listener = Later(socket)
    await listener.recover()
    for offset in (1, 2, 3):
        listener.put(said(offset))
    await socket.takes(1)
    rendered.set()
    await socket.takes(1, 2, 3)


# Errors


async def test_rendering_error_ends_its_listener_in_its_own_context_and_no_others(
    socket: Socket, caplog: pytest.LogCaptureFixture
) -> None:
    connection = contextvars.ContextVar[str]("connection")
    failed_in: list[str] = []

    class Broken(OffsetListener):
        def render(self, event: Event) -> bytes:
            raise ZeroDivisionError

        async def fail(self, error: Exception) -> None:
            failed_in.append(connection.get())
            await super().fail(error)

    connection.set("the listener's")
    broken, other = Broken(socket), OffsetListener(socket)
    for listener in (broken, other):
        await listener.recover()
    connection.set("the poster's")
    for listener in (broken, other):
        listener.put(said(1))
    assert isinstance(await broken.failure(), ZeroDivisionError)
    await socket.takes(1)
    assert failed_in == ["the listener's"]
    assert not other.waiting


async def test_write_runs_in_a_task_of_the_listener_and_not_of_the_poster() -> None:
    """As long as coroutines were begun in the poster's task, `asyncio.timeout` in one of them was the poster's."""
    tasks: list[asyncio.Task[Any] | None] = []

    class NotingSocket(Socket):
        async def send(self, message: Any) -> None:
            tasks.append(asyncio.current_task())
            await super().send(message)

    socket = NotingSocket(direct=False)
    listener = await live_listener(socket)
    listener.put(said(1))
    await socket.takes(1)
    assert tasks[0] is not asyncio.current_task()


async def test_lost_connection_fails_the_listener_once() -> None:
    class Lost(Socket):
        async def send(self, message: Any) -> None:
            raise ConnectionResetError

    listener = await live_listener(Lost(direct=False))
    listener.put(said(1))
    listener.put(said(2))
    assert isinstance(await listener.failure(), ConnectionResetError)
    await listener.close()
    assert listener.failed_with.empty()


# The end


async def test_end_writes_events_from_before_and_none_from_after(socket: Socket) -> None:
    listener = await live_listener(socket)
    for offset in (1, 2):
        listener.put(said(offset))
    listener.end(REMOVED)
    listener.put(said(3))
    assert await listener.failure() is REMOVED
    assert socket.taken == [1, 2]
    await listener.close()


async def test_end_on_a_full_socket_writes_waiting_events_before_it_fails(socket: Socket) -> None:
    listener = await live_listener(socket)
    socket.open.clear()
    for offset in (1, 2):
        listener.put(said(offset))
    listener.end(REMOVED)
    listener.put(said(3))
    await asyncio.sleep(0)
    assert listener.failed_with.empty()
    socket.open.set()
    assert await listener.failure() is REMOVED
    assert socket.taken == [1, 2]


async def test_end_on_a_socket_that_takes_nothing_fails_after_the_write_timeout(
    socket: Socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_listener, "WRITE_TIMEOUT", 0.05)
    listener = await live_listener(socket)
    socket.open.clear()
    listener.put(said(1))
    listener.end(REMOVED)
    assert await listener.failure() is REMOVED
    assert not listener.waiting
    assert socket.taken == []


async def test_end_twice_fails_once_with_the_first_error(socket: Socket) -> None:
    listener = await live_listener(socket)
    listener.end(REMOVED)
    listener.end(ChatError("again"))
    assert await listener.failure() is REMOVED
    await listener.close()
    assert listener.failed_with.empty()


async def test_close_drops_waiting_events(socket: Socket) -> None:
    listener = await live_listener(socket)
    socket.open.clear()
    for offset in (1, 2):
        listener.put(said(offset))
    await listener.close()
    socket.open.set()
    listener.put(said(3))
    await asyncio.sleep(0)
    assert socket.taken == []
    assert not listener.waiting


async def test_end_during_recovery_writes_no_missed_events(socket: Socket, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = OffsetListener(socket, {ROOM: START})
    joined(listener, 2)

    async def read(*_: object) -> list[Recovery]:
        listener.put(said(3))
        listener.end(REMOVED)
        listener.put(said(4))
        return [Recovery([said(1), said(2)], START, Position(2))]

    monkeypatch.setattr(source, "in_database", read)
    with pytest.raises(Removed):
        await listener.recover()
    assert socket.taken == []
    assert listener.failed_with.empty()


@pytest.mark.parametrize("waiting", [True, False])
async def test_closed_listener_is_freed_without_the_garbage_collector(socket: Socket, waiting: bool) -> None:
    gc.disable()
    try:
        listener = await live_listener(socket)
        listener.put(said(1))
        await socket.takes(1)
        if waiting:
            socket.open.clear()
            listener.put(said(2))
            await asyncio.sleep(0)
        await listener.close()
        freed = ref(listener)
        del listener
        await asyncio.sleep(0)
        assert freed() is None
    finally:
        gc.enable()


# Limits of the backlog


@pytest.mark.parametrize("limit", ["CHAT_BACKLOG_MAX", "CHAT_BACKLOG_BYTES"])
@pytest.mark.parametrize(("waiting", "too_many"), [(2, False), (3, False), (4, True)])
async def test_listener_is_cut_off_past_the_limit_of_its_backlog(
    settings: Settings, socket: Socket, limit: str, waiting: int, too_many: bool
) -> None:
    setattr(settings, limit, 3 if limit == "CHAT_BACKLOG_MAX" else 3 * getsizeof("1"))
    listener = await live_listener(socket)
    socket.open.clear()
    for offset in range(waiting + 1):  # the first of them is being sent
        listener.put(said(offset + 1))
    if too_many:
        assert isinstance(await listener.failure(), SlowListener)
        assert socket.taken == []
    else:
        socket.open.set()
        await socket.takes(*range(1, waiting + 2))
    await listener.close()


async def test_listener_is_cut_off_and_logged_when_a_write_takes_too_long(
    socket: Socket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(socket_listener, "WRITE_TIMEOUT", 0.05)
    log_context.begin()
    log_context.identify("the listener's person")
    listener = await live_listener(socket)
    log_context.begin()
    socket.open.clear()
    with caplog.filtering(log_context.ConnectionFilter()):
        caplog.set_level(logging.WARNING)
        listener.put(said(1))
        assert isinstance(await listener.failure(), SlowListener)
    assert [record.person for record in caplog.records] == ["the listener's person"]  # type: ignore[attr-defined]
    await listener.close()


async def test_socket_that_takes_nothing_holds_the_last_live_state_of_each_kind_alone(socket: Socket) -> None:
    class StateListener(OffsetListener):
        def render(self, event: Any) -> bytes | None:
            return text_frame(b"%d" % (event.count if isinstance(event, Presence) else len(event.people)))

    def states() -> int:
        return sum(type(one) in {Presence, Typing} for one in gc.get_objects())

    listener = StateListener(socket)
    await listener.recover()
    socket.open.clear()
    before = states()
    for count in range(1, 2001):
        listener.update(Presence(ROOM, count, (), complete=True))
        listener.update(Typing(ROOM, (ANN,) * count))
        await asyncio.sleep(0)
    assert states() - before <= 3  # the first is being sent
    socket.open.set()
    await socket.takes(1, 2000, 2000)
    await listener.close()
    assert socket.taken == [1, 2000, 2000]


# Recovery


async def test_recovery_reads_no_faster_than_the_socket_takes_frames(
    socket: Socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = Past(monkeypatch, last=100)
    listener = OffsetListener(socket, {ROOM: START})
    joined(listener, 100)
    socket.open.clear()
    recovering = asyncio.create_task(listener.recover())
    await asyncio.sleep(0.1)
    assert past.read == 1
    past.last = 105  # and those are heard, too
    for offset in range(101, 106):
        listener.put(said(offset))
    socket.open.set()
    await asyncio.wait_for(recovering, 5)
    assert past.read == 10
    listener.put(said(106))
    await socket.takes(*range(1, 107))
    await listener.close()


async def test_recovery_of_many_rooms_has_no_holes_with_a_small_backlog(
    socket: Socket, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.CHAT_BACKLOG_MAX = 3
    Past(monkeypatch, last=25)
    rooms = [find(f"room{number}") for number in range(4)]
    listener = OffsetListener(socket, dict.fromkeys(rooms, START), rooms)
    joined(listener, 25)
    socket.open.clear()
    recovering = asyncio.create_task(listener.recover())
    await asyncio.sleep(0)
    socket.open.set()
    await asyncio.wait_for(recovering, 5)
    assert socket.taken == [*range(1, 26)] * 4
    await listener.close()


async def test_recovery_is_cut_off_when_the_socket_takes_nothing(
    socket: Socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    Past(monkeypatch, last=100)
    monkeypatch.setattr(socket_listener, "WRITE_TIMEOUT", 0.05)
    listener = OffsetListener(socket, {ROOM: START})
    joined(listener, 100)
    socket.open.clear()
    with pytest.raises(SlowListener):
        await asyncio.wait_for(listener.recover(), 5)
    await listener.close()


async def test_recovery_stops_reading_when_the_connection_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lost(Socket):
        async def send(self, message: Any) -> None:
            raise ConnectionResetError

    past = Past(monkeypatch, last=100)
    listener = OffsetListener(Lost(direct=False), {ROOM: START})
    joined(listener, 100)
    await asyncio.wait_for(listener.recover(), 5)
    assert past.read == 1
    assert isinstance(await listener.failure(), ConnectionResetError)
    await listener.close()
