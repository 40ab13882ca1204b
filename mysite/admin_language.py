"""The admin pages' language."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation


def admin_in_english(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Django middleware, after LocaleMiddleware: names of models are in English, so the pages around them are too."""

    def respond(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(reverse("admin:index")):
            translation.activate("en")
        return get_response(request)

    return respond
