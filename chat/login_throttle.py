"""Limits how fast passwords may be tried, and accounts be made: both cost a server a good part of a second on purpose.

An address may try so many passwords, whatever the accounts, and an account may be tried so often, from wherever. By the
latter alone, strangers could keep an account's owner out. So a browser that has logged in to the account before keeps a
cookie that says so, and is counted by its address alone. The same holds for links that log in, and addresses of e-mail.
"""

import hashlib
import math
from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from chat.actions import rate_limits
from chat.domain.addresses import address_of
from chat.domain.login_links import mailbox_key
from chat.domain.skeletons import skeletons
from chat.errors import RateLimited

LOGINS = {"login", "admin_login"}  # names of URLs
ASKING = "ask_login_link"
GUARDED = {
    **dict.fromkeys(LOGINS | {"signup", ASKING, "login_link", "invitation"}, "POST"),
    "to_provider": "GET",  # which makes each way back possible
}
"""By names of URLs, the method that counts."""
COOKIE = "chat_known"
MAILBOX_COOKIE = "chat_known_mailbox"
COOKIE_AGE = 365 * 24 * 3600  # seconds


class LoginLimit:
    """Django middleware: CHAT_RATE_LOGIN for each address, at every form that logs in or has a password hashed.

    And CHAT_RATE_ACCOUNT for each account at forms that ask for it, CHAT_RATE_MAILBOX for each address of e-mail.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for cookie, attribute in ((COOKIE, "logged_in_to"), (MAILBOX_COOKIE, "known_mailbox")):
            if known := getattr(request, attribute, None):
                secure = settings.SESSION_COOKIE_SECURE
                response.set_signed_cookie(
                    cookie, known, max_age=COOKIE_AGE, secure=secure, httponly=True, samesite="Lax"
                )
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or request.method != GUARDED.get(match.view_name):
            return None
        address = address_of({"client": (request.META.get("REMOTE_ADDR"), 0)})
        account = account_key(request.POST.get("username", "")) if match.view_name in LOGINS else None
        mailbox = mailbox_key(request.POST.get("email", "")) if match.view_name == ASKING else None
        if account and request.get_signed_cookie(COOKIE, None, max_age=COOKIE_AGE) == account:
            account = None
        if mailbox and request.get_signed_cookie(MAILBOX_COOKIE, None, max_age=COOKIE_AGE) == mailbox:
            mailbox = None
        try:
            async_to_sync(rate_limits.spend_login)(address, account, mailbox)
        except RateLimited as error:
            answer = render(request, "429.html", {"error": error}, status=429)
            answer["Retry-After"] = str(math.ceil(error.retry_after))
            return answer
        return None


@receiver(user_logged_in)
def logged_in(request: HttpRequest, user: Any, **_: Any) -> None:
    request.logged_in_to = account_key(user.get_username())  # type: ignore[attr-defined]


def account_key(username: str) -> str:
    """The same for all names that look alike, and of no use to read: it goes into Redis and into the cookie."""
    names = " ".join(sorted(skeletons(username)))
    return hashlib.sha256(names.encode(errors="surrogatepass")).hexdigest()[:32]
