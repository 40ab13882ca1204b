"""A server that is away, and the one caller that tries it meanwhile."""

import pytest

from chat.delivery import availability
from chat.delivery.availability import Availability


async def test_server_that_is_there_may_be_tried_by_everybody() -> None:
    server = Availability(timeout=1)
    assert not server.away
    assert [server.may_try() for _ in range(3)] == [True] * 3


async def test_server_that_is_away_may_be_tried_by_one_per_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(availability, "_now", lambda: now)
    server = Availability(timeout=1)
    assert server.lose()
    assert server.away
    assert not server.may_try()
    now += availability.RETRY_INTERVAL
    assert [server.may_try() for _ in range(3)] == [True, False, False]
    now += 1 + availability.RETRY_INTERVAL  # the one who tried never said how it went
    assert [server.may_try() for _ in range(2)] == [True, False]


async def test_losing_and_finding_tell_whether_that_is_news() -> None:
    server = Availability(timeout=1)
    assert not server.find()
    assert [server.lose(), server.lose()] == [True, False]
    assert [server.find(), server.find()] == [True, False]
    assert server.may_try()
