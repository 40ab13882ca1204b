"""Messages that have come for a connection's reader, and haven't been read yet."""

import asyncio
from typing import TypeVar

Message = TypeVar("Message")


class Inbox(asyncio.Queue[Message]):
    """Like asyncio's unbounded Queue, for one reader at a time.

    asyncio's holds four queues of 760 bytes each, for readers, writers and those who join; here is a list.
    """

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._reader: asyncio.Future[None] | None = None

    def empty(self) -> bool:
        return not self._messages

    def put_nowait(self, item: Message) -> None:
        self._messages.append(item)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def get(self) -> Message:
        while not self._messages:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self._messages.pop(0)
