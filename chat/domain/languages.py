"""The language of the person at the other end of a connection.

A language is active only while a text is made, and never while something is awaited: a text for one person can't come
out in the language of another, nor can a text that is for all. Django's pages are the exception. Each has a context of
its own, in which LocaleMiddleware activates the language, by the same rules.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from django.conf import settings
from django.http import HttpRequest, parse_cookie
from django.utils import translation


def language_of(scope: Mapping[str, Any] | None) -> str:
    """The language of an ASGI connection: the one that was chosen, else the one that the browser prefers.

    It is one of settings.LANGUAGES; the site's own where there is no connection, or no language that the site speaks.
    """
    if scope is None:
        return settings.LANGUAGE_CODE
    headers = dict(scope.get("headers", ()))
    request = HttpRequest()
    request.COOKIES = parse_cookie(headers.get(b"cookie", b"").decode("latin1"))
    request.META["HTTP_ACCEPT_LANGUAGE"] = headers.get(b"accept-language", b"").decode("latin1")
    return translation.get_language_from_request(request)


def in_language_of(scope: Mapping[str, Any] | None) -> AbstractContextManager[None]:
    """Texts that are made within are for the person at the other end of the connection."""
    return translation.override(language_of(scope))


def in_language_of_site() -> AbstractContextManager[None]:
    """Texts that are made within are for everybody, like those that are stored."""
    return translation.override(settings.LANGUAGE_CODE)
