"""The hub, on a real Valkey."""

import asyncio
import contextlib
import logging

import pytest
from channels.layers import InMemoryChannelLayer, get_channel_layer
from pytest_django import Settings

from chat.actions import posting
from chat.delivery import availability
from chat.delivery.control import CONTROL_GROUP
from chat.delivery.hub import Hub, Listener
from chat.delivery.publisher import publish
from chat.domain import events, people
from chat.domain.rooms import find
from chat.errors import SlowListener

ROOM, OTHER = find("broker"), find("brøker")


def said(text: str, room=ROOM) -> events.Event:
    return events.build(room=room, message=text, person=None)


async def heard(listener: Listener) -> str:
    async with asyncio.timeout(5):
        return (await anext(listener)).message


async def test_publish_reaches_every_listener_of_a_room_in_order() -> None:
    async with Hub.here().listen([ROOM]) as one, Hub.here().listen([ROOM]) as two:
        for text in "abc":
            await publish(said(text))
        assert [await heard(one) for _ in "abc"] == [await heard(two) for _ in "abc"] == ["a", "b", "c"]


async def test_listener_hears_its_rooms_and_no_others() -> None:
    here = Hub.here()
    async with here.listen([ROOM]) as one, here.listen([OTHER]) as two, here.listen([ROOM, OTHER]) as both:
        await publish(said("here"))
        await publish(said("there", OTHER))
        await publish(said("here again"))
        assert [await heard(one) for _ in range(2)] == ["here", "here again"]
        assert await heard(two) == "there"
        assert [await heard(both) for _ in range(3)] == ["here", "there", "here again"]


async def test_hub_has_one_channel_and_one_membership_per_group(eventually) -> None:
    layer = get_channel_layer()._get_layer()
    async with Hub.here().listen([ROOM]), Hub.here().listen([ROOM, OTHER]), Hub.here().listen([ROOM]):
        assert len(layer.channels) == 1
        assert {group: len(members) for group, members in layer.groups.items()} == {
            f"asgi__group__{ROOM.group}": 1,
            f"asgi__group__{OTHER.group}": 1,
            "asgi__group__control": 1,
        }
    assert layer.groups == {}
    assert layer.channels == {}
    assert not [task for task in asyncio.all_tasks() if task.get_coro().__qualname__.startswith(("Hub.", "Groups."))]


async def test_hub_leaves_a_group_with_the_last_listener_only() -> None:
    async with Hub.here().listen([ROOM]) as stays:
        async with Hub.here().listen([ROOM]):
            pass
        await publish(said("still here"))
        assert await heard(stays) == "still here"


async def test_cancelled_listener_leaves(eventually) -> None:
    async def listen() -> None:
        async with Hub.here().listen([ROOM]) as listener:
            async for _ in listener:
                pass

    layer = get_channel_layer()._get_layer()
    tasks = [asyncio.create_task(listen()) for _ in range(20)]
    for task in tasks[:10]:
        task.cancel()  # before it has joined
    await eventually(lambda: layer.groups)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await eventually(lambda: not layer.groups and not layer.channels)


async def test_hub_is_in_the_group_exactly_while_there_are_listeners_after_racing_joins(
    eventually,
) -> None:
    async def come_and_go() -> None:
        for _ in range(5):
            async with Hub.here().listen([ROOM]):
                await asyncio.sleep(0)

    async with Hub.here().listen([ROOM]) as stays:
        await asyncio.gather(*(come_and_go() for _ in range(20)))
        await publish(said("still here"))
        assert await heard(stays) == "still here"
    await asyncio.gather(*(come_and_go() for _ in range(20)))
    await eventually(lambda: not get_channel_layer()._get_layer().groups)


async def test_listener_that_takes_nothing_is_cut_off_without_delaying_others(settings: Settings) -> None:
    settings.CHAT_BACKLOG_MAX = 3
    async with Hub.here().listen([ROOM]) as slow, Hub.here().listen([ROOM]) as quick:
        for text in "abcd":
            await publish(said(text))
            assert await heard(quick) == text
        with pytest.raises(SlowListener):
            await heard(slow)


@pytest.mark.parametrize(
    "rubbish",
    [
        {"type": "chat.message", "message": "no room"},
        {"type": "chat.message", "room_id": ["chat_broker"], "message": "odd room"},
        {"type": "chat.message", "room_id": "chat_elsewhere", "message": "other room"},
        {"type": "chat.message", "room_id": "chat_broker"},
        {"type": "chat.message", "room_id": "chat_broker", "message": 7},
        {"type": "chat.delete", "room_id": "chat_broker", "message": "other type"},
        {"room_id": "chat_broker", "message": "no type"},
        {},
    ],
)
async def test_hub_ignores_malformed_events_of_a_group(rubbish: dict, caplog: pytest.LogCaptureFixture) -> None:
    async with Hub.here().listen([ROOM]) as listener:
        await get_channel_layer().group_send(ROOM.group, rubbish)
        await publish(said("after it"))
        assert await heard(listener) == "after it"
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_hub_ignores_bytes_that_are_no_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availability, "RETRY_INTERVAL", 0)
    async with Hub.here().listen([ROOM]) as listener:
        shard = get_channel_layer()._get_layer()._shards[0]
        await shard.publish(f"asgi__group__{ROOM.group}", b"\xc1 no msgpack")
        await shard.publish(f"asgi__group__{ROOM.group}", b"\x07")  # msgpack, but a number
        await publish(said("after it"))
        assert await heard(listener) == "after it"


async def test_each_event_loop_has_a_hub_of_its_own() -> None:
    def in_another_loop() -> str:
        async def listen() -> str:
            async with Hub.here().listen([ROOM]) as listener:
                listening.set()
                return await heard(listener)

        return asyncio.run(listen())

    listening = asyncio.Event()
    loop = asyncio.get_running_loop()
    listening.set = lambda inner=listening.set: loop.call_soon_threadsafe(inner)  # type: ignore[method-assign]
    other = asyncio.create_task(asyncio.to_thread(in_another_loop))
    async with Hub.here().listen([ROOM]) as listener:
        await listening.wait()
        await publish(said("to both"))
        assert await heard(listener) == await other == "to both"


class TestWhileRedisIsAway:
    """The layer's address leads to no server."""

    @pytest.fixture(autouse=True)
    def away(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(availability, "RETRY_INTERVAL", 0.05)
        settings.CHANNEL_LAYERS = {
            "default": {
                "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
                "CONFIG": {"hosts": ["unix:///nowhere.sock"]},
            }
        }

    async def test_post_without_redis_is_heard_here_without_delay_and_logged_once(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with Hub.here().listen([ROOM]) as listener:
            for text in "abc":
                await posting.post(room=ROOM, message=text, person=people.new_guest())
            assert [await heard(listener) for _ in "abc"] == ["a", "b", "c"]
        assert len(caplog.records) == 1, "it is said once, not for each message"

    async def test_listener_that_joined_without_redis_hears_once_it_is_back(self, settings: Settings) -> None:
        async with Hub.here().listen([ROOM]) as listener:
            settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
            layer = get_channel_layer()
            async with asyncio.timeout(5):
                while ROOM.group not in layer.groups:
                    await asyncio.sleep(0.01)
            await publish(said("back"))
            assert await heard(listener) == "back"

    async def test_joins_and_leaves_without_redis_leave_no_tasks_behind(self, eventually) -> None:
        async with Hub.here().listen([ROOM]):
            before = len(asyncio.all_tasks())
            for number in range(50):
                async with Hub.here().listen([ROOM, find(f"room {number % 5}")]):
                    pass
            await eventually(lambda: len(asyncio.all_tasks()) <= before + 1)

    async def test_hub_joins_exactly_the_needed_groups_once_redis_is_back(self, settings: Settings, eventually) -> None:
        rooms = [find(f"room {number}") for number in range(20)]
        async with contextlib.AsyncExitStack() as stack:
            for room in rooms:
                async with Hub.here().listen([room]):
                    pass
            for room in rooms[:7]:
                await stack.enter_async_context(Hub.here().listen([room]))
            settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
            layer = get_channel_layer()
            needed = {room.group for room in rooms[:7]} | {CONTROL_GROUP}
            await eventually(lambda: set(layer.groups) == needed)
        assert not layer.groups


class LeavingFails(InMemoryChannelLayer):
    """Forgets a group's member but fails to unsubscribe at its server, like Redis pub/sub, `failures` times."""

    failures = 0

    async def group_add(self, group: str, channel: str) -> None:
        await super().group_add(group, channel)
        self.subscribed = {*getattr(self, "subscribed", ()), group}

    async def group_discard(self, group: str, channel: str) -> None:
        if channel not in self.groups.get(group, ()):
            return
        await super().group_discard(group, channel)
        if LeavingFails.failures:
            LeavingFails.failures -= 1
            raise ConnectionError("it is away")
        self.subscribed.discard(group)


async def test_group_that_could_not_be_left_is_left_once_the_layer_is_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, eventually
) -> None:
    monkeypatch.setattr(availability, "RETRY_INTERVAL", 0.01)
    monkeypatch.setattr(LeavingFails, "failures", 3)
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.LeavingFails"}}
    async with Hub.here().listen([OTHER]):
        async with Hub.here().listen([ROOM]):
            pass
        await eventually(lambda: ROOM.group not in get_channel_layer().subscribed)
        assert OTHER.group in get_channel_layer().groups
