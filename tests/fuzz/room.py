"""The attacked room, in this process: two people who talk there during the attack."""

import asyncio
import itertools
import json
from collections.abc import Callable
from types import TracebackType
from typing import Any

from channels.testing import ApplicationCommunicator

from chat.actions import posting
from chat.actions.moderation import carry_out
from chat.delivery.hub import Hub
from chat.domain.rooms import find
from chat.status.processes import Reports
from chat.storage import moderation
from mysite.asgi import application
from tests.conftest import ChatSocket, close
from tests.fuzz.documents import OWN_ROOM, ROOM
from tests.test_private_rooms import user

ANSWER_TIMEOUT = 20.0  # seconds for one answer


class Room:
    """An event loop of its own, as Hypothesis calls plain functions. `headers` are an attacker's, who is logged in."""

    def __enter__(self) -> "Room":
        self.runner = asyncio.Runner().__enter__()
        self.numbers = itertools.count()
        self.headers = self.runner.run(self._prepare())
        self.speaker, self.hearer = (
            self.runner.run(connected(ChatSocket(application, f"/ws/chat/{ROOM}/"))) for _ in "ab"
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.runner.run(self._leave(look=error is None))
        finally:
            self.runner.__exit__(kind, error, trace)

    async def _prepare(self) -> list[tuple[bytes, bytes]]:
        """Makes the attacked room, so that nobody can make it theirs, and one that the attacker owns."""
        attacker, member = await user("attacker"), await user("member")
        await carry_out(moderation.create, find(ROOM), private=False, by=None)
        await carry_out(moderation.create, find(OWN_ROOM), private=False, by=attacker.person)
        await posting.post(room=find(OWN_ROOM), message="hello", person=member.person)
        return attacker.headers

    async def _leave(self, *, look: bool) -> None:
        await self.talk()
        for socket in (self.speaker, self.hearer):
            await close(socket)
        await Reports.here().stop()
        async with asyncio.timeout(ANSWER_TIMEOUT):  # the last merged greeting is said within two seconds
            while look and (Hub.here()._feeds or len(asyncio.all_tasks()) > 2):  # this one, the layer's own
                await asyncio.sleep(0.02)

    async def talk(self) -> None:
        """Checks that the hearer hears the speaker."""
        said = f"still here {next(self.numbers)}"
        await self.speaker.say(said)
        async with asyncio.timeout(ANSWER_TIMEOUT):
            while await self.hearer.hear() != said:
                pass

    async def request(self, *, body: bytes, **scope: Any) -> dict[str, Any]:
        """The start of the site's answer to an HTTP request, once the answer is complete."""
        communicator = ApplicationCommunicator(application, {"type": "http", "http_version": "1.1", **scope})
        await communicator.send_input({"type": "http.request", "body": body})
        start = await communicator.receive_output(timeout=ANSWER_TIMEOUT)
        while (await communicator.receive_output(timeout=ANSWER_TIMEOUT)).get("more_body"):
            pass
        await communicator.wait(timeout=ANSWER_TIMEOUT)
        return start


class Attacker:
    """A socket at which frames are thrown; a new one when the site has closed it."""

    def __init__(self, room: Room, open: Callable[[], ChatSocket], hello: str | None, allowed: set[int]) -> None:
        self.room, self.open, self.hello, self.allowed = room, open, hello, allowed
        self.socket: ChatSocket | None = None

    async def throw(self, frames: list[str | bytes], good: str, answered: Callable[[Any], bool]) -> None:
        """Sends frames, then `good`. That is `answered`, or the socket was closed with one of the `allowed` codes."""
        if self.socket is None:
            self.socket = await connected(self.open())
            if self.hello:
                await self.socket.send_to(text_data=self.hello)
        for frame in [*frames, good]:
            kind = "text" if isinstance(frame, str) else "bytes"
            await self.socket.send_input({"type": "websocket.receive", kind: frame})
        while True:
            output = await self.socket.receive_output(timeout=ANSWER_TIMEOUT)
            if output["type"] == "websocket.close":
                assert output["code"] in self.allowed, output
                await self.leave()
                return
            if answered(json.loads(output["text"].encode())):  # which fails for what no server could send
                return

    async def leave(self) -> None:
        if self.socket:
            await close(self.socket)
        self.socket = None


async def connected(socket: ChatSocket) -> ChatSocket:
    accepted, _ = await socket.connect(timeout=ANSWER_TIMEOUT)
    assert accepted
    return socket
