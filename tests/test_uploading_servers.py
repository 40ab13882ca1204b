"""Uploads to a real server process: connections that are cut, lengths that lie, and memory."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from chat import models
from tests.servers import Server
from tests.test_private_rooms import Visitor, guest
from tests.uploads import CONTENT_TYPE, TOKEN, form, part

pytestmark = pytest.mark.django_db(transaction=True)
MEGABYTE = 1_000_000


@pytest.fixture
async def ann() -> Visitor:
    return await guest()


@pytest.fixture
async def server(transactional_db: None, tmp_path: Path) -> AsyncIterator[Server]:
    with Server(CHAT_FILES_DIR=str(tmp_path)) as server:
        await asyncio.to_thread(server.wait_until_it_answers)
        yield server


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


class Upload:
    """The connection of one upload."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def begin(cls, server: Server, visitor: Visitor, length: int | None) -> "Upload":
        """Sends the headers; without a length, the body is to come in chunks."""
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        cookie = next(value.decode() for name, value in visitor.headers if name == b"cookie")
        lines = [
            "POST /chat/room1/files/ HTTP/1.1",
            f"Host: {server.host}",
            f"Cookie: {cookie}; csrftoken={TOKEN}",
            f"X-CSRFToken: {TOKEN}",
            f"Content-Type: {CONTENT_TYPE}",
            "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}",
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        return cls(reader, writer)

    async def send(self, *parts: bytes) -> None:
        for one in parts:
            self.writer.write(one)
            await self.writer.drain()

    async def answer(self) -> tuple[int, dict]:
        async with asyncio.timeout(20):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line[15:]) for line in head.decode().lower().split("\r\n") if line.startswith("content-length:")
            )
            return int(head.split()[1]), json.loads(await self.reader.readexactly(length))

    def cut(self) -> None:
        self.writer.transport.abort()


async def until_nothing_is_left(folder: Path) -> None:
    async with asyncio.timeout(20):
        while await asyncio.to_thread(files_in, folder) or await models.Attachment.objects.aexists():
            await asyncio.sleep(0.02)
    assert not any([used async for used in models.FileUsage.objects.values_list("bytes", flat=True)])


async def test_upload_that_is_cut_in_the_middle_leaves_nothing(server: Server, ann: Visitor, tmp_path: Path) -> None:
    body = form(part(b"x" * MEGABYTE))
    for sent in (0, 50, 500_000, len(body) - 1):
        upload = await Upload.begin(server, ann, len(body))
        await upload.send(body[:sent])
        if sent > 100:
            async with asyncio.timeout(20):
                while not await asyncio.to_thread(files_in, tmp_path):
                    await asyncio.sleep(0.01)
        upload.cut()
        await until_nothing_is_left(tmp_path)


async def test_refusal_reaches_a_client_that_is_still_sending(server: Server, ann: Visitor, tmp_path: Path) -> None:
    announced = await Upload.begin(server, ann, 26 * MEGABYTE)
    await announced.send(form(part(b"x"))[:100])
    status, error = await announced.answer()
    assert (status, error["error"]) == (413, "file_too_large")
    announced.cut()
    upload = await Upload.begin(server, ann, None)  # one whose length is not announced
    chunk = b"x" * MEGABYTE
    await upload.send(b"%x\r\n%s\r\n" % (len(part(b"")) - 2, part(b"")[:-2]))
    sending = asyncio.create_task(upload.send(*[b"%x\r\n%s\r\n" % (MEGABYTE, chunk)] * 27))
    status, error = await upload.answer()
    assert (status, error["error"]) == (413, "file_too_large")
    sending.cancel()
    upload.cut()
    await until_nothing_is_left(tmp_path)


async def test_ten_who_upload_the_largest_files_at_once_cost_little_memory(
    server: Server, ann: Visitor, tmp_path: Path
) -> None:
    size = 25 * MEGABYTE
    process = psutil.Process(server.process.pid)
    people = [ann, *[await guest() for _ in range(9)]]
    before = peak = process.memory_info().rss
    done = asyncio.Event()

    async def watch() -> None:
        nonlocal peak
        while not done.is_set():
            peak = max(peak, process.memory_info().rss)
            await asyncio.sleep(0.01)

    async def upload(person: Visitor) -> int:
        begun = part(b"")[:-2]
        length = len(form(part(b""))) + size
        connection = await Upload.begin(server, person, length)
        await connection.send(begun, *[b"x" * MEGABYTE] * 25, b"\r\n", form())
        status, _ = await connection.answer()
        connection.cut()
        return status

    watching = asyncio.create_task(watch())
    statuses = await asyncio.gather(*map(upload, people))
    done.set()
    await watching
    assert statuses == [201] * 10
    assert [path.stat().st_size for path in files_in(tmp_path)] == [size] * 10
    assert peak - before < 60 * MEGABYTE
