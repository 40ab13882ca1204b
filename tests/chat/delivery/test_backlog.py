"""The limits of a listener's waiting events."""

from sys import getsizeof

import pytest
from pytest_django import Settings

from chat.delivery.backlog import Backlog
from chat.domain.events import Event
from chat.domain.rooms import find

ROOM = find("backlog")


def said(offset: int) -> Event:
    return Event(room=ROOM, message=str(offset), offset=offset)


def test_backlog_holds_as_many_events_as_the_limit_in_their_order(settings: Settings) -> None:
    settings.CHAT_BACKLOG_MAX = 3
    backlog = Backlog()
    assert [backlog.add(said(offset)) for offset in (1, 2, 3, 4)] == [True, True, True, False]
    assert [backlog.pop().offset for _ in range(len(backlog))] == [1, 2, 3]
    assert backlog.add(said(5))


@pytest.mark.parametrize("text", ["x" * 1000, "é" * 1000, "🍓" * 1000])
def test_backlog_holds_as_many_bytes_as_the_limit(settings: Settings, text: str) -> None:
    event = Event(room=ROOM, message=text)
    settings.CHAT_BACKLOG_BYTES = 3 * getsizeof(text)
    backlog = Backlog()
    assert [backlog.add(event) for _ in range(4)] == [True, True, True, False]
    backlog.pop()
    assert [backlog.add(event) for _ in range(2)] == [True, False]
    backlog.clear()
    settings.CHAT_BACKLOG_BYTES -= 1
    assert [backlog.add(event) for _ in range(3)] == [True, True, False]


def test_backlog_has_room_for_one_event_however_large_it_is(settings: Settings) -> None:
    settings.CHAT_BACKLOG_BYTES = 10
    backlog = Backlog()
    assert [backlog.add(said(offset)) for offset in (1, 2)] == [True, False]
    assert backlog.pop().offset == 1
    assert backlog.add(said(2))
