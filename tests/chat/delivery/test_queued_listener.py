"""Listeners to iterate over: their queue, and their end."""

import asyncio
from sys import getsizeof

import pytest
from pytest_django import Settings

from chat.delivery import rendering_budget
from chat.delivery.queued_listener import QueuedListener
from chat.delivery.rooms import source
from chat.domain.events import Event
from chat.domain.positions import START, Position
from chat.domain.recoveries import Recovery
from chat.domain.rooms import Room, find
from chat.errors import Removed, SlowListener
from tests.chat.delivery.past import Past, joined

ROOM = find("listener")
REMOVED = Removed("You were removed.")


def said(offset: int) -> Event:
    return Event(room=ROOM, message=str(offset), offset=offset)


def live_listener() -> QueuedListener:
    listener = QueuedListener([ROOM])
    listener.go_live()
    return listener


async def test_queued_listener_gives_events_before_its_end_and_then_the_error_each_time() -> None:
    listener = live_listener()
    listener.put(said(1))
    listener.end(REMOVED)
    listener.put(said(2))
    assert (await anext(listener)).offset == 1
    for _ in range(2):
        with pytest.raises(Removed):
            await anext(listener)


async def test_queued_listener_wakes_its_waiting_task_at_its_end() -> None:
    listener = live_listener()
    waiting = asyncio.ensure_future(anext(listener))
    await asyncio.sleep(0)
    listener.end(REMOVED)
    with pytest.raises(Removed):
        await asyncio.wait_for(waiting, 5)


async def test_queued_listener_that_ends_during_recovery_gives_no_missed_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listener = QueuedListener([ROOM], {ROOM: START})
    joined(listener, 2)

    async def read(*_: object) -> list[Recovery]:
        listener.put(said(3))
        listener.end(REMOVED)
        listener.put(said(4))
        return [Recovery([said(1), said(2)], START, Position(2))]

    monkeypatch.setattr(source, "in_database", read)
    with pytest.raises(Removed):
        await anext(listener)


@pytest.mark.parametrize("limit", ["CHAT_BACKLOG_MAX", "CHAT_BACKLOG_BYTES"])
@pytest.mark.parametrize("live", [True, False])
async def test_queued_listener_is_cut_off_past_the_limit_of_its_backlog(
    settings: Settings, limit: str, live: bool
) -> None:
    setattr(settings, limit, 3 if limit == "CHAT_BACKLOG_MAX" else 3 * getsizeof("1"))
    kept, lost = QueuedListener([ROOM]), QueuedListener([ROOM])
    for listener, count in ((kept, 3), (lost, 4)):
        if live:
            listener.go_live()
        for offset in range(count):
            listener.put(said(offset + 1))
    assert [(await anext(kept)).offset for _ in range(3)] == [1, 2, 3]
    for _ in range(2):
        with pytest.raises(SlowListener):
            await anext(lost)


async def test_queued_listener_cut_off_while_waiting_for_its_turn_gives_nothing_more(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering_budget.RenderingBudget, "per_turn", 1)
    settings.CHAT_BACKLOG_MAX = 2
    busy, listener = live_listener(), live_listener()
    for one in (busy, listener):
        one.put(said(1))
    first, second = asyncio.ensure_future(anext(busy)), asyncio.ensure_future(anext(listener))
    await asyncio.sleep(0)
    assert first.done()
    assert not second.done()
    for offset in (2, 3):
        listener.put(said(offset))
    with pytest.raises(SlowListener):
        await asyncio.wait_for(second, 5)


async def test_queued_listener_recovers_many_rooms_without_holes_with_a_small_backlog(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.CHAT_BACKLOG_MAX = 3
    Past(monkeypatch, last=25)
    rooms: list[Room] = [find(f"room{number}") for number in range(4)]
    listener = QueuedListener(rooms, dict.fromkeys(rooms, START))
    joined(listener, 25)
    assert [(await anext(listener)).offset for _ in range(100)] == [*range(1, 26)] * 4
