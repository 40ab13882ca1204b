"""Pictures of linked pages, from this site: readers tell other sites nothing by looking."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control

from chat.storage import link_pictures
from chat.token_pages import answers_tokens


@answers_tokens
@cache_control(public=True, max_age=86_400)
def link_picture(request: HttpRequest, id: str) -> HttpResponse:
    """A picture, for everybody who knows its id: what it shows is on a public page, and nobody guesses the id."""
    try:
        content = link_pictures.read(UUID(id))
    except (ValueError, FileNotFoundError):
        raise Http404 from None
    return HttpResponse(content, content_type="image/webp")
