"""The hub's contract, which holds on every channel layer: in memory, Redis pub/sub, and Redis lists, which drop."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.conf import settings as site
from pytest_django import Settings

from chat.actions import posting
from chat.delivery import feed, hub
from chat.delivery.hub import Hub, Listener
from chat.delivery.publisher import publish
from chat.domain.events import Event, build
from chat.domain.group_events import to_group
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.rooms import Room, find
from chat.storage import log
from chat.storage.database import in_database

ROOM, OTHER = find("contract"), find("cöntract")
ANN = Person(id="user-1", name="Ann")
CAPACITY = 5  # messages that a layer keeps for one process


class UnreliableLayer(InMemoryChannelLayer):
    """Loses every third event, brings every third one twice, and every third one late."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.sent = 0
        self.late: list[tuple[str, dict]] = []

    async def group_send(self, group: str, message: dict) -> None:
        self.sent += 1
        match self.sent % 3:
            case 0:
                self.late.append((group, message))
            case 1:
                await super().group_send(group, message)
                await super().group_send(group, message)
        while len(self.late) > 1:
            await super().group_send(*self.late.pop(0))


RELIABLE = {
    "in memory": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 1000}},
    "pub/sub": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": site.REDIS_URLS[0]}]},
    },
}
DROPPING = {
    "in memory, small": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": CAPACITY}},
    "core": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # It waits for messages five seconds at a time, which a shorter timeout would take for an error.
        "CONFIG": {"hosts": [{"address": site.REDIS_URLS[0], "socket_timeout": 10}], "capacity": CAPACITY},
    },
    "unreliable": {"BACKEND": "tests.chat.delivery.test_hub_contract.UnreliableLayer", "CONFIG": {"capacity": 1000}},
}
LAYERS = RELIABLE | DROPPING


@pytest.fixture
async def on_layer(settings: Settings) -> AsyncIterator[None]:
    """Starts the embedded Valkey, and closes what the test opened there."""
    await get_channel_layer().group_send("nobody", {"type": "nothing"})
    yield
    layer = get_channel_layer()
    for close in ["close_pools", "flush"]:
        if hasattr(layer, close):
            await getattr(layer, close)()
            break


@pytest.fixture(params=LAYERS)
def layer(request: pytest.FixtureRequest, on_layer: None, settings: Settings) -> str:
    settings.CHANNEL_LAYERS = {"default": LAYERS[request.param]}
    return request.param


@pytest.fixture(params=RELIABLE)
def reliable_layer(request: pytest.FixtureRequest, on_layer: None, settings: Settings) -> str:
    settings.CHANNEL_LAYERS = {"default": RELIABLE[request.param]}
    return request.param


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "WATCH_INTERVAL", 0.2)


async def post(text: str, room: Room = ROOM) -> Event:
    return (await posting.post(room=room, message=text, person=ANN)).event


async def post_elsewhere(text: str, room: Room = ROOM) -> Event:
    """Posts like another process: this one hears of it through the layer or from the database only."""
    event = (await in_database(log.append, [log.Draft(room=room, text=text, person=ANN)]))[0].event
    await get_channel_layer().group_send(room.group, to_group(event))
    return event


async def hear(listener: Listener, count: int) -> list[Event]:
    async with asyncio.timeout(10):
        return [await anext(listener) for _ in range(count)]


def offsets(events: list[Event]) -> list[int | None]:
    return [event.offset for event in events]


async def hears_nothing(listener: Listener) -> bool:
    """Whether nothing comes any more, once events that came twice or late had time to be dropped."""
    for _ in range(2):
        await asyncio.sleep(hub.WATCH_INTERVAL)
    return not await heard_within(listener, 0.1)


async def heard_within(listener: Listener, seconds: float) -> bool:
    try:
        await asyncio.wait_for(anext(listener), seconds)
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize("say", [post, post_elsewhere])
async def test_stored_messages_are_heard_once_in_order_without_holes(layer: str, say) -> None:
    async with Hub.here().listen([ROOM]) as one, Hub.here().listen([ROOM]) as two:
        for number in range(20):
            await say(str(number))
        for listener in (one, two):
            heard = await hear(listener, 20)
            assert [event.message for event in heard] == [str(number) for number in range(20)]
            assert offsets(heard) == [*range(1, 21)]
        assert await hears_nothing(one)


async def test_concurrent_posts_of_two_processes_are_heard_once_in_order_without_holes(layer: str) -> None:
    async with Hub.here().listen([ROOM]) as listener:
        await asyncio.gather(*(say(str(number)) for number in range(15) for say in (post, post_elsewhere)))
        assert offsets(await hear(listener, 30)) == [*range(1, 31)]
        assert await hears_nothing(listener)


async def test_listener_hears_its_rooms_and_no_others(layer: str) -> None:
    async with Hub.here().listen([ROOM]) as one, Hub.here().listen([ROOM, OTHER]) as both:
        for number in range(5):
            await post_elsewhere(str(number))
            await post_elsewhere(str(number), OTHER)
        assert offsets(await hear(one, 5)) == [*range(1, 6)]
        heard = await hear(both, 10)
        for room in (ROOM, OTHER):
            assert offsets([event for event in heard if event.room == room]) == [*range(1, 6)]
        assert await hears_nothing(one)


async def test_listener_with_a_position_hears_missed_messages_and_goes_live(layer: str) -> None:
    for number in range(10):
        await post_elsewhere(str(number))
    async with Hub.here().listen([ROOM], {ROOM: Position(4)}) as listener:
        for number in range(10):
            await post_elsewhere(str(number))
        assert offsets(await hear(listener, 16)) == [*range(5, 21)]
        assert await hears_nothing(listener)


async def test_listener_hears_everything_once_while_others_join_and_leave(layer: str) -> None:
    async with Hub.here().listen([ROOM]) as stays:
        for number in range(5):
            async with Hub.here().listen([ROOM]) as comes_and_goes:
                await post_elsewhere(str(number))
                assert offsets(await hear(comes_and_goes, 1)) == [number + 1]
        assert offsets(await hear(stays, 5)) == [1, 2, 3, 4, 5]


async def test_listener_that_has_left_hears_nothing(layer: str) -> None:
    async with Hub.here().listen([ROOM]) as gone:
        pass
    async with Hub.here().listen([ROOM]) as stays:
        await post_elsewhere("hi")
        await hear(stays, 1)
    assert await hears_nothing(gone)


async def test_hub_leaves_no_task_behind(layer: str, eventually) -> None:
    async with Hub.here().listen([ROOM, OTHER]):
        await post_elsewhere("hi")

    def tasks() -> list:
        return [task for task in asyncio.all_tasks() if task.get_coro().__qualname__.startswith(("Hub.", "Groups."))]

    await eventually(lambda: not tasks())


async def test_live_events_are_heard_in_order(reliable_layer: str) -> None:
    async with Hub.here().listen([ROOM]) as one, Hub.here().listen([ROOM]) as two:
        texts = [str(number) for number in range(20)]
        for text in texts:
            await publish(build(room=ROOM, message=text, person=None))
        for listener in (one, two):
            assert [event.message for event in await hear(listener, 20)] == texts


async def test_live_events_are_heard_between_stored_ones(reliable_layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "WATCH_INTERVAL", 3600)  # what is read from there overtakes what is on its way
    async with Hub.here().listen([ROOM]) as listener:
        for number in range(5):
            await post_elsewhere(str(number))
            await publish(build(room=ROOM, message="live", person=None))
        assert offsets(await hear(listener, 10)) == [1, None, 2, None, 3, None, 4, None, 5, None]


async def test_flood_of_live_events_loses_no_stored_message(layer: str, settings: Settings) -> None:
    settings.CHAT_BACKLOG_MAX = 10_000
    async with Hub.here().listen([ROOM]) as listener:
        for number in range(10):
            for _ in range(CAPACITY + 1):
                await publish(build(room=ROOM, message="live", person=None))
            await post_elsewhere(str(number))
        stored: list[Event] = []
        while len(stored) < 10:
            stored += [event for event in await hear(listener, 1) if event.offset is not None]
        assert offsets(stored) == [*range(1, 11)]


class DeafLayer(InMemoryChannelLayer):
    """Takes a cancellation for an answer, as some clients of Redis do: `asyncio.wait_for` before Python 3.12 does."""

    async def group_send(self, group: str, message: dict) -> None:
        try:
            await asyncio.sleep(0.2)
        except asyncio.CancelledError:
            pass


async def test_publish_that_is_cancelled_is_cancelled(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.chat.delivery.test_hub_contract.DeafLayer"}}
    publishing = asyncio.create_task(publish(build(room=ROOM, message="hi", person=None)))
    await asyncio.sleep(0.05)
    publishing.cancel()
    await asyncio.wait([publishing])
    assert publishing.cancelled()


async def test_hole_larger_than_a_read_is_filled_at_once(reliable_layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "WATCH_INTERVAL", 3600)
    monkeypatch.setattr(feed, "READ_SIZE", 3)
    async with Hub.here().listen([ROOM]) as listener:
        for number in range(10):
            await in_database(log.append, [log.Draft(room=ROOM, text=str(number), person=ANN)])
        await post_elsewhere("the end")
        assert offsets(await hear(listener, 11)) == [*range(1, 12)]
