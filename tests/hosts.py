"""A host of the tests' own on 127.0.0.1 that answers over HTTP with the very bytes that a test gives."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Write = Callable[[asyncio.StreamWriter], Awaitable[None]]


def http(body: bytes = b"", *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """A whole answer. `length` is what it says of its length, where that is a lie."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def redirect(target: str) -> bytes:
    return http(b"", f"Location: {target}", status="302 Found")


class Host:
    """`answers` has the answer to each path: bytes, or a function that writes. Others are answered by 404."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes | Write] = {}
        self.requests: list[bytes] = []  # heads
        self.port = 0

    def url(self, path: str = "/", name: str = "127.0.0.1") -> str:
        return f"http://{name}:{self.port}{path}"

    def paths(self) -> list[str]:
        """The paths that were asked for."""
        return [request.split(b" ", 2)[1].decode() for request in self.requests]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(request)
            answer = self.answers.get(request.split(b" ", 2)[1].decode(), http(b"none", status="404 Not Found"))
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has gone
        finally:
            writer.close()


@asynccontextmanager
async def running_host() -> AsyncIterator[Host]:
    host = Host()
    server = await asyncio.start_server(host.answer, "127.0.0.1", 0)
    host.port = server.sockets[0].getsockname()[1]
    async with server:
        yield host
        server.close()
