"""The channel layer's servers, one of which hangs or fails."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import msgpack
import pytest
from channels.layers import InMemoryChannelLayer, get_channel_layer
from pytest_django import Settings

from chat.delivery import availability, layer, publisher
from chat.delivery.control import CONTROL_GROUP
from chat.delivery.detached_tasks import DetachedTasks
from chat.delivery.groups import Groups
from chat.delivery.hub import send_control
from chat.delivery.layer import Layer, describe
from chat.delivery.publisher import Publisher
from chat.domain import events
from chat.domain.rooms import Room, find

COUNT = 3
MESSAGE = {"type": "nothing"}


class ThreeServers(InMemoryChannelLayer):
    """A group `…3` is on server 0, `…4` on server 1: by the sum of its characters. Server 0 can hang, or fail."""

    server_count = COUNT
    hangs: asyncio.Event | None = None
    fails = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.sent: list[str] = []

    def server_of(self, group: str) -> int:
        return sum(group.encode()) % COUNT

    async def _reach(self, group: str) -> None:
        if self.server_of(group) == 0 and self.hangs:
            await self.hangs.wait()
        if self.server_of(group) == 0 and self.fails:
            raise ConnectionError("it is away")

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await self._reach(group)
        msgpack.packb(message)  # as Channels' layer for Redis does
        self.sent.append(group)
        await super().group_send(group, message)

    async def group_add(self, group: str, channel: str) -> None:
        await self._reach(group)
        await super().group_add(group, channel)

    async def group_discard(self, group: str, channel: str) -> None:
        await self._reach(group)
        await super().group_discard(group, channel)


@pytest.fixture(autouse=True)
def servers(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> ThreeServers:
    monkeypatch.setattr(layer, "LAYER_TIMEOUT", 0.1)
    monkeypatch.setattr(availability, "RETRY_INTERVAL", 0.05)
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.ThreeServers"}}
    found: ThreeServers = get_channel_layer()
    return found


def room_on(servers: ThreeServers, server: int) -> Room:
    return next(room for room in map(find, "abcdef") if servers.server_of(room.group) == server)


async def test_each_server_has_a_control_group_of_its_own(servers: ThreeServers) -> None:
    groups = Layer.here().group_on_each_server(CONTROL_GROUP)
    assert [servers.server_of(group) for group in groups] == [*range(COUNT)]
    assert CONTROL_GROUP in groups  # in which processes of one release before are


async def test_layer_without_several_servers_has_one(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    assert Layer.here().server_of("any") == 0
    assert Layer.here().group_on_each_server(CONTROL_GROUP) == [CONTROL_GROUP]


async def test_send_to_a_hanging_server_is_waited_for_once_and_reaches_the_others(
    servers: ThreeServers, caplog: pytest.LogCaptureFixture, eventually
) -> None:
    servers.hangs = asyncio.Event()
    groups = [room_on(servers, server).group for server in range(COUNT)]
    await Layer.here().send(*((group, MESSAGE) for group in groups))
    assert servers.sent == groups[1:]
    assert [Layer.here().is_away(server) for server in range(COUNT)] == [True, False, False]
    began = time.monotonic()
    for _ in range(20):
        await Layer.here().send((groups[0], MESSAGE))
    assert time.monotonic() - began < layer.LAYER_TIMEOUT
    assert [record.message for record in caplog.records] == [
        "Server 1 of 3 of the channel layer is away. Going on without it, from the database: TimeoutError('no answer')"
    ]
    servers.hangs.set()
    await eventually(lambda: not tuple(DetachedTasks.here()))


@pytest.mark.parametrize("value", [datetime.now(UTC), "\ud800", 1 << 64, {1, 2}], ids=["time", "half", "long", "set"])
async def test_message_that_can_not_be_packed_is_logged_and_the_others_are_sent(
    servers: ThreeServers, caplog: pytest.LogCaptureFixture, value: object
) -> None:
    bad, good = room_on(servers, 0).group, room_on(servers, 1).group
    await Layer.here().send((bad, MESSAGE | {"at": value}), (bad, MESSAGE), (good, MESSAGE))
    assert sorted(servers.sent) == sorted([bad, good])
    assert not Layer.here().is_any_away
    assert [record.message for record in caplog.records] == [f"Can't send a nothing to {bad}"]


async def test_message_that_can_not_be_unpacked_is_dropped_and_the_next_is_heard(
    servers: ThreeServers, monkeypatch: pytest.MonkeyPatch, eventually
) -> None:
    monkeypatch.setattr(availability, "RETRY_INTERVAL", 3600)
    heard: list[Any] = []
    group = room_on(servers, 1).group
    groups = Groups(heard.append)
    await groups.want({group: True})
    receive = servers.receive

    async def unpack(channel: str) -> Any:
        return msgpack.unpackb((await receive(channel))["packed"])

    await asyncio.sleep(0)
    monkeypatch.setattr(servers, "receive", unpack)
    packed = {"type": "nothing", "packed": msgpack.packb("hi")}
    for message in (packed, packed | {"packed": b"\xc1"}, packed | {"packed": b"\x92"}, packed):
        await servers.group_send(group, message)
    await eventually(lambda: heard == [packed, "hi"])
    assert not Layer.here().is_any_away
    await groups.want({group: False})


async def test_look_finds_out_about_each_server(servers: ThreeServers) -> None:
    servers.fails = True
    assert await Layer.here().look() == [False, True, True]
    servers.fails = False
    assert await Layer.here().look() == [True, True, True]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([True], "ok"),
        ([True, True], "ok"),
        ([False], "away: messages arrive by way of the database"),
        ([False, False], "away: messages arrive by way of the database"),
        (
            [True, False, False],
            "away: 2, 3 of 3 servers; messages of the rooms there arrive by way of the database",
        ),
    ],
)
def test_description_names_the_servers_that_are_away(answers: list[bool], said: str) -> None:
    assert describe(answers) == said


async def test_events_of_other_servers_do_not_wait_for_one_that_hangs(
    servers: ThreeServers, monkeypatch: pytest.MonkeyPatch, eventually
) -> None:
    monkeypatch.setattr(layer, "LAYER_TIMEOUT", 60)
    monkeypatch.setattr(publisher, "LAYER_TIMEOUT", 60)
    servers.hangs = asyncio.Event()
    lost, live = room_on(servers, 0), room_on(servers, 1)
    said = [events.build(room=room, message="hi", person=None) for room in (lost, live, lost, live)]
    Publisher.here().publish(said)
    await Publisher.here().flush(said[1])
    assert servers.sent == [live.group] * 2
    servers.hangs.set()
    await Publisher.here().flush()
    assert servers.sent == [live.group] * 2 + [lost.group] * 2


async def test_groups_of_other_servers_are_joined_at_once_while_one_hangs_and_its_own_later(
    servers: ThreeServers, monkeypatch: pytest.MonkeyPatch, eventually
) -> None:
    servers.hangs = asyncio.Event()
    groups = Groups(lambda message: None)
    lost, live = room_on(servers, 0).group, room_on(servers, 1).group
    await groups.want({lost: True})
    assert Layer.here().is_away(0)
    await groups.want({live: True, lost: True})
    assert live in groups
    assert lost not in groups
    servers.hangs.set()
    await eventually(lambda: lost in groups and len(servers.groups) == 2 + COUNT)
    await groups.want({live: False, lost: False})
    await eventually(lambda: not servers.groups)


async def test_groups_are_left_once_their_server_is_back(servers: ThreeServers, eventually) -> None:
    groups = Groups(lambda message: None)
    lost, live = room_on(servers, 0).group, room_on(servers, 1).group
    await groups.want({lost: True, live: True})
    servers.fails = True
    await groups.want({lost: False})
    await groups.want({live: False})
    assert live not in groups
    assert lost in groups
    servers.fails = False
    await eventually(lambda: not servers.groups)


async def test_control_message_is_handled_once_however_many_groups_bring_it(
    servers: ThreeServers, monkeypatch: pytest.MonkeyPatch, hub, eventually
) -> None:
    heard: list[Any] = []
    monkeypatch.setattr("chat.delivery.control.handle", lambda subject, about: heard.append((subject, about)))
    async with hub().listen([room_on(servers, 0)]):
        await eventually(lambda: len(servers.groups) == 1 + COUNT)
        await send_control("subject", {"number": 1})
        await send_control("subject", {"number": 2})
        await asyncio.sleep(0.05)
    assert heard == [("subject", {"number": 1}), ("subject", {"number": 2})]
