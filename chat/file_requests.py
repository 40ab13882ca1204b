"""The doors for files and webhooks over HTTP: ASGI applications, beside Django's pages.

Django reads a request's whole body before it looks at anything else. It also keeps a thread and a connection to the
database for each request until its answer is sent, which for a large file and a slow client takes minutes. Here the
body is read as it comes, and neither thread nor connection waits for a client.
"""

import asyncio
import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope
from django.template.loader import render_to_string

from chat.connections.answers import answer, answer_early
from chat.connections.authentication import bring_session
from chat.connections.bodies import BodyTooLong, BodyTooSlow
from chat.domain import people, rooms
from chat.domain.languages import in_language_of
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import (
    Banned,
    ChatError,
    InternalError,
    LoginRequired,
    NotAMember,
    RateLimited,
    ReadOnly,
    Unavailable,
)
from chat.file_errors import (
    DailyFilesExceeded,
    FileTooLarge,
    NoSuchFile,
    StorageFull,
    TooManyUploads,
    UploadTooSlow,
    WrongToken,
)
from chat.hook_errors import UnknownHookType, WrongMethod
from chat.query_strings import check_path
from chat.token_errors import InsufficientScope, InvalidToken

STATUSES: dict[type[ChatError], HTTPStatus] = {
    LoginRequired: HTTPStatus.FORBIDDEN,
    Banned: HTTPStatus.FORBIDDEN,
    NotAMember: HTTPStatus.FORBIDDEN,
    ReadOnly: HTTPStatus.FORBIDDEN,
    WrongToken: HTTPStatus.FORBIDDEN,
    InsufficientScope: HTTPStatus.FORBIDDEN,
    InvalidToken: HTTPStatus.UNAUTHORIZED,
    NoSuchFile: HTTPStatus.NOT_FOUND,
    WrongMethod: HTTPStatus.METHOD_NOT_ALLOWED,
    UploadTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    BodyTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    BodyTooLong: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnknownHookType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    FileTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    TooManyUploads: HTTPStatus.TOO_MANY_REQUESTS,
    DailyFilesExceeded: HTTPStatus.TOO_MANY_REQUESTS,
    StorageFull: HTTPStatus.INSUFFICIENT_STORAGE,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    InternalError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""Of the answer to each error; those that aren't here are the client's mistakes (400)."""

Headers = list[tuple[bytes, bytes]]


async def enter(scope: HTTPScope) -> tuple[Room, Person]:
    """The room of the URL, and the person who asks.

    Puts session and user into the scope, as AuthMiddlewareStack does. Raises InvalidQuery, Unavailable,
    InvalidRoomName, LoginRequired or InsufficientScope.
    """
    connection: Any = scope
    check_path(connection)
    await bring_session(connection)
    person = people.of_scope(connection)
    return rooms.enter(connection["url_route"]["kwargs"]["room_name"], person), person


async def refuse(
    scope: HTTPScope,
    receive: ASGIReceiveCallable,
    send: ASGISendCallable,
    error: ChatError,
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> None:
    """Answers with an error in the person's language, as JSON: `{"error": code, "message": text, …}`.

    It is a page for browsers that were led to the file's address.
    """
    status = next((status for kind, status in STATUSES.items() if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)
    with in_language_of(scope):
        details = error.details
        content = json.dumps({"error": details.pop("code"), "message": str(error), **details}).encode()
    content_type = b"application/json"
    if scope["method"] == "GET" and "text/html" in header(scope, b"accept"):
        content, content_type = await asyncio.to_thread(_page, scope, error), b"text/html; charset=utf-8"
    if "retry_after" in details:
        headers = [*headers, (b"retry-after", str(max(1, round(details["retry_after"]))).encode())]
    await answer_early(receive, send, status, [*_described(content, content_type), *headers], content)


async def answer_json(send: ASGISendCallable, status: HTTPStatus, said: object) -> None:
    content = json.dumps(said, ensure_ascii=False).encode()
    await answer(send, status, _described(content, b"application/json"), content)


def _page(scope: HTTPScope, error: ChatError) -> bytes:
    with in_language_of(scope):
        return render_to_string("chat/file_refused.html", {"message": str(error)}).encode()


def _described(content: bytes, content_type: bytes) -> Headers:
    return [
        (b"content-type", content_type),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
    ]


def header(scope: HTTPScope, name: bytes) -> str:
    """The last header of that name, in lower case; empty where there is none."""
    return _last(value for key, value in scope["headers"] if key == name).decode("latin1")


def _last(values: Iterable[bytes]) -> bytes:
    return next(iter([*values][::-1]), b"")
