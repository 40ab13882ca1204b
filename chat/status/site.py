"""The whole site's status: what `manage.py chat_status` prints, and the page `/admin/site/` shows."""

import asyncio
import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from chat.delivery.layer import Layer, describe
from chat.errors import Unavailable
from chat.per_loop import PerLoop
from chat.status import processes
from chat.status.processes import KnownProcess
from chat.status.warnings import name_of, warnings
from chat.storage import history, queues
from chat.storage.database import in_database
from chat.storage.history import Tally
from chat.storage.queues import Queues

SHARED_FOR = 2.0  # seconds that a status is given to others who ask


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """`milliseconds` is how long it took to count; `problem` is why it didn't answer."""

    ok: bool
    name: str
    milliseconds: float = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """`redis` has for each of its servers whether it answers. Without the database there are no tally and no queues."""

    database: DatabaseStatus
    redis: list[bool]
    tally: Tally | None
    queues: Queues | None
    processes: list[KnownProcess]

    @property
    def ok(self) -> bool:
        return self.database.ok and all(self.redis)

    def as_json(self) -> dict[str, Any]:
        tally = self.tally and {**asdict(self.tally), "is_recent_cut": self.tally.is_recent_cut}
        return {
            "at": timezone.now().isoformat(timespec="milliseconds"),
            "ok": self.ok,
            "warnings": [asdict(warning) for warning in warnings(self)],
            "database": asdict(self.database),
            "redis": {"servers": self.redis, "text": describe(self.redis)},
            "log": tally,
            "queues": self.queues and asdict(self.queues),
            "processes": [
                {**one.report.as_json(), "age": one.age, "name": name_of(one.report)} for one in self.processes
            ],
        }


async def site_status() -> SiteStatus:
    """Asks everything at once. Never raises for what is away: that is in the answer."""
    (database, tally, waiting), redis, known = await asyncio.gather(
        _ask_database(), Layer.here().look(), processes.known()
    )
    return SiteStatus(database, redis, tally, waiting, known)


async def _ask_database() -> tuple[DatabaseStatus, Tally | None, Queues | None]:
    name, began = queues.database_name(), time.monotonic()
    try:
        tally = await in_database(history.tally, timezone.now() - timedelta(hours=1))
        took = (time.monotonic() - began) * 1000
        waiting = await in_database(queues.queues)
    except Unavailable as error:
        problem = str(error.__cause__ or error).partition("\n")[0]
        return DatabaseStatus(False, name, problem=problem), None, None
    return DatabaseStatus(True, name, took), tally, waiting


class SharedStatus(PerLoop):
    """The status for all who ask about the same time: several pages that are open cost as much as one."""

    def __init__(self) -> None:
        self._asking: asyncio.Task[SiteStatus] | None = None
        self._asked_at = float("-inf")

    async def get(self) -> SiteStatus:
        now = asyncio.get_running_loop().time()
        if self._asking is None or (self._asking.done() and now - self._asked_at > SHARED_FOR):
            self._asking, self._asked_at = asyncio.create_task(site_status()), now
        return await asyncio.shield(self._asking)
