"""The door for downloads: `GET /chat/<room>/files/<id>/<name>`, and `…/preview`.

Permission is asked at each request. The answer can do nothing on this site: it is octets to be saved, or a picture, a
sound or a video by its content, in a sandbox, and no browser may take it for anything else.
"""

import asyncio
import contextlib
from functools import partial
from http import HTTPStatus
from typing import IO, Any
from uuid import UUID

from asgiref.typing import (
    ASGIReceiveCallable,
    ASGISendCallable,
    HTTPResponseBodyEvent,
    HTTPResponseStartEvent,
    HTTPScope,
    Scope,
)
from django.conf import settings
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _

from chat.domain import grants
from chat.domain.byte_ranges import ByteRange, Unsatisfiable, read_range
from chat.domain.files import OCTETS, PREVIEW, Attachment
from chat.errors import ChatError, Unavailable, unforeseen
from chat.file_errors import NoSuchFile
from chat.file_requests import Headers, enter, header, refuse
from chat.storage import attachments, file_store
from chat.storage.database import in_database

PIECE = 128 * 1024  # bytes that are read and sent at once
WRITE_TIMEOUT = 60.0  # seconds for which a client may take nothing
SANDBOX = b"default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"


async def download(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """ASGI application: answers with the file, a part of it, or where to get it, or with an error as JSON."""
    assert scope["type"] == "http"
    if scope["method"] not in {"GET", "HEAD"}:
        await _send_head(send, HTTPStatus.METHOD_NOT_ALLOWED, [(b"allow", b"GET, HEAD")], is_all=True)
        return
    try:
        answer = await _find(scope)
    except Exception as error:
        await refuse(scope, receive, send, unforeseen(error))
        return
    try:
        await answer.send(scope, receive, send)
    except ChatError as error:  # before anything was sent
        await refuse(scope, receive, send, error)


async def _find(scope: HTTPScope) -> "FileAnswer":
    room, person = await enter(scope)
    person.require(grants.Scope.READ)
    given = scope["url_route"]["kwargs"]  # type: ignore[typeddict-item]  # of Channels' router
    attachment = await in_database(attachments.find, room, UUID(given["file_id"]), person=person)
    if given["file_name"] != PREVIEW:
        return FileAnswer(attachment)
    if attachment.preview is None:
        raise NoSuchFile(_("There is no such file here."))
    return FileAnswer(attachment, preview=True)


class FileAnswer:
    """The answer to a request for a file that the person may get."""

    def __init__(self, attachment: Attachment, *, preview: bool = False) -> None:
        self.id = UUID(attachment.id)
        self.preview = preview
        self.type = "image/webp" if preview else attachment.type
        name = f"{attachment.name}.webp" if preview else attachment.name
        self.disposition = content_disposition_header(self.type == OCTETS, name) or "inline"
        self.tag = f'"{attachment.id}{"-preview" if preview else ""}"'

    async def send(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Raises NoSuchFile or Unavailable if there is nothing to send."""
        if _names(header(scope, b"if-none-match"), self.tag):
            await _send_head(send, HTTPStatus.NOT_MODIFIED, self.headers(), is_all=True)
        elif file_store.gives_addresses() and scope["method"] == "GET":
            headers = [(b"location", await self.address()), (b"cache-control", b"private, no-store")]
            await _send_head(send, HTTPStatus.FOUND, headers, is_all=True)
        elif settings.CHAT_FILES_ACCEL and not file_store.gives_addresses():
            path = f"{settings.CHAT_FILES_ACCEL.rstrip('/')}/{file_store.name_of(self.id, preview=self.preview)}"
            await _send_head(send, HTTPStatus.OK, [*self.headers(), (b"x-accel-redirect", path.encode())], is_all=True)
        else:
            await self.send_file(scope, receive, send)

    async def address(self) -> bytes:
        wanted: dict[str, Any] = {"preview": self.preview, "type": self.type, "disposition": self.disposition}
        return (await asyncio.to_thread(partial(file_store.signed_address, self.id, **wanted))).encode()

    def headers(self) -> Headers:
        return [
            (b"content-type", self.type.encode()),
            (b"content-disposition", self.disposition.encode("ascii")),
            (b"content-security-policy", SANDBOX),
            (b"x-content-type-options", b"nosniff"),
            (b"cross-origin-resource-policy", b"same-origin"),
            # Kept, but asked for each time: somebody else may sit at the browser, or nobody may see it any more.
            (b"cache-control", b"private, no-cache"),
            (b"vary", b"Authorization, Cookie"),
            (b"etag", self.tag.encode()),
            (b"accept-ranges", b"bytes"),
        ]

    async def send_file(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """From this process, piece by piece, as fast as the client takes it."""
        try:
            file, size = await asyncio.to_thread(file_store.open, self.id, preview=self.preview)
        except FileNotFoundError:
            raise NoSuchFile(_("There is no such file here.")) from None
        except OSError as error:
            raise Unavailable(_("Files can’t be read at the moment. Please try again later.")) from error
        try:
            part = self.part(scope, size)
            status, headers = HTTPStatus.OK, self.headers()
            if part is not None:
                status = HTTPStatus.PARTIAL_CONTENT
                headers.append((b"content-range", f"bytes {part.first}-{part.last}/{size}".encode()))
            wanted = part or ByteRange(0, size - 1)
            headers.append((b"content-length", str(wanted.length).encode()))
            is_all = scope["method"] == "HEAD" or not size
            await _send_head(send, status, headers, is_all=is_all)
            if not is_all:
                await _send_part(receive, send, file, wanted)
        except Unsatisfiable:
            headers = [*self.headers(), (b"content-range", f"bytes */{size}".encode()), (b"content-length", b"0")]
            await _send_head(send, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers, is_all=True)
        finally:
            await asyncio.to_thread(file.close)

    def part(self, scope: HTTPScope, size: int) -> ByteRange | None:
        """The part that is asked for, if it is one. Raises Unsatisfiable."""
        condition = header(scope, b"if-range")
        if scope["method"] != "GET" or (condition and condition.strip() != self.tag):
            return None
        return read_range(header(scope, b"range"), size)


def _names(condition: str, tag: str) -> bool:
    """Whether the header If-None-Match names `tag`."""
    return condition.strip() == "*" or tag in [one.strip().removeprefix("W/") for one in condition.split(",")]


async def _send_head(send: ASGISendCallable, status: HTTPStatus, headers: Headers, *, is_all: bool) -> None:
    await send(HTTPResponseStartEvent(type="http.response.start", status=status, headers=headers, trailers=False))
    if is_all:
        await send(HTTPResponseBodyEvent(type="http.response.body", body=b"", more_body=False))


async def _send_part(receive: ASGIReceiveCallable, send: ASGISendCallable, file: IO[bytes], part: ByteRange) -> None:
    gone = asyncio.create_task(_until_gone(receive))
    try:
        await asyncio.to_thread(file.seek, part.first)
        left = part.length
        while left and not gone.done():
            piece = await asyncio.to_thread(file.read, min(PIECE, left))
            if not piece:
                raise OSError("A file is shorter than it was")  # the server ends the connection, as it has to
            left -= len(piece)
            async with asyncio.timeout(WRITE_TIMEOUT):
                await send(HTTPResponseBodyEvent(type="http.response.body", body=piece, more_body=bool(left)))
    except TimeoutError:
        pass  # the server ends the connection, since something is missing
    finally:
        gone.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await gone


async def _until_gone(receive: ASGIReceiveCallable) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
