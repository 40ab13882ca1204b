"""Pages of users are shown again only by asking the site, so that Back shows nothing after a logout."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers


def no_store(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Django middleware: what a user is shown, private rooms among it, is kept by no browser and no cache on the way.

    Guests are in public rooms alone, and never log out. Pages of errors are the same for all, and it may be that the
    database can't say who the user is. Nor is it asked for what says of itself who may keep it: `public`, all; or
    `private`, browsers.
    """

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        told = response.get("Cache-Control", "")
        may_be_kept = told.startswith(("public", "private, max-age"))
        if response.status_code < 500 and not may_be_kept and request.user.is_authenticated:
            add_never_cache_headers(response)
        return response

    return respond
