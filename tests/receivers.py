"""A receiver of webhooks of the tests' own on 127.0.0.1, which answers with the very bytes that a test gives."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from standardwebhooks import Webhook

from tests.hosts import http

TAKEN = http(status="204 No Content")


def says(text: str, *headers: str, status: str = "200 OK") -> bytes:
    """An answer that is to be posted as a reply."""
    return http(json.dumps({"text": text}).encode(), "Content-Type: application/json", *headers, status=status)


@dataclass(frozen=True)
class Received:
    """A request. `headers` have their names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float  # on the event loop's clock

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def said(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.body)
        return said

    @property
    def type(self) -> str:
        return str(self.said["type"])

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = self.said["data"]
        return data

    def verify(self, secret: str) -> None:
        """Raises WebhookVerificationError."""
        Webhook(secret).verify(self.body, self.headers)


Write = Callable[[Received, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Answer = bytes | Write


class Receiver:
    """Gives each path its `answers` one after the other, and the last one for good; without any, TAKEN."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: dict[str, list[Answer]] = {}
        self.port = 0
        self._changed = asyncio.Event()

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[Received]:
        return [one for one in self.received if one.path == path]

    def texts(self, path: str = "/") -> list[str]:
        """The messages that were said to that path."""
        return [one.data["message"] for one in self.at(path)]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits for requests until the condition holds."""
        async with asyncio.timeout(60):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                received = await read_request(reader)
                self.received.append(received)
                answers = self.answers.get(received.path) or [TAKEN]
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                self._changed.set()
                if not isinstance(answer, bytes):
                    await answer(received, reader, writer)
                    return
                writer.write(answer)
                await writer.drain()
                if b"Connection: close" in answer:
                    return
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has gone
        finally:
            writer.close()


async def read_request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1")
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(first.split(" ")[1], headers, body, asyncio.get_running_loop().time())


@asynccontextmanager
async def running_receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver
        server.close()
