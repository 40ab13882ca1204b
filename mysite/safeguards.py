"""Django's safeguards for HTTP requests that don't go through Django's handlers: those for GraphQL and for files."""

import logging
from io import BytesIO
from typing import Any, cast

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, HTTPScope
from csp.middleware import CSPMiddleware
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

from chat.connections.answers import answer
from mysite.origins import comes_from_elsewhere

logger = logging.getLogger(__name__)


class Safeguards:
    """ASGI middleware that applies Django's own middleware.

    A host that is not in ALLOWED_HOSTS is refused (400), plain HTTP is redirected where the site is HTTPS only (301),
    a page of a foreign site is refused (403), and all answers have the headers of SecurityMiddleware,
    XFrameOptionsMiddleware and the content security policy, unless they come with a policy of their own.
    """

    def __init__(self, application: ASGI3Application, *, from_anywhere: bool = False) -> None:
        """With `from_anywhere`, pages of foreign sites aren't refused: where nobody is who they are by a cookie."""
        self.application = application
        self.from_anywhere = from_anywhere
        self.security = SecurityMiddleware(_no_view)
        self.others: list[Any] = [XFrameOptionsMiddleware(_no_view), CSPMiddleware(_no_view)]

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        # Django would refuse a query string that is not UTF-8 before it looks at anything else.
        request = ASGIRequest({**scope, "query_string": scope["query_string"].decode("latin1")}, BytesIO())

        async def send_safely(message: ASGISendEvent) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self.add_headers(request, list(message.get("headers", ())))
            await send(message)

        refusal = self.refusal(request)
        if refusal is None:
            await self.application(scope, receive, send_safely)
        else:
            headers = [(name.lower().encode("latin1"), value.encode("latin1")) for name, value in refusal.items()]
            await answer(send_safely, refusal.status_code, headers, refusal.content)

    def refusal(self, request: ASGIRequest) -> HttpResponse | None:
        try:
            if "HTTP_HOST" in request.META:  # a browser always sends it
                request.get_host()
            redirect = self.security.process_request(request)
        except DisallowedHost as error:
            logger.warning("%s", error)
            return _refuse(400, "unknown_host", "There is no site of this name here.")
        if redirect is None and not self.from_anywhere and comes_from_elsewhere(request.scope):
            return _refuse(403, "foreign_origin", "Pages of other sites may not do this.")
        return cast(HttpResponse | None, redirect)

    def add_headers(self, request: HttpRequest, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Those that are there already stay as they are."""
        response: Any = HttpResponse()
        present = {name.decode("latin1").lower(): value.decode("latin1") for name, value in headers}
        for name, value in present.items():
            response[name] = value
        for safeguard in (self.security, *self.others):
            response = safeguard.process_response(request, response)
        new = [(name, value) for name, value in response.items() if name.lower() not in present]
        return [*headers, *((name.lower().encode("latin1"), value.encode("latin1")) for name, value in new)]


def _no_view(request: HttpRequest) -> HttpResponseBase:
    raise NotImplementedError  # only what is before and after the view is called here


def _refuse(status: int, code: str, message: str) -> HttpResponse:
    """In both forms of errors: that of GraphQL, and that of the other doors."""
    return JsonResponse({"error": code, "message": message, "errors": [{"message": message}]}, status=status)
