"""The processes of the site: each writes its report into Redis every few seconds, on all servers of REDIS_URL.

Nothing depends on it. While Redis is away, a process knows of no other.
"""

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from chat import log_context
from chat.errors import unforeseen
from chat.per_loop import PerLoop
from chat.status.report import ProcessReport, Reporter

logger = logging.getLogger(__name__)

REPORT_INTERVAL = 10.0  # seconds
FORGET_AFTER = 300.0  # seconds; a process that says nothing is shown for so long
REDIS_TIMEOUT = 1.0  # seconds that anybody waits for Redis
KEY = "chat:processes"  # a hash: by the id of a process, the server's time in seconds, a blank, and the report
WRITE = """
redis.call('HSET', KEYS[1], ARGV[1], redis.call('TIME')[1] .. ' ' .. ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
"""


@dataclass(frozen=True, slots=True)
class KnownProcess:
    """A process, and how many seconds ago it has said that."""

    report: ProcessReport
    age: float


class Reports(PerLoop):
    """The one task of an event loop that reports, from `start` to `stop`."""

    def __init__(self) -> None:
        self._reporting: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._reporting is None:
            self._reporting = asyncio.create_task(self._report(), context=log_context.detached())

    async def stop(self) -> None:
        """Says no more, and that this process is gone."""
        if self._reporting is not None:
            self._reporting.cancel()
            await asyncio.wait([self._reporting])
            await _on_each_server(lambda redis: redis.hdel(KEY, Reporter.here().id))

    async def _report(self) -> None:
        reporter = Reporter.here()
        while True:
            try:
                text = json.dumps(reporter.report().as_json())
                await _on_each_server(lambda redis, text=text: redis.eval(WRITE, 1, KEY, reporter.id, text, 3600))
            except Exception as error:
                unforeseen(error)
            await asyncio.sleep(REPORT_INTERVAL)


async def known() -> list[KnownProcess]:
    """All processes that are known of, by host and number. This one is among them if it reports."""
    found: dict[str, KnownProcess] = {}
    for answer in await _on_each_server(_read):
        for one in answer:
            if one.report.id not in found or one.age < found[one.report.id].age:
                found[one.report.id] = one
    return sorted(found.values(), key=lambda one: (one.report.host, one.report.process))


async def _read(redis: Redis) -> list[KnownProcess]:
    rows, (now, _microseconds) = await redis.hgetall(KEY), await redis.time()
    found, old = [], []
    for id, row in rows.items():
        said_at, _, text = str(row).partition(" ")
        age = max(0.0, now - float(said_at))
        if age > FORGET_AFTER:
            old.append(id)
        else:
            found.append(KnownProcess(ProcessReport.of_json(json.loads(text)), age))
    if old:
        await redis.hdel(KEY, *old)
    return found


async def _on_each_server(ask: Any) -> list[Any]:
    """The answers of the servers of REDIS_URL, without those that are away."""
    answers = await asyncio.gather(*(_ask(url, ask) for url in settings.REDIS_URLS))
    return [answer for answer in answers if answer is not None]


async def _ask(url: str, ask: Any) -> Any:
    with contextlib.suppress(RedisError, OSError, TimeoutError):  # the layer says that it is away
        async with asyncio.timeout(REDIS_TIMEOUT):
            options: dict[str, Any] = {**settings.REDIS_OPTIONS, "socket_timeout": REDIS_TIMEOUT}
            async with Redis.from_url(url, decode_responses=True, **options) as redis:
                return await ask(redis)
    return None
