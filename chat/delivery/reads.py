"""Reads of the database on behalf of feeds and listeners, gathered: thousands who come at once cause few queries."""

from collections.abc import Sequence
from typing import Any, Protocol

from chat.delivery.batcher import Batcher
from chat.domain.logs import Head
from chat.domain.recoveries import Recovery, RecoveryRequest, fitting
from chat.errors import ChatError

NOTHING = Head()


class Readable(Protocol):
    """A source, as far as it is read."""

    async def heads(self, logs: Sequence[Any]) -> Any: ...

    async def recover(self, requests: Sequence[RecoveryRequest]) -> Sequence[Recovery | ChatError]: ...

    async def refused(self, pairs: Sequence[tuple[Any, Any]]) -> Any: ...


class Reads:
    """The reads of one source. Each kind has one query under way at most, and all wait for that in its order.

    All raise Unavailable.
    """

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._heads = Batcher(self._read_heads)
        self._missed = Batcher(source.recover, fitting)
        self._following = Batcher(source.recover, fitting)
        self._refused = Batcher(self._read_refused)

    async def head(self, log: Any) -> Head:
        """Where the log ends."""
        return await self._heads.ask(log)

    async def missed(self, request: RecoveryRequest) -> Recovery:
        """For a listener that comes back. Raises what the source refuses the person with."""
        return await self._missed.ask(request)

    async def following(self, request: RecoveryRequest) -> Recovery:
        """For a feed whose listeners are waiting for what comes next: not behind those that come back."""
        return await self._following.ask(request)

    async def check(self, log: Any, person: Any) -> None:
        """Raises what the source refuses the person with, if they may not hear the log."""
        await self._refused.ask((log, person))

    async def heads(self, logs: Sequence[Any]) -> dict[Any, Head]:
        """Where each of the logs ends, asked at once."""
        wanted = list(dict.fromkeys(logs))
        found = await self._source.heads(wanted) if wanted else {}
        return {log: found.get(log, NOTHING) for log in wanted}

    async def _read_heads(self, logs: list[Any]) -> Sequence[Head]:
        found = await self.heads(logs)
        return [found[log] for log in logs]

    async def _read_refused(self, pairs: list[tuple[Any, Any]]) -> Sequence[ChatError | None]:
        found = await self._source.refused(pairs)
        return [found.get(pair) for pair in pairs]
