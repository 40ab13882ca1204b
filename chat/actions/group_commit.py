"""What is posted at the same moment is stored together: one hop to the database's thread, one wait for the disk."""

import asyncio

from chat import log_context
from chat.delivery import hub
from chat.delivery.per_loop import PerLoop
from chat.errors import Unavailable
from chat.storage import log
from chat.storage.database import in_database
from chat.storage.log import Draft, Entry

TOGETHER_MAX = 90  # drafts; SQLite takes a thousand values in a statement, and each draft has ten
WAITING_MAX = 5_000  # drafts: what comes while the database is so far behind is refused


class GroupCommit(PerLoop):
    """Stores drafts and publishes them; those that come while others are being stored make up the next commit.

    Whoever is alone doesn't wait for company.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[Draft, asyncio.Future[Entry]]] = []
        self._working: asyncio.Task[None] | None = None

    async def store(self, draft: Draft) -> Entry:
        """Returns once the draft is stored and published. Raises Unavailable, Banned or NotAMember.

        A caller that is cancelled takes nothing back: the message is stored and published all the same.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise Unavailable("Too much is being said at once. Please try again in a moment.")
        stored: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()
        self._waiting.append((draft, stored))
        if self._working is None:
            self._working = asyncio.create_task(self._work(), context=log_context.detached())
        return await stored

    async def _work(self) -> None:
        try:
            while self._waiting:
                together, self._waiting = self._waiting[:TOGETHER_MAX], self._waiting[TOGETHER_MAX:]
                await self._commit(together)
        finally:
            self._working = None

    async def _commit(self, together: list[tuple[Draft, asyncio.Future[Entry]]]) -> None:
        try:
            entries = await in_database(log.append, [draft for draft, _ in together])
        except Exception as error:
            for _, stored in together:
                if not stored.done():
                    stored.set_exception(error)
            return
        await hub.publish(*(entry.event for entry in entries if isinstance(entry, Entry) and not entry.repeated))
        for (_, stored), entry in zip(together, entries, strict=True):
            if stored.done():
                continue
            if isinstance(entry, Entry):
                stored.set_result(entry)
            else:
                stored.set_exception(entry)
