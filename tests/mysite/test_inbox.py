"""Inboxes: what has come and hasn't been read."""

import asyncio

import pytest

from mysite.inbox import Inbox


async def test_inbox_gives_what_has_come_in_that_order() -> None:
    inbox = Inbox[int]()
    assert inbox.empty()
    for number in range(3):
        inbox.put_nowait(number)
    assert not inbox.empty()
    assert [await inbox.get() for _ in range(3)] == [0, 1, 2]
    assert inbox.empty()


async def test_inbox_wakes_its_reader_with_what_comes() -> None:
    inbox = Inbox[str]()
    reading = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.put_nowait("first")
    inbox.put_nowait("second")
    assert await asyncio.wait_for(reading, 1) == "first"
    assert await asyncio.wait_for(inbox.get(), 1) == "second"


async def test_inbox_loses_nothing_when_its_reader_is_cancelled() -> None:
    inbox = Inbox[str]()
    reading = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.put_nowait("kept")
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    inbox.put_nowait("too")
    assert [await inbox.get(), await inbox.get()] == ["kept", "too"]
