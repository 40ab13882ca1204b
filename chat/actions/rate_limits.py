"""How much one may send at once, and how fast: token buckets, shared by all instances through Redis.

A bucket holds as many tokens as a rate allows at once and fills at the rate's pace. A message takes one from its
sender's bucket and one from that of the address it comes from, both or neither, in one round trip. All that is known
of a bucket is when it will be full again.

Each process remembers what it saw of the buckets last. So whoever sends much too fast is refused without asking Redis,
and while that is away each process goes on by itself.
"""

import asyncio
import logging
import re
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from chat import log_context, metrics
from chat.delivery.layer import Layer
from chat.delivery.per_loop import PerLoop
from chat.domain.people import Person
from chat.errors import FrameTooLong, RateLimited

logger = logging.getLogger(__name__)

REDIS_TIMEOUT = 1.0  # seconds that anybody waits for Redis
RETRY_INTERVAL = 1.0  # seconds between two tries while it is away
CONNECTIONS_MAX = 8  # to Redis, per process; whoever finds none free waits for one
LOCAL_MAX = 10_000  # buckets that are remembered before those that are full again are dropped
CLOSE = 0.001  # seconds that make no difference: the rounding of both clocks

# KEYS are buckets; ARGV has for each of them how much time a token takes to come back, and the whole bucket, in ms.
# Returns whether tokens were taken, and for each bucket how long it takes to be full.
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
        till_full[i] = till_full[i] + ARGV[2 * i - 1]
        redis.call('SET', key, string.format('%.3f', now + till_full[i]), 'PX', math.ceil(till_full[i]))
    end
    till_full[i] = math.ceil(till_full[i])
end
return {taken, unpack(till_full)}
"""


class Rate(NamedTuple):
    """So many at once, and as many again in every `period` (seconds)."""

    amount: int
    period: float

    @property
    def interval(self) -> float:
        return self.period / self.amount


@lru_cache
def parse_rate(text: str) -> Rate:
    """`20/10s` is twenty in ten seconds; m and h are minutes and hours. Raises ValueError."""
    match = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)?([smh])", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no rate: write something like 20/10s, 100/m or 1000/h")
    amount, count, unit = match.groups()
    return Rate(int(amount), int(count or 1) * {"s": 1, "m": 60, "h": 3600}[unit])


def hit(limit: str) -> None:
    """Counts that somebody ran into `limit`. The log says so once per connection."""
    metrics.LIMITS_HIT.labels(limit).inc()
    if log_context.first_time(limit):
        logger.info("Ran into the limit of: %s", limit)


def check_frame(text: str) -> None:
    """Raises FrameTooLong for what came through a WebSocket and is longer than CHAT_FRAME_MAX."""
    longest = settings.CHAT_FRAME_MAX
    if len(text) > longest or (not text.isascii() and len(text.encode(errors="surrogatepass")) > longest):
        hit("frame")
        raise FrameTooLong(f"That was too long: {longest:,} bytes are allowed at once.")


async def spend(person: Person, *, on: str = "message") -> None:
    """Takes a token for what `person` is about to say: a message, or a greeting, which has buckets of its own.

    Raises RateLimited.

    A guest whom the next connection makes another has no bucket, only the address has; who has neither has no limit.
    """
    if not settings.CHAT_LIMITS:
        return
    rates = {}
    if person.lasting:
        rates[f"chat:rate:{on}:person:{person.id}"] = parse_rate(settings.CHAT_RATE_PERSON)
    if person.address:
        rates[f"chat:rate:{on}:address:{person.address}"] = parse_rate(settings.CHAT_RATE_ADDRESS)
    if rates:
        await _take(rates)


async def spend_login(address: str | None, account: str | None) -> None:
    """Takes a token for a password that is tried at `account`, or an account that is made, from `address`.

    Raises RateLimited.
    """
    if not settings.CHAT_LIMITS:
        return
    rates = {}
    if address:
        rates[f"chat:rate:login:{address}"] = parse_rate(settings.CHAT_RATE_LOGIN)
    if account:
        rates[f"chat:rate:login:account:{account}"] = parse_rate(settings.CHAT_RATE_ACCOUNT)
    if rates:
        await _take(rates)


async def _take(rates: Mapping[str, Rate]) -> None:
    if wait := await Buckets.here().take(rates):
        hit("rate")
        raise RateLimited(retry_after=wait)


class Buckets(PerLoop):
    """The buckets, as one event loop knows them."""

    def __init__(self) -> None:
        options: dict[str, Any] = {**settings.REDIS_OPTIONS, "socket_timeout": REDIS_TIMEOUT}
        pool = BlockingConnectionPool.from_url(
            settings.REDIS_URL, max_connections=CONNECTIONS_MAX, timeout=REDIS_TIMEOUT, **options
        )
        self._take = Redis(connection_pool=pool).register_script(TAKE)
        self._full_at: dict[str, float] = {}  # on this process's clock
        self._tidy_at = LOCAL_MAX
        self._away_until: float | None = None  # None while Redis is there
        self._layer_started = False  # and with it the embedded Valkey, if that is where the buckets are

    @classmethod
    def here(cls) -> "Buckets":
        if asyncio.get_running_loop() not in cls._instances:
            for closed in [one for one in cls._instances if one.is_closed()]:
                del cls._instances[closed]  # its connections hold it, so it doesn't go by itself
        return super().here()

    async def take(self, rates: Mapping[str, Rate]) -> float:
        """Takes a token from each bucket, or none. Returns in how many seconds all have one; 0 if it took them."""
        if wait := self._wait(rates):
            return wait
        taken = await self._take_from_redis(rates) if self._is_there() else None
        if taken is None:
            now = time.monotonic()
            self._remember({key: max(now, self._full_at.get(key, 0)) + rate.interval for key, rate in rates.items()})
        return 0 if taken is not False else self._wait(rates) or CLOSE

    def _wait(self, rates: Mapping[str, Rate]) -> float:
        """In how many seconds all of the buckets have a token, as far as is known here."""
        now = time.monotonic()
        wait = max(self._full_at.get(key, 0) + rate.interval - rate.period for key, rate in rates.items()) - now
        return wait if wait > CLOSE else 0

    async def _take_from_redis(self, rates: Mapping[str, Rate]) -> bool | None:
        """Whether Redis gave a token from each; None if it doesn't answer."""
        if not self._layer_started:
            await Layer.here().answers()  # makes the layer, and with it the embedded Valkey
            self._layer_started = True
        sizes = [round(size * 1000, 3) for rate in rates.values() for size in (rate.interval, rate.period)]
        try:
            async with asyncio.timeout(REDIS_TIMEOUT):
                taken, *till_full = await self._take(keys=list(rates), args=sizes)
        except (RedisError, OSError, TimeoutError) as error:
            self._lose_redis(error)
            return None
        self._find_redis()
        now = time.monotonic()
        self._remember({key: now + milliseconds / 1000 for key, milliseconds in zip(rates, till_full, strict=True)})
        return bool(taken)

    def _remember(self, full_at: dict[str, float]) -> None:
        self._full_at |= full_at
        if len(self._full_at) > self._tidy_at:
            now = time.monotonic()
            self._full_at = {key: full for key, full in self._full_at.items() if full > now}
            self._tidy_at = max(LOCAL_MAX, 2 * len(self._full_at))

    # Whether Redis is there; while it is away, one at a time tries

    def _is_there(self) -> bool:
        if self._away_until is None:
            return True
        now = time.monotonic()
        if now < self._away_until:
            return False
        self._away_until = now + REDIS_TIMEOUT + RETRY_INTERVAL
        return True

    def _lose_redis(self, error: Exception) -> None:
        if self._away_until is None:
            logger.warning("Redis is away. Each process limits rates by itself: %r", error)
        self._away_until = time.monotonic() + RETRY_INTERVAL

    def _find_redis(self) -> None:
        if self._away_until is not None:
            logger.warning("Redis is back. Rates are limited together.")
        self._away_until = None
