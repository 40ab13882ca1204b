"""A Redis server that holds buckets, and the script that takes from them."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.conf import settings
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from chat.delivery.availability import Availability

logger = logging.getLogger(__name__)

REDIS_TIMEOUT = 1.0  # seconds that anybody waits for Redis
CONNECTIONS_MAX = 8  # to a server, per process; whoever finds none free waits for one

# KEYS are buckets; ARGV has for each of them how much time a token takes to come back, and the whole bucket, in ms.
# Where the time is negative, a token is given back. Returns whether tokens were taken, and for each bucket how long it
# takes to be full.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local taken, till_full = 1, {}
for i, key in ipairs(KEYS) do
    till_full[i] = math.max(0, (tonumber(redis.call('GET', key)) or 0) - now)
    if till_full[i] + ARGV[2 * i - 1] > ARGV[2 * i] + 1 then taken = 0 end
end
for i, key in ipairs(KEYS) do
    if taken == 1 then
        till_full[i] = math.max(0, till_full[i] + ARGV[2 * i - 1])
        if till_full[i] > 0 then
            redis.call('SET', key, string.format('%.3f', now + till_full[i]), 'PX', math.ceil(till_full[i]))
        else
            redis.call('DEL', key)
        end
    end
    till_full[i] = math.ceil(till_full[i])
end
return {taken, unpack(till_full)}
"""


class Taking(NamedTuple):
    """Whether a token was taken from each bucket, and in how many seconds each of them is full, by key."""

    taken: bool
    till_full: dict[str, float]


class BucketServer:
    """One of the servers of REDIS_URL, as one event loop knows it."""

    def __init__(self, url: str, name: str) -> None:
        options: dict[str, Any] = {**settings.REDIS_OPTIONS, "socket_timeout": REDIS_TIMEOUT}
        pool = BlockingConnectionPool.from_url(url, max_connections=CONNECTIONS_MAX, timeout=REDIS_TIMEOUT, **options)
        self._take = Redis(connection_pool=pool).register_script(TAKE)
        self._name = name
        self.availability = Availability(REDIS_TIMEOUT)

    async def take(self, sizes: Mapping[str, tuple[float, float]]) -> Taking | None:
        """Takes a token from each bucket, or none; None if the server is away.

        `sizes` has for each key the seconds in which a token comes back (less than 0 gives one back), and those in
        which the whole bucket does.
        """
        if not self.availability.may_try():
            return None
        milliseconds = [round(seconds * 1000, 3) for size in sizes.values() for seconds in size]
        try:
            async with asyncio.timeout(REDIS_TIMEOUT):
                taken, *till_full = await self._take(keys=list(sizes), args=milliseconds)
        except (RedisError, OSError, TimeoutError) as error:
            if self.availability.lose():
                logger.warning("%s is away. Each process limits rates by itself: %r", self._name, error)
            return None
        if self.availability.find():
            logger.warning("%s is back. Rates are limited together.", self._name)
        return Taking(bool(taken), {key: one / 1000 for key, one in zip(sizes, till_full, strict=True)})
