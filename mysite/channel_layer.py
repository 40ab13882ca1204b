"""Channels' pub/sub layer on the servers of REDIS_URL."""

import asyncio
import logging
import uuid

from channels_redis.pubsub import RedisPubSubChannelLayer

logger = logging.getLogger(__name__)

SUBSCRIBE_TIMEOUT = 0.3  # seconds that a new channel waits for its server


class RedisChannelLayer(RedisPubSubChannelLayer):
    """Channels' own layer, which spreads groups over its servers by a hash of their names, and says where they are.

    A foreign program that sends through Channels' own layer to the same servers, in the same order, reaches the same
    groups.
    """

    @property
    def server_count(self) -> int:
        return len(self._get_layer()._shards)

    def server_of(self, group: str) -> int:
        """The number of the server, from 0, that the group is on."""
        layer = self._get_layer()
        shard = layer._get_shard(layer._get_group_channel_name(group))
        number: int = layer._shards.index(shard)
        return number

    async def new_channel(self, prefix: str = "specific.") -> str:
        """The name of a new channel of this process, which can be added to groups at once.

        A channel is on a server by chance, which matters to direct messages alone. Channels' own layer fails or waits
        if that one is away, and so would keep the process from the groups on all others. Here such a channel gets no
        direct messages, but those of its groups.
        """
        layer = self._get_layer()
        channel = f"{layer.prefix}{prefix}{uuid.uuid4().hex}"
        subscribing = asyncio.create_task(layer._subscribe_to_channel(channel))
        await asyncio.wait([subscribing], timeout=SUBSCRIBE_TIMEOUT)
        subscribing.add_done_callback(_report)
        return channel


def _report(subscribing: asyncio.Task[None]) -> None:
    if not subscribing.cancelled() and (error := subscribing.exception()):
        logger.info("A channel gets no direct messages: %r", error)
