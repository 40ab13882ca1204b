"""Sends to one connection what changes in its person's own rooms, and whom the person ignores."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from chat.delivery.rooms.own_rooms import RETRY_INTERVAL, Change, follow_all
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import unforeseen

Send = Callable[[Sequence[Change], bool, Sequence[Person] | None], Awaitable[None]]


class OwnRoomsSender:
    """Follows the rooms of `person` from `start` to `close`.

    `send` is called with all of them first, and then with those that have changed; and whether it is all, and with the
    people whom the person ignores, or None if these are as they were. It may take its time: changes that come meanwhile
    are sent together. An OSError that it raises means that the client is gone.
    """

    def __init__(self, person: Person, room: Room, send: Send) -> None:
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
        async with contextlib.aclosing(follow_all(self._person, except_for=self._room)) as followers:
            async for follower in followers:
                changes, ignored = follower.take(), follower.take_ignored()
                if complete or changes or ignored is not None:
                    await self._send(changes, complete, ignored)
                complete = False
