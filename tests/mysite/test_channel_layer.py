"""The channel layer on several real servers."""

import asyncio
import itertools
from pathlib import Path
from signal import Signals

import pytest
import redis
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.conf import settings

from mysite.channel_layer import RedisChannelLayer
from tests.chaos.site import Valkey

REFUSING = {"address": "redis://127.0.0.1:1/0", **settings.REDIS_OPTIONS}


@pytest.fixture
async def valkey(tmp_path: Path):
    with (tmp_path / "valkey.log").open("ab") as log:
        server = Valkey(log)
        try:
            await server.start()
            yield server
        finally:
            server.end()


def group_on(layer: RedisChannelLayer, server: int) -> str:
    return next(f"group.{number}" for number in itertools.count() if layer.server_of(f"group.{number}") == server)


async def test_server_of_a_group_is_where_channels_own_layer_sends_it(valkey: Valkey) -> None:
    hosts = [REFUSING, valkey.url]
    layer, own = RedisChannelLayer(hosts=hosts), RedisPubSubChannelLayer(hosts=hosts)
    assert layer.server_count == 2
    for number in range(20):
        group = f"group.{number}"
        if layer.server_of(group) == 1:
            await own.group_send(group, {"type": "nothing"})
        else:
            with pytest.raises(redis.ConnectionError):
                await own.group_send(group, {"type": "nothing"})
    await own.flush()


@pytest.mark.parametrize("hangs", [False, True])
async def test_channel_of_any_name_receives_from_groups_while_a_server_is_away(
    valkey: Valkey, hangs: bool, tmp_path: Path
) -> None:
    with (tmp_path / "hanging.log").open("ab") as log:
        hanging = Valkey(log)
        await hanging.start()
        if hangs:
            hanging.send(Signals.SIGSTOP)
        else:
            hanging.end()
        layer = RedisChannelLayer(hosts=[hanging.url, valkey.url])
        group = group_on(layer, 1)
        async with asyncio.timeout(10):
            for number in range(8):  # by chance some are on the server that is away
                channel = await layer.new_channel()
                await layer.group_add(group, channel)
                await layer.group_send(group, {"type": "nothing", "number": number})
                assert (await layer.receive(channel))["number"] == number
        hanging.end()
        await layer.flush()


async def test_direct_message_reaches_a_channel(valkey: Valkey) -> None:
    layer = RedisChannelLayer(hosts=[valkey.url])
    channel = await layer.new_channel()
    await layer.send(channel, {"type": "nothing"})
    assert await layer.receive(channel) == {"type": "nothing"}
    await layer.flush()
