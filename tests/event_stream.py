"""A client of server-sent events in this process, without a server."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from asgiref.testing import ApplicationCommunicator

from mysite.asgi import application


@dataclass
class Event:
    """One event as a browser would dispatch it; `id` is the last one that the stream has named so far."""

    event: str
    data: str
    id: str

    @property
    def json(self) -> Any:
        return json.loads(self.data)


class EventStream:
    """A response, read block by block. `comments`, `retry` and `id` are what it has said beside events."""

    def __init__(
        self,
        body: object = None,
        *,
        method: str = "POST",
        path: str = "/graphql",
        headers: list[tuple[bytes, bytes]] | None = None,
        application: Any = application,
        direct: bool = False,
        **query: str,
    ) -> None:
        """With `direct` its server writes parts of bodies at once, like `mysite.http_protocol`."""
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {b"accept": b"text/event-stream", b"content-type": b"application/json"}
        scope = {
            "type": "http",
            "http_version": "1.1",
            "scheme": "http",
            "method": method,
            "path": path,
            "query_string": urlencode(query).encode(),
            "headers": [*(sent | dict(headers or [])).items()],
        }
        if direct:
            scope["write_body"] = self._write_body
        self.communicator = ApplicationCommunicator(application, scope)
        self._content = content
        self._text = ""
        self.comments = 0
        self.retry: int | None = None
        self.id = ""
        self.status = 0
        self.headers: dict[str, str] = {}
        self.ended = False

    def _write_body(self, part: bytes) -> bool:
        self.communicator.output_queue.put_nowait({"type": "http.response.body", "body": part, "more_body": True})
        return True

    async def open(self) -> "EventStream":
        await self.communicator.send_input({"type": "http.request", "body": self._content, "more_body": False})
        start = await self.communicator.receive_output(timeout=5)
        self.status = start["status"]
        self.headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return self

    async def text(self) -> str:
        """All that is left of the response."""
        while not self.ended:
            await self._read()
        return self._text

    async def block(self) -> list[str] | None:
        """The lines up to the next empty one; None at the end."""
        while "\n\n" not in self._text:
            if self.ended:
                assert self._text == "", self._text
                return None
            await self._read()
        block, self._text = self._text.split("\n\n", 1)
        return block.split("\n")

    async def next(self) -> Event | None:
        """The next event; None at the end of the stream."""
        while (lines := await self.block()) is not None:
            fields: dict[str, str] = {}
            for line in lines:
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
            self.comments += "" in fields
            self.id = fields.get("id", self.id)
            if "retry" in fields:
                self.retry = int(fields["retry"])
            if "data" in fields:
                return Event(fields.get("event", "message"), fields["data"], self.id)
        return None

    async def result(self) -> Any:
        """The result in the next event, which has to be `next`."""
        event = await self.next()
        assert event is not None, "the stream has ended"
        assert event.event == "next", event
        return event.json

    async def end(self) -> None:
        """Reads the event `complete` and the end of the response."""
        event = await self.next()
        assert event == Event("complete", "", self.id), event
        assert await self.next() is None

    async def position(self) -> str:
        """Waits until the stream says where it is, from which on it hears everything, or has been answered."""
        while not self.id:
            lines = await self.block()
            assert lines is not None, "the stream has ended"
            if any(line.startswith("event: ") for line in lines):
                self._text = "\n".join([*lines, "", self._text])
                break
            if lines[0].startswith("id: "):
                self.id = lines[0].removeprefix("id: ")
        return self.id

    async def leave(self) -> None:
        if not self.communicator.future.done():
            await self.communicator.send_input({"type": "http.disconnect"})
            await self.communicator.wait(timeout=5)

    async def _read(self) -> None:
        async with asyncio.timeout(5):
            message = await self.communicator.receive_output(timeout=5)
        self._text += message["body"].decode()
        self.ended = not message.get("more_body", False)
        if self.ended:
            await self.communicator.wait(timeout=5)
