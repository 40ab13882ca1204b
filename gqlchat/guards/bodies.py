"""The limit on what one request over HTTP may send."""

from http import HTTPStatus
from typing import Any

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chat.actions import rate_limits
from chat.connections.answers import answer_early
from chat.connections.bodies import Body, BodyTooLong, BodyTooSlow, again, read_body
from chat.errors import ChatError, grouped
from gqlchat.guards.refusals import content_of


class UrlTooLong(ChatError):
    """The query string is longer than CHAT_BODY_MAX."""

    code = "url_too_long"

    def __init__(self) -> None:
        super().__init__(
            _("The URL is too long: {longest} bytes are allowed."), longest=grouped(settings.CHAT_BODY_MAX)
        )


STATUSES: dict[type[ChatError], HTTPStatus] = {
    BodyTooLong: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    BodyTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    UrlTooLong: HTTPStatus.REQUEST_URI_TOO_LONG,
}


def limited(application: ASGI3Application) -> ASGI3Application:
    """ASGI middleware: reads the body, which `application` finds in the scope as `body`, and by `receive`.

    It answers 413 as soon as a body is, or is announced to be, longer than CHAT_BODY_MAX, and 408 to one that doesn't
    come to an end. A query string that is longer than CHAT_BODY_MAX is answered by 414.
    """

    async def measuring(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        assert scope["type"] == "http"
        sent = Body(receive)
        try:
            if len(scope["query_string"]) > settings.CHAT_BODY_MAX:
                raise UrlTooLong
            body = await read_body(scope, sent.receive, settings.CHAT_BODY_MAX)
        except tuple(STATUSES) as error:
            await _refuse(scope, sent.receive, send, error)
        else:
            read: Any = {**scope, "body": body}
            await application(read, again(body, receive), send)

    return measuring


async def _refuse(scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable, error: ChatError) -> None:
    rate_limits.hit("body")
    content = content_of(error, scope)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await answer_early(receive, send, STATUSES[type(error)], [*headers, (b"connection", b"close")], content)
