"""Uploads of files by people with a session, in this process."""

import asyncio
import io
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from asgiref.testing import ApplicationCommunicator
from PIL import Image

from chat.actions.file_cleaning import FileCleaning, clean
from mysite.asgi import application
from tests.test_private_rooms import Visitor

BOUNDARY = "a-boundary"
TOKEN = "t" * 32  # of CSRF: any of that length will do in both places
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


@dataclass(frozen=True)
class Answer:
    """An answer over HTTP, whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def part(content: bytes, name: bytes = b"a.txt", field: bytes = b"file") -> bytes:
    disposition = b'form-data; name="%s"; filename="%s"' % (field, name)
    head = b"--%s\r\nContent-Disposition: %s\r\nContent-Type: text/html\r\n\r\n" % (BOUNDARY.encode(), disposition)
    return head + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


async def ask(
    method: str,
    path: str,
    visitor: Visitor | None,
    headers: dict[str, str] | None = None,
    body: list[bytes] | None = None,
) -> Answer:
    """Asks the site, with the visitor's cookies, sending the parts of the body one by one."""
    cookies = [value.decode() for name, value in visitor.headers if name == b"cookie"] if visitor else []
    given = {"host": "localhost", "cookie": "; ".join([*cookies, f"csrftoken={TOKEN}"]), **(headers or {})}
    path, _, query = path.partition("?")
    raw_path = path if path.isascii() else quote(path)
    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": raw_path.encode(),
        "query_string": query.encode("latin1"),
        "headers": [(name.encode(), value.encode()) for name, value in given.items() if value],
        "client": ("127.0.0.1", 1),
    }
    client = ApplicationCommunicator(application, scope)
    pieces = body or [b""]
    for number, piece in enumerate(pieces, 1):
        await client.send_input({"type": "http.request", "body": piece, "more_body": number < len(pieces)})
    start = await client.receive_output(10)
    content, more = b"", True
    while more:
        event = await client.receive_output(10)
        content += event.get("body", b"")
        more = event.get("more_body", False)
    await client.wait(10)
    answered = {name.decode().lower(): value.decode("latin1") for name, value in start["headers"]}
    return Answer(start["status"], answered, content)


async def upload_form(visitor: Visitor | None, room: str, *body: bytes, **headers: str) -> Answer:
    given = {"content-type": CONTENT_TYPE, "content-length": str(sum(map(len, body))), "x-csrftoken": TOKEN}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return await ask("POST", f"/chat/{room}/files/", visitor, given, list(body))


async def upload(visitor: Visitor, content: bytes, name: str = "a.txt", room: str = "room1") -> dict[str, Any]:
    """Uploads a file, which has to succeed, and returns it as the answer has it."""
    answer = await upload_form(visitor, room, form(part(content, name.encode())))
    assert answer.status == 201, answer
    return answer.json


def file_path(room: str, id: str, name: str = "x") -> str:
    return f"/chat/{quote(room)}/files/{id}/{name}"


def picture(format: str) -> bytes:
    """A red picture of 8 by 6 pixels."""
    file = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(file, format)
    return file.getvalue()


async def clean_up() -> int:
    """Deletes what nobody can get any more, once the process is done with what it deletes by itself; how many files."""
    async with asyncio.timeout(10):
        while FileCleaning.here().is_working:
            await asyncio.sleep(0.01)
    return await clean()
