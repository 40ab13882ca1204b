"""Feeds the index of what was said, in the background: a while after something was posted, or searched for."""

import asyncio
import time

from django.conf import settings

from chat.delivery.detached_tasks import DetachedTasks
from chat.errors import Unavailable
from chat.per_loop import PerLoop
from chat.storage import search_feed
from chat.storage.database import in_database

DELAY = 1.0  # seconds in which more may be posted, since many messages cost little more than one
REST = 9  # times as long as a step took until the next one: indexing has a tenth of a core, and posting the rest
AGAIN = 5.0  # seconds until it is tried again when the database doesn't answer


class SearchFeeding(PerLoop):
    """Takes step after step until nothing is left, then waits until it is woken. While it waits it costs nothing."""

    def __init__(self) -> None:
        self._is_awake = False

    def wake(self) -> None:
        """There may be something to index."""
        if not self._is_awake and settings.CHAT_SEARCH_INDEXING:
            self._is_awake = True
            asyncio.get_running_loop().call_later(DELAY, self._begin)

    def _begin(self) -> None:
        DetachedTasks.here().start(self._work())

    async def _work(self) -> None:
        try:
            wait: float | None = 0
            while wait is not None:
                await asyncio.sleep(wait)
                wait = await self._step()
        finally:
            self._is_awake = False

    async def _step(self) -> float | None:
        """Returns in how many seconds to take the next one; None if there is none."""
        began = time.monotonic()
        try:
            wait = await in_database(search_feed.feed)
        except Unavailable:
            return AGAIN
        return None if wait is None else max(wait, REST * (time.monotonic() - began))
