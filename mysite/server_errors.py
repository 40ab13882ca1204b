"""The page for errors that are not the client's."""

import sys

from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.utils.cache import add_never_cache_headers

from chat.errors import Unavailable
from chat.storage.database import is_outage

RETRY_AFTER = 5  # seconds


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`, called while the exception is handled: 503 in an outage of the database, 500 otherwise.

    It is asked wherever the exception came from: a view, a template, or a middleware that reads or saves the session.
    It doesn't look at the request, as Django's own does: its body may be what can't be read.
    """
    if not _is_outage(sys.exc_info()[1]):
        return HttpResponse(loader.render_to_string("500.html"), status=500)
    # Without the request: what context processors put into a page may be in the database.
    response = HttpResponse(loader.render_to_string("503.html"), status=503, headers={"Retry-After": RETRY_AFTER})
    add_never_cache_headers(response)
    return response


def _is_outage(error: BaseException | None) -> bool:
    return isinstance(error, Unavailable) or (isinstance(error, Error) and is_outage(error))
