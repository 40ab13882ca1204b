"""Clients that come back with a position: what they missed has to reach them, in order, each once."""

import asyncio
import json
import time

from benchmarks.client_socket import ClientSocket
from benchmarks.order import Order
from benchmarks.poster import OFFSET

QUERY = "subscription($rooms:[RoomPosition!]!){roomMessages(rooms:$rooms){message offset user{name} sentAt}}"


class Returner(ClientSocket):
    """A browser that missed `missed` messages since offset 0; `back` has the seconds until it has them all."""

    def __init__(self, room: str, missed: int) -> None:
        super().__init__()
        self.room = room
        self.order = Order(after=0)
        self.back: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._missing = missed
        self._started = time.monotonic()

    async def come_back(self, base: str, cookie: str = "") -> None:
        """Raises one of CONNECT_ERRORS."""
        self._started = time.monotonic()
        await self.connect(f"{base}/ws/chat/{self.room}/?after=0", cookie=cookie)

    def take(self, text: bytes) -> None:
        if not (offset := OFFSET.search(text)):
            return
        self.order.hear(int(offset[1]))
        self._missing -= 1
        if not self._missing:
            self.back.set_result(time.monotonic() - self._started)

    def lost(self) -> None:
        if not self.back.done():
            self.back.set_exception(ConnectionError("closed by the server"))

    @property
    def never_came(self) -> int:
        """How many of the missed messages have not come, holes included."""
        return max(0, self._missing)


class GraphQLReturner(Returner):
    """The same by `roomMessages`."""

    async def come_back(self, base: str, cookie: str = "") -> None:
        self._started = time.monotonic()
        await self.connect(f"{base}/graphql", protocol="graphql-transport-ws", cookie=cookie)

    def opened(self) -> None:
        self.say(b'{"type":"connection_init"}')

    def take(self, text: bytes) -> None:
        if b'"connection_ack"' in text:
            payload = {"query": QUERY, "variables": {"rooms": [{"roomName": self.room, "after": 0}]}}
            self.say(json.dumps({"type": "subscribe", "id": "1", "payload": payload}).encode())
            self.ready.set_result(None)
        else:
            super().take(text)
