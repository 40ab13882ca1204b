"""The pages that answer to a token: few, and none that change anything or need a session."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import Resolver404, resolve
from django.utils.translation import gettext_lazy as _

from chat.domain.grants import Grant, Scope
from chat.domain.people import GRANT_KEY
from chat.errors import ChatError
from chat.token_errors import InsufficientScope

View = TypeVar("View", bound=Callable[..., Any])


def answers_tokens(view: View) -> View:
    """Decorates a view that programs may ask with a token, if that is for reading."""
    view.answers_tokens = True  # type: ignore[attr-defined]
    return view


class TokenUser:
    """Django middleware: has a request with a token be that of its user, and refuses it for pages that take none.

    `chat.connections.bearer` has looked at the token before Django was asked.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        scope = getattr(request, "scope", {})
        if GRANT_KEY not in scope:
            return self.get_response(request)
        try:
            check(request, scope[GRANT_KEY])
        except ChatError as error:
            return JsonResponse({"error": error.code, "message": str(error)}, status=HTTPStatus.FORBIDDEN)
        request.user, request.session = scope["user"], scope["session"]
        return self.get_response(request)


def check(request: HttpRequest, grant: Grant) -> None:
    """Raises InsufficientScope unless the request is for a view that answers tokens, and the token is for reading."""
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        view = None
    if request.method not in {"GET", "HEAD"} or not getattr(view, "answers_tokens", False):
        raise InsufficientScope(_("Tokens are for programs: this page is for people who log in."))
    grant.require(Scope.READ)
