"""The chat as an app that browsers install: its manifest, its service worker, and what that shows and takes.

All of it is the same for everybody but for the language, and asks for no session.
"""

import hashlib
import json
from pathlib import Path

from csp.constants import NONE, SELF
from csp.decorators import csp
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt

GROUND = "#f4f6f9"  # --ground of static/site.css; base.html has that of dark pages, too
OFFLINE_FILES = ["site.css", "chat/offline.js", "favicon.svg"]

for_everybody = cache_control(public=True, no_cache=True)


@for_everybody
def manifest(request: HttpRequest) -> HttpResponse:
    """The web app manifest, https://www.w3.org/TR/appmanifest/, with a share target."""
    start = reverse("chat:index")
    content = {
        "id": start,
        "name": "Chat",
        "short_name": "Chat",
        "description": _("Rooms to talk in"),
        "lang": get_language(),
        "start_url": start,
        "scope": "/",
        "display": "standalone",
        "theme_color": GROUND,
        "background_color": GROUND,
        "icons": [
            icon(f"icons/{kind}-{size}.png", size, purpose)
            for kind, purpose in (("icon", "any"), ("maskable", "maskable"))
            for size in (192, 512)
        ],
        "shortcuts": [
            {"name": _("Write to somebody"), "url": reverse("room_direct")},
            {"name": _("Create a private room"), "url": reverse("room_new")},
        ],
        "share_target": {
            "action": reverse("chat:share_target"),
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {
                "title": "title",
                "text": "text",
                "url": "url",
                "files": [{"name": "files", "accept": ["image/*", "audio/*", "video/*", "text/*", "application/*"]}],
            },
        },
    }
    return JsonResponse(content, content_type="application/manifest+json")


def icon(path: str, size: int, purpose: str) -> dict[str, str]:
    return {"src": static(path), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}


@csp({"default-src": [NONE], "connect-src": [SELF]})
@for_everybody
def service_worker(request: HttpRequest) -> HttpResponse:
    """static/chat/service-worker.js, after a line that says what it keeps for when the site can't be reached.

    The line has a digest of that, so that a browser, which asks for the worker now and then, notices a change of it.
    """
    page = render_to_string("chat/offline.html")
    digest = hashlib.sha256(page.encode())
    for path in OFFLINE_FILES:
        digest.update(content(path))
    offline = {
        "version": digest.hexdigest()[:16],
        "page": reverse("chat:offline"),
        "files": [static(path) for path in OFFLINE_FILES],
    }
    line = f"self.offline = {json.dumps(offline)};\n"
    return HttpResponse(
        line.encode() + content("chat/service-worker.js"), content_type="text/javascript; charset=utf-8"
    )


def content(path: str) -> bytes:
    """The content of a static file."""
    found = finders.find(path)
    assert found is not None, path
    return Path(found).read_bytes()


@for_everybody
def offline(request: HttpRequest) -> HttpResponse:
    """The page for when the site can't be reached. It has nothing in it of the one who asks."""
    return HttpResponse(render_to_string("chat/offline.html"))


@csrf_exempt  # systems send what is shared without a token, and nothing is done with it here
def share_target(request: HttpRequest) -> HttpResponse:
    """Takes what is shared, where there is no service worker yet: shows the text, so that nothing is lost.

    Of a long body, nothing is read: files would be written to disk for nothing.
    """
    if request.method != "POST":
        return redirect("chat:index")
    length = request.headers.get("Content-Length", "")
    short = length.isdecimal() and int(length) <= settings.CHAT_REQUEST_BYTES
    parts = [request.POST.get(name, "").strip() for name in ("title", "text", "url")] if short else []
    return render(request, "chat/shared.html", {"text": "\n".join(filter(None, parts))})
