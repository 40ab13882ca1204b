"""Tasks that work for all connections of an event loop, in the logging context of none."""

import asyncio
from collections.abc import Coroutine, Iterator

from chat import log_context
from chat.per_loop import PerLoop


class DetachedTasks(PerLoop):
    """Keeps tasks until they end: asyncio itself has only weak references to them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, context=log_context.detached())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def __iter__(self) -> Iterator[asyncio.Task[None]]:
        return iter(tuple(self._tasks))
