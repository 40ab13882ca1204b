"""The number of renderings that are kept, and for how long."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chat.delivery import recent_renderings
from chat.delivery.recent_renderings import RecentRenderings
from chat.domain.events import Event
from chat.domain.rooms import find


def said(text: str) -> Event:
    return Event(room=find("renderings"), message=text)


async def test_get_returns_the_rendering_of_that_very_event_only() -> None:
    renderings: RecentRenderings[bytes] = RecentRenderings()
    event, other, equal = said("hi"), said("ho"), said("hi")
    renderings.keep(event, b"hi")
    assert (renderings.get(event), renderings.get(other), renderings.get(equal)) == (b"hi", None, None)


async def test_keep_drops_the_oldest_rendering_past_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_renderings, "KEPT_MAX", 2)
    renderings: RecentRenderings[int] = RecentRenderings()
    events = [said(str(number)) for number in range(3)]
    for number, event in enumerate(events):
        renderings.keep(event, number)
    assert [renderings.get(event) for event in events] == [None, 1, 2]


async def test_renderings_are_forgotten_after_their_time(
    monkeypatch: pytest.MonkeyPatch, eventually: Callable[[Callable[[], Any]], Awaitable[None]]
) -> None:
    monkeypatch.setattr(recent_renderings, "KEPT", 0.01)
    renderings: RecentRenderings[bytes] = RecentRenderings()
    renderings.keep(said("hi"), b"hi")
    await eventually(lambda: not len(renderings))
