"""How fast passwords may be tried, and accounts be made: both cost a server a good part of a second on purpose."""

import math
from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from chat.actions import rate_limits
from chat.domain.addresses import address_of
from chat.errors import RateLimited

GUARDED = {"login", "signup", "admin:login"}  # names of URLs


class LoginLimit:
    """Django middleware: CHAT_RATE_LOGIN for each address, at every form that has a password hashed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        if request.method != "POST" or match is None or match.view_name not in GUARDED:
            return None
        try:
            async_to_sync(rate_limits.spend_login)(address_of({"client": (request.META.get("REMOTE_ADDR"), 0)}))
        except RateLimited as error:
            answer = render(request, "429.html", {"error": error}, status=429)
            answer["Retry-After"] = str(math.ceil(error.retry_after))
            return answer
        return None
