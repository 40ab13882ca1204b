"""Sends to one connection what changes in its person's own rooms."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from chat.delivery.own_rooms import RETRY_INTERVAL, Change, follow
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import unforeseen


class OwnRoomsSender:
    """Follows the rooms of `person` from `start` to `close`.

    `send` is called with all of them first, and then with those that have changed. It may take its time: changes that
    come meanwhile are sent together. An OSError that it raises means that the client is gone.
    """

    def __init__(self, person: Person, room: Room, send: Callable[[Sequence[Change], bool], Awaitable[None]]) -> None:
        """`room` is the one that the connection listens to."""
        self._person = person
        self._room = room
        self._send = send
        self._sending: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._sending = asyncio.create_task(self._keep_sending())

    async def close(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.wait([self._sending])

    async def _keep_sending(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                try:
                    await self._send_all()
                except OSError:
                    raise
                except Exception as error:
                    unforeseen(error)  # into the log, if it is anything but Unavailable
                    await asyncio.sleep(RETRY_INTERVAL)

    async def _send_all(self) -> None:
        complete = True
        async with contextlib.aclosing(follow(self._person, except_for=self._room)) as changes:
            async for some in changes:
                await self._send(some, complete)
                complete = False
