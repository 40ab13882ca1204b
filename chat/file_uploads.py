"""The door for uploads: `POST /chat/<room>/files/`, a form with one file in its field `file`."""

from http import HTTPStatus
from io import BytesIO
from typing import NoReturn

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext_lazy as _

from chat.actions.uploading import Uploading
from chat.connections.bodies import Body
from chat.domain.files import shown
from chat.domain.people import GRANT_KEY
from chat.errors import LoginRequired, unforeseen
from chat.file_errors import WrongToken
from chat.file_forms import FileForm
from chat.file_requests import answer_json, enter, refuse


class UploadDoor:
    """ASGI application: answers with the file, as messages have it, or with an error.

    `pages` answers requests that aren't POST: a room may be called “a/files”, and its page is at the same path.
    """

    def __init__(self, pages: ASGI3Application) -> None:
        self.pages = pages

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        assert scope["type"] == "http"
        if scope["method"] != "POST":
            await self.pages(scope, receive, send)
            return
        body = Body(receive)
        try:
            if GRANT_KEY not in scope:
                check_token(scope)
            room, person = await enter(scope)
            if not person.lasting:
                raise LoginRequired(_("Open the page of the room first, or log in: nobody else could attach the file."))
            attachment = await Uploading.here().upload(room, FileForm(scope, body.receive), person=person)
        except Exception as error:
            await refuse(scope, body.receive, send, unforeseen(error))
        else:
            await answer_json(send, HTTPStatus.CREATED, shown(attachment, room))


class TokenCheck(CsrfViewMiddleware):
    """Django's check, which here raises WrongToken."""

    def _reject(self, request: HttpRequest, reason: str) -> NoReturn:
        raise WrongToken(_("This page is out of date, or of another site. Please load it again."))


def check_token(scope: HTTPScope) -> None:
    """Checks the header X-CSRFToken, and which page asks. Raises WrongToken."""
    # Without the type of the body: Django would look into it for the token.
    headers = [(name, value) for name, value in scope["headers"] if name not in {b"content-type", b"content-length"}]
    request = ASGIRequest({**scope, "headers": headers, "query_string": b""}, BytesIO())
    check = TokenCheck(_no_view)
    check.process_request(request)
    check.process_view(request, _no_view, (), {})


def _no_view(request: HttpRequest) -> HttpResponseBase:
    raise NotImplementedError  # only what is before the view is called here
