"""Metrics and the happenings that they count."""

import contextlib
from unittest import mock

import pytest
from channels.testing import WebsocketCommunicator
from django.db import OperationalError
from prometheus_client import REGISTRY
from pytest_django import Settings

from chat.actions import posting
from chat.delivery import hub, layer
from chat.delivery.hub import Hub
from chat.delivery.layer import Layer
from chat.delivery.publisher import publish
from chat.domain import events, people
from chat.domain.positions import Position
from chat.domain.rooms import find
from chat.errors import ChatError
from chat.storage import log
from chat.storage.database import in_database
from mysite.asgi import application

ROOM = find("counted")
ANN = people.Person(id="user-1", name="Ann")


class Growth:
    """By how much a sample of a metric has grown since this was made."""

    def __init__(self, name: str, **labels: str) -> None:
        self.name, self.labels = name, labels
        self.before = self.value

    @property
    def value(self) -> float:
        return REGISTRY.get_sample_value(self.name, self.labels) or 0.0

    def __call__(self) -> float:
        return self.value - self.before


async def test_metrics_count_an_event_once_and_a_delivery_per_listener() -> None:
    given, deliveries, latency = (
        Growth("chat_events_total"),
        Growth("chat_deliveries_total"),
        Growth("chat_latency_seconds_count"),
    )
    async with Hub.here().listen([ROOM]), Hub.here().listen([ROOM]), Hub.here().listen([ROOM]):
        await posting.post(room=ROOM, message="hi", person=ANN)
        await posting.post(room=ROOM, message="hi again", person=ANN)
    assert (given(), deliveries(), latency()) == (2, 6, 2)


async def test_latency_metric_is_the_time_since_a_message_was_sent() -> None:
    seconds = Growth("chat_latency_seconds_sum")
    async with Hub.here().listen([ROOM]):
        await posting.post(room=ROOM, message="hi", person=ANN)
    assert 0 < seconds() < 5


async def test_gauges_of_listeners_and_rooms_show_the_present_ones(eventually) -> None:
    listeners, rooms = Growth("chat_listeners"), Growth("chat_rooms")
    async with Hub.here().listen([ROOM, find("another")]), Hub.here().listen([ROOM]):
        assert (listeners(), rooms.value) == (2, 2)
    assert listeners() == 0
    await eventually(lambda: rooms.value == 0)


async def test_listener_that_leaves_twice_is_counted_once() -> None:
    listeners = Growth("chat_listeners")
    async with Hub.here().listen([ROOM]), Hub.here().listen([ROOM]) as listener:
        await Hub.here().leave(listener)
        assert listeners() == 1
        await Hub.here().leave(listener)
        assert listeners() == 1


@pytest.mark.parametrize(
    ("message", "outcome"),
    [("hi", "stored"), (" ", "blank_message"), (7, "invalid_message"), ("x" * 4001, "message_too_long")],
)
async def test_posts_are_counted_by_outcome(message: object, outcome: str) -> None:
    posts = Growth("chat_posts_total", outcome=outcome)
    with contextlib.suppress(ChatError):
        await posting.post(room=ROOM, message=message, person=ANN)
    assert posts() == 1


async def test_retry_of_a_post_is_counted_as_repeated_and_not_as_stored() -> None:
    stored, repeated = Growth("chat_posts_total", outcome="stored"), Growth("chat_posts_total", outcome="repeated")
    for _ in range(3):
        await posting.post(room=ROOM, message="once", person=ANN, client_id="1")
    assert (stored(), repeated()) == (1, 2)


async def test_database_errors_are_counted() -> None:
    failed, posts = Growth("chat_database_errors_total"), Growth("chat_posts_total", outcome="unavailable")
    with mock.patch.object(log, "append", side_effect=OperationalError("away")), contextlib.suppress(ChatError):
        await posting.post(room=ROOM, message="hi", person=ANN)
    assert (failed(), posts()) == (1, 1)


async def test_events_read_from_the_database_are_counted_as_repaired(
    monkeypatch: pytest.MonkeyPatch, eventually
) -> None:
    monkeypatch.setattr(hub, "WATCH_INTERVAL", 0.05)
    repaired = Growth("chat_repaired_total")
    async with Hub.here().listen([ROOM]):
        for text in "abc":
            await in_database(log.append, [log.Draft(room=ROOM, text=text, person=ANN)])
        await eventually(lambda: repaired() == 3)


async def test_events_brought_by_the_layer_are_not_counted_as_repaired() -> None:
    repaired = Growth("chat_repaired_total")
    async with Hub.here().listen([ROOM]) as listener:
        await posting.post(room=ROOM, message="hi", person=ANN)
        await anext(listener)
    assert repaired() == 0


async def test_malformed_events_are_counted_as_dropped(foreign_send, eventually) -> None:
    dropped = Growth("chat_dropped_total")
    async with Hub.here().listen([ROOM]):
        await foreign_send(ROOM.name, message=7)
        await eventually(lambda: dropped() == 1)


@pytest.mark.parametrize(("after", "outcome"), [(0, "caught_up"), (7, "start_over")])
async def test_recoveries_are_counted_by_outcome(after: int, outcome: str) -> None:
    recoveries = Growth("chat_recoveries_total", outcome=outcome)
    async with Hub.here().listen([ROOM], {ROOM: Position(after)}) as listener:
        await listener.read_missed()
        assert recoveries() == 1


async def test_slow_listener_is_counted_once(settings: Settings, eventually) -> None:
    settings.CHAT_BACKLOG_MAX = 2
    slow, given = Growth("chat_slow_listeners_total"), Growth("chat_events_total")
    async with Hub.here().listen([ROOM]):
        for text in "abcdef":
            await publish(events.build(room=ROOM, message=text, person=None))
        await eventually(lambda: given() == 6)
        assert slow() == 1


async def test_gauge_of_redis_is_0_while_away_and_1_once_back(eventually) -> None:
    redis = Growth("chat_redis_up")
    with mock.patch.object(layer, "get_channel_layer", side_effect=ConnectionError("it is away")):
        await Layer.here().send((ROOM.group, {"type": "nothing"}))
        assert redis.value == 0
    Layer.here()._servers[0]._retry_at = 0  # and not in a second
    await Layer.here().send((ROOM.group, {"type": "nothing"}))
    await eventually(lambda: redis.value == 1)


async def test_refused_foreign_origin_is_counted() -> None:
    refused = Growth("chat_refused_origins_total")
    socket = WebsocketCommunicator(application, "/ws/chat/a/", headers=[(b"origin", b"https://evil.example")])
    assert (await socket.connect(timeout=5))[0] is False
    assert refused() == 1


async def test_gauge_of_connections_shows_the_present_ones_by_door(open_chat, open_graphql, eventually) -> None:
    browsers, clients = Growth("chat_connections", door="browser"), Growth("chat_connections", door="graphql")
    left = Growth("chat_closed_total", door="browser", code="by client")
    one, _, _ = await open_chat("/ws/chat/a/"), await open_chat("/ws/chat/a/"), await open_graphql()
    assert (browsers(), clients()) == (2, 1)
    await one.disconnect(timeout=5)
    await eventually(lambda: browsers() == 1)
    assert left() == 1


async def test_socket_closed_by_the_site_is_counted_by_its_code(open_chat) -> None:
    closed = Growth("chat_closed_total", door="browser", code="4400")
    refused = await open_chat(f"/ws/chat/{'x' * 101}/")
    await refused.receive_json_from(timeout=5)
    assert (await refused.receive_output(timeout=5))["code"] == 4400
    assert closed() == 1
