"""The times at which deliveries are tried again, by a clock that nobody waits for, and their signatures."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from chat.domain import webhook_secrets
from chat.domain.webhooks import GIVE_UP_AFTER, retry, schedule

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def attempts(spread: float = 0, asked: timedelta = timedelta()) -> list[timedelta]:
    """The times of all attempts of a delivery that always fails, from the first one on."""
    now, since, times = BEGIN, None, [timedelta()]
    while True:
        found = retry(attempts=len(times), failing_since=since, now=now, asked=asked, spread=spread)
        since = found.failing_since
        assert since == BEGIN
        if found.due_at is None:
            return times
        now = found.due_at
        times.append(now - BEGIN)


def test_deliveries_are_tried_for_three_days_with_growing_delays() -> None:
    seconds = [int(time.total_seconds()) for time in attempts()]
    assert seconds == [
        *(0, 5, 35, 155, 755, 2_555, 6_155, 13_355, 27_755, 56_555, 99_755, 142_955, 186_155, 229_355),
        3 * 24 * 3600,
    ]
    assert schedule() == attempts()


def test_spread_makes_delays_longer_and_the_end_stays() -> None:
    spread = attempts(spread=1)
    assert all(later >= time for later, time in zip(spread[:-1], attempts()[:-1], strict=False))
    assert spread[1] == timedelta(seconds=5.5)
    assert spread[-1] == GIVE_UP_AFTER


def test_receiver_is_left_alone_for_as_long_as_it_asks_but_not_past_the_end() -> None:
    assert attempts(asked=timedelta(minutes=1))[:4] == [timedelta(seconds=s) for s in (0, 60, 120, 240)]
    assert attempts(asked=timedelta(days=2)) == [timedelta(days=days) for days in (0, 2, 3)]


def test_signature_is_that_of_the_specification_for_each_key() -> None:
    keys = [webhook_secrets.make(), webhook_secrets.make()]
    headers = webhook_secrets.signed("msg_1_a", '{"text": "grüße"}', keys=keys, at=BEGIN)
    assert headers["webhook-id"] == "msg_1_a"
    assert headers["webhook-timestamp"] == str(int(BEGIN.timestamp()))
    content = f'msg_1_a.{int(BEGIN.timestamp())}.{{"text": "grüße"}}'.encode()
    expected = []
    for key in keys:
        assert key.startswith("whsec_")
        secret = base64.b64decode(key.removeprefix("whsec_"))
        assert len(secret) == 24
        expected.append("v1," + base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode())
    assert headers["webhook-signature"].split(" ") == expected
