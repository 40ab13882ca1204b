"""The texts of the pages' scripts in the reader's language: Django's catalogue for JavaScript."""

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from django.views.i18n import JavaScriptCatalog

catalog = JavaScriptCatalog.as_view(packages=["chat"])  # and LOCALE_PATHS; not the admin's texts


@conditional_page
@cache_control(public=True, no_cache=True)
def script_texts(request: HttpRequest, language: str) -> HttpResponseBase:
    """A script that defines `gettext` and the like for `language`; static/chat/translation.js uses it.

    The address names the language, so that no cache gives one reader another's. As with other scripts, browsers ask
    each time whether it has changed.
    """
    if language not in dict(settings.LANGUAGES):
        raise Http404
    with translation.override(language):
        response = catalog(request)
    response.headers["Content-Language"] = language
    return response
