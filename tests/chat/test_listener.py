"""A listener that is ended takes nothing more, and says why, whatever it is at."""

import asyncio
from typing import Any

import pytest

from chat import listener as listener_module
from chat.errors import ChatError, Removed
from chat.events import Event
from chat.listener import Listener, Outbox, Writer
from chat.log import Recovery
from chat.rooms import find

ROOM = find("listener")
REMOVED = Removed("You were removed.")


def said(offset: int) -> Event:
    return Event(room=ROOM, message=str(offset), offset=offset)


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

    def writer(self, after: dict[Any, int] | None = None) -> Writer:
        return Writer([ROOM], after, self.write, self.fail)


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
    outbox = Outbox([ROOM])
    await outbox.recover()
    outbox.put(said(1))
    outbox.end(REMOVED)
    outbox.put(said(2))
    assert (await anext(outbox)).offset == 1
    for _ in range(2):
        with pytest.raises(Removed):
            await anext(outbox)


async def test_whoever_waits_for_an_outbox_is_woken_by_its_end() -> None:
    outbox = Outbox([ROOM])
    await outbox.recover()
    waiting = asyncio.ensure_future(anext(outbox))
    await asyncio.sleep(0)
    outbox.end(REMOVED)
    with pytest.raises(Removed):
        await asyncio.wait_for(waiting, 5)


@pytest.mark.parametrize("kind", [Outbox, Writer])
async def test_a_listener_that_is_ended_while_it_reads_the_past_is_told_no_part_of_it(
    kind: type[Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = Socket()
    listener = Outbox([ROOM], {ROOM: 0}) if kind is Outbox else socket.writer({ROOM: 0})

    async def read(*_: object, **__: object) -> Recovery:
        listener.put(said(3))
        listener.end(REMOVED)
        listener.put(said(4))
        return Recovery([said(1), said(2)], position=2)

    monkeypatch.setattr(listener_module, "in_database", read)
    with pytest.raises(Removed):
        await listener.recover()
    assert (socket.frames, socket.failed_with.empty()) == ([], True)
