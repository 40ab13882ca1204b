"""What waits for a listener, and how long; and that one which is ended takes nothing more, and says why."""

import asyncio
from sys import getsizeof
from typing import Any

import pytest
from pytest_django import Settings

from chat.delivery import listener as listener_module
from chat.delivery.backlog import Backlog
from chat.delivery.listener import Listener, QueuedListener, Writer
from chat.domain.events import Event
from chat.domain.positions import START, Position
from chat.domain.rooms import Room, find
from chat.errors import ChatError, Removed, SlowListener
from chat.storage.history import Recovery

ROOM = find("listener")
REMOVED = Removed("You were removed.")


def said(offset: int) -> Event:
    return Event(room=ROOM, message=str(offset), offset=offset)


async def nothing_more(room: Room) -> Position:
    """In the place of the hub, which is not behind."""
    raise AssertionError(f"{room} has to be caught up with")


class Socket:
    """What a Writer writes to; takes frames only while `open` is set."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.frames: list[int | None] = []
        self.failed_with: asyncio.Queue[Exception] = asyncio.Queue()

    async def write(self, event: Event) -> None:
        if not self.open.is_set():
            await self.open.wait()
        self.frames.append(event.offset)

    async def fail(self, error: Exception) -> None:
        self.failed_with.put_nowait(error)

    def writer(self, after: dict[Any, Position] | None = None, live_from: int = 0) -> Writer:
        writer = Writer([ROOM], after, self.write, self.fail)
        writer.joined(ROOM, Position(live_from), nothing_more)
        return writer


async def test_a_writer_has_written_what_came_before_its_end_and_nothing_that_came_after() -> None:
    socket = Socket()
    writer = socket.writer()
    await writer.recover()
    for offset in (1, 2):
        writer.put(said(offset))
    writer.end(REMOVED)
    writer.put(said(3))
    assert await asyncio.wait_for(socket.failed_with.get(), 5) is REMOVED
    assert socket.frames == [1, 2]
    await writer.close()


async def test_a_writer_that_waits_for_its_socket_writes_nothing_that_was_queued() -> None:
    socket = Socket()
    writer = socket.writer()
    await writer.recover()
    socket.open.clear()
    for offset in (1, 2):
        writer.put(said(offset))
    writer.end(REMOVED)
    assert await asyncio.wait_for(socket.failed_with.get(), 5) is REMOVED
    socket.open.set()
    await writer.close()
    assert socket.frames == []


async def test_a_writer_fails_once_however_often_it_is_ended() -> None:
    socket = Socket()
    writer = socket.writer()
    await writer.recover()
    writer.end(REMOVED)
    writer.end(ChatError("again"))
    assert await asyncio.wait_for(socket.failed_with.get(), 5) is REMOVED
    await writer.close()
    assert socket.failed_with.empty()


async def test_an_outbox_gives_what_came_before_its_end_and_then_the_error_each_time() -> None:
    outbox = QueuedListener([ROOM])
    outbox.go_live()
    outbox.put(said(1))
    outbox.end(REMOVED)
    outbox.put(said(2))
    assert (await anext(outbox)).offset == 1
    for _ in range(2):
        with pytest.raises(Removed):
            await anext(outbox)


async def test_whoever_waits_for_an_outbox_is_woken_by_its_end() -> None:
    outbox = QueuedListener([ROOM])
    outbox.go_live()
    waiting = asyncio.ensure_future(anext(outbox))
    await asyncio.sleep(0)
    outbox.end(REMOVED)
    with pytest.raises(Removed):
        await asyncio.wait_for(waiting, 5)


@pytest.mark.parametrize("kind", [QueuedListener, Writer])
async def test_a_listener_that_is_ended_while_it_reads_the_past_is_told_no_part_of_it(
    kind: type[Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = Socket()
    listener = QueuedListener([ROOM], {ROOM: START}) if kind is QueuedListener else socket.writer({ROOM: START})
    listener.joined(ROOM, Position(2), nothing_more)

    async def read(*_: object, **__: object) -> Recovery:
        listener.put(said(3))
        listener.end(REMOVED)
        listener.put(said(4))
        return Recovery([said(1), said(2)], after=START, end=Position(2))

    monkeypatch.setattr(listener_module, "in_database", read)
    with pytest.raises(Removed):
        await (anext(listener) if kind is QueuedListener else listener.recover())
    assert (socket.frames, socket.failed_with.empty()) == ([], True)


class TestBacklog:
    def test_it_holds_as_many_events_as_the_limit_in_their_order(self, settings: Settings) -> None:
        settings.CHAT_BACKLOG_MAX = 3
        backlog = Backlog()
        assert [backlog.add(said(offset)) for offset in (1, 2, 3, 4)] == [True, True, True, False]
        assert [backlog.pop().offset for _ in range(len(backlog))] == [1, 2, 3]
        assert backlog.add(said(5))

    @pytest.mark.parametrize("text", ["x" * 1000, "é" * 1000, "🍓" * 1000])
    def test_it_holds_as_many_bytes_as_the_limit(self, settings: Settings, text: str) -> None:
        event = Event(room=ROOM, message=text)
        settings.CHAT_BACKLOG_BYTES = 3 * getsizeof(text)
        backlog = Backlog()
        assert [backlog.add(event) for _ in range(4)] == [True, True, True, False]
        backlog.pop()
        assert [backlog.add(event) for _ in range(2)] == [True, False]
        backlog.clear()
        settings.CHAT_BACKLOG_BYTES -= 1
        assert [backlog.add(event) for _ in range(3)] == [True, True, False]

    def test_one_event_has_a_place_however_large_it_is(self, settings: Settings) -> None:
        settings.CHAT_BACKLOG_BYTES = 10
        backlog = Backlog()
        assert [backlog.add(said(offset)) for offset in (1, 2)] == [True, False]
        assert backlog.pop().offset == 1
        assert backlog.add(said(2))


async def cut_off(socket: Socket) -> bool:
    return isinstance(await asyncio.wait_for(socket.failed_with.get(), 5), SlowListener)


@pytest.mark.parametrize("limit", ["CHAT_BACKLOG_MAX", "CHAT_BACKLOG_BYTES"])
@pytest.mark.parametrize(("waiting", "too_many"), [(2, False), (3, False), (4, True)])
async def test_a_writer_is_cut_off_when_one_more_event_waits_than_may(
    settings: Settings, limit: str, waiting: int, too_many: bool
) -> None:
    setattr(settings, limit, 3 if limit == "CHAT_BACKLOG_MAX" else 3 * getsizeof("1"))
    socket = Socket()
    writer = socket.writer()
    await writer.recover()
    socket.open.clear()
    for offset in range(waiting + 1):  # the first of them is being written
        writer.put(said(offset + 1))
    if too_many:
        assert await cut_off(socket)
    else:
        socket.open.set()
        await written(socket, waiting + 1)
    await writer.close()


@pytest.mark.parametrize("limit", ["CHAT_BACKLOG_MAX", "CHAT_BACKLOG_BYTES"])
@pytest.mark.parametrize("live", [True, False])
async def test_an_outbox_is_cut_off_when_one_more_event_waits_than_may(
    settings: Settings, limit: str, live: bool
) -> None:
    setattr(settings, limit, 3 if limit == "CHAT_BACKLOG_MAX" else 3 * getsizeof("1"))
    kept, lost = QueuedListener([ROOM]), QueuedListener([ROOM])
    for outbox, count in ((kept, 3), (lost, 4)):
        if live:
            outbox.go_live()
        for offset in range(count):
            outbox.put(said(offset + 1))
    assert [(await anext(kept)).offset for _ in range(3)] == [1, 2, 3]
    for _ in range(2):
        with pytest.raises(SlowListener):
            await anext(lost)


async def test_a_socket_that_takes_nothing_is_given_up_even_if_little_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener_module, "WRITE_TIMEOUT", 0.05)
    socket = Socket()
    writer = socket.writer()
    await writer.recover()
    socket.open.clear()
    writer.put(said(1))
    assert await cut_off(socket)
    await writer.close()


async def written(socket: Socket, count: int) -> None:
    async with asyncio.timeout(5):
        while len(socket.frames) < count:
            await asyncio.sleep(0.01)


class Past:
    """What was said in a room, in the place of the database; `read` says how often it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, last: int) -> None:
        self.last = last
        self.read = 0
        monkeypatch.setattr(listener_module, "in_database", self.recover)
        monkeypatch.setattr(listener_module, "PAGE_SIZE", 10)

    async def recover(
        self, function: object, room: Room, after: Position, size: int, *, resumed: bool, person: object
    ) -> Recovery:
        self.read += 1
        offsets = range(after.offset + 1, self.last + 1)[:size]
        missed = [Event(room=room, message="hi", offset=offset) for offset in offsets]
        return Recovery(missed, after=after, end=Position(self.last))


async def test_the_past_is_read_no_faster_than_the_socket_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    socket, past = Socket(), Past(monkeypatch, last=100)
    writer = socket.writer({ROOM: START}, live_from=100)
    socket.open.clear()
    recovering = asyncio.create_task(writer.recover())
    await asyncio.sleep(0.1)
    assert past.read == 1
    past.last = 105  # and those are heard, too
    for offset in range(101, 106):
        writer.put(said(offset))
    socket.open.set()
    await asyncio.wait_for(recovering, 5)
    assert past.read == 10
    writer.put(said(106))
    assert socket.frames == [*range(1, 107)]
    await writer.close()


async def test_a_past_of_many_rooms_is_heard_without_holes_however_few_events_may_wait(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.CHAT_BACKLOG_MAX = 3
    Past(monkeypatch, last=25)
    socket = Socket()
    rooms = [find(f"room{number}") for number in range(4)]
    writer = Writer(rooms, dict.fromkeys(rooms, START), socket.write, socket.fail)
    outbox = QueuedListener(rooms, dict.fromkeys(rooms, START))
    for room in rooms:
        writer.joined(room, Position(25), nothing_more)
        outbox.joined(room, Position(25), nothing_more)
    socket.open.clear()
    recovering = asyncio.create_task(writer.recover())
    await asyncio.sleep(0)
    socket.open.set()
    await asyncio.wait_for(recovering, 5)
    assert socket.frames == [*range(1, 26)] * 4
    assert [(await anext(outbox)).offset for _ in range(100)] == [*range(1, 26)] * 4
    await writer.close()


async def test_a_socket_that_takes_nothing_of_the_past_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    Past(monkeypatch, last=100)
    monkeypatch.setattr(listener_module, "WRITE_TIMEOUT", 0.05)
    socket = Socket()
    writer = socket.writer({ROOM: START}, live_from=100)
    socket.open.clear()
    with pytest.raises(SlowListener):
        await asyncio.wait_for(writer.recover(), 5)
    await writer.close()


async def test_a_connection_that_is_lost_reads_no_more_of_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    past = Past(monkeypatch, last=100)
    socket = Socket()

    async def write(event: Event) -> None:
        raise ConnectionResetError

    writer = Writer([ROOM], {ROOM: START}, write, socket.fail)
    writer.joined(ROOM, Position(100), nothing_more)
    await asyncio.wait_for(writer.recover(), 5)
    assert past.read == 1
    assert isinstance(await asyncio.wait_for(socket.failed_with.get(), 5), ConnectionResetError)
    await writer.close()
