"""Deletes the files that nobody can get any more: at once after a deletion, and what was left over once an hour.

There is no clock that does it. Uploads and deletions are what leaves files behind, and they start it; a site on which
nothing happens has nothing to clean. `manage.py prune_files` does all of it, and looks for files whose messages were
deleted by an instance that knew no files.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from uuid import UUID

from chat import log_context
from chat.delivery.detached_tasks import DetachedTasks
from chat.errors import Unavailable, unforeseen
from chat.per_loop import PerLoop
from chat.storage import file_cleaning, file_store
from chat.storage.database import in_database
from chat.storage.file_cleaning import Found

INTERVAL = 3600.0  # seconds between two cleanings that look for what was left over

logger = logging.getLogger(__name__)


class FileCleaning(PerLoop):
    """One cleaning of this process at a time; other processes may be at it, too."""

    def __init__(self) -> None:
        self._working: asyncio.Task[None] | None = None
        self._again = False
        self._looked_at = float("-inf")  # when it was last looked for what was left over, by time.monotonic

    @property
    def is_working(self) -> bool:
        return self._working is not None

    def soon(self) -> None:
        """Has what is gone deleted, without anybody waiting for that."""
        if self._working is None:
            self._working = DetachedTasks.here().start(self._work())
        else:
            self._again = True

    def hourly(self) -> None:
        """Has what was left over deleted, if that was last done an hour ago."""
        if time.monotonic() - self._looked_at >= INTERVAL:
            self.soon()

    async def _work(self) -> None:
        log_context.begin()
        try:
            while True:
                self._again = False
                if time.monotonic() - self._looked_at >= INTERVAL:
                    self._looked_at = time.monotonic()
                    await give_up_unattached()
                    await asyncio.to_thread(file_store.delete_abandoned)
                await delete_gone()
                if not self._again:
                    break
        except (Unavailable, OSError) as error:
            logger.warning("Can't delete files now, but later: %s", error)
        except Exception as error:
            unforeseen(error)
        finally:
            self._working = None


async def clean() -> int:
    """Does all that there is to do. Returns how many files are deleted."""
    await give_up_unattached()
    await _give_up_orphaned()
    await asyncio.to_thread(file_store.delete_abandoned)
    return await delete_gone()


async def give_up_unattached() -> None:
    """Gives up what no message has had for a day."""
    while found := await in_database(file_cleaning.unattached):
        await _give_up(found)


async def _give_up_orphaned() -> None:
    found, after = await in_database(file_cleaning.orphaned)
    while after is not None:
        await _give_up(found)
        found, after = await in_database(file_cleaning.orphaned, after)


async def _give_up(found: Found) -> None:
    for room, ids in found:
        await in_database(file_cleaning.give_up, room, ids)


async def delete_gone() -> int:
    """Deletes the bytes of files that are given up, and then their rows. Raises what the storage raises."""
    deleted = 0
    while found := await in_database(file_cleaning.gone):
        for room, ids in found:
            await asyncio.to_thread(_delete_bytes, ids)
            deleted += await in_database(file_cleaning.forget, room, ids)
    return deleted


def _delete_bytes(ids: Iterable[UUID]) -> None:
    for id in ids:
        file_store.delete(id)
