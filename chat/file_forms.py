"""The body of an upload: a form (multipart/form-data) with one file, in its field `file`, parsed as it comes in."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from asgiref.typing import ASGIReceiveCallable, HTTPScope
from django.utils.translation import gettext_lazy as _
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from chat.file_errors import InvalidUpload, UploadTooSlow
from chat.file_requests import header

FIELD = "file"
READ_TIMEOUT = 30.0  # seconds until more of an upload has to come
OTHER_BYTES = 4_000  # of the body, at most, that are not the file's: headers, other fields, what follows the form
SEGMENTS_MAX = 10


class FileForm:
    """An upload as `chat.actions.uploading` takes it: iterating gives the file's bytes.

    `name` is the file's, as the client gives it, once the first bytes are there; None if it gives none.
    Iterating raises InvalidUpload or UploadTooSlow.
    """

    def __init__(self, scope: HTTPScope, receive: ASGIReceiveCallable) -> None:
        self._receive = receive
        self._parser = _parser(header(scope, b"content-type"))
        length = header(scope, b"content-length")
        self.announced = int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0
        self.name: str | None = None
        self._found = False
        self._inside = False  # of the file, as far as it is parsed
        self._others = 0  # bytes of the body that are not the file's, as far as it is parsed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            body, more = await self._next()
            self._others += len(body)
            for piece in self._file_in(body):
                self._others -= len(piece)
                yield piece
            if self._others > OTHER_BYTES:
                raise _no_form()
        if not self._parser.closed:
            self._end()
        if not self._found:
            raise InvalidUpload(_("The form has no file in its field “{field}”."), field=FIELD)

    async def _next(self) -> tuple[bytes, bool]:
        """The next part of the body, and whether there is more of it."""
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                message = await self._receive()
        except TimeoutError:
            raise UploadTooSlow(_("Nothing more of the file has come for a while. Please try again.")) from None
        if message["type"] != "http.request":
            raise InvalidUpload(_("The upload was broken off."))
        return message.get("body", b""), message.get("more_body", False)  # ASGI lets servers leave both out

    def _file_in(self, body: bytes) -> Iterator[bytes]:
        if not body:
            return
        try:
            for event in self._parser.parse(body):
                if isinstance(event, MultipartSegment):
                    self._begin(event)
                elif event is None:
                    self._inside = False
                elif self._inside:
                    yield event
        except MultipartError:
            raise _no_form() from None

    def _begin(self, segment: MultipartSegment) -> None:
        # A strict parser refuses a part of the body that comes after the form's end, if only the end of its last line.
        self._parser.strict = False
        if segment.name != FIELD:
            return
        if self._found:
            raise InvalidUpload(_("Only one file can be uploaded at once: send the others one by one."))
        self._found = self._inside = True
        self.name = segment.filename

    def _end(self) -> None:
        try:
            self._parser.close()
        except MultipartError:
            raise InvalidUpload(_("The upload ends in the middle of the file.")) from None


def _parser(content_type: str) -> PushMultipartParser:
    """Raises InvalidUpload."""
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data":
        raise _no_form()
    try:
        return PushMultipartParser(options.get("boundary", ""), max_segment_count=SEGMENTS_MAX, strict=True)
    except MultipartError:
        raise _no_form() from None


def _no_form() -> InvalidUpload:
    return InvalidUpload(_("Upload a file as a form (multipart/form-data), in its field “{field}”."), field=FIELD)
