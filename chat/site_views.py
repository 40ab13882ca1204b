"""The page `/admin/site/`, for the staff: how the site is, live. Django's admin lets nobody else in."""

from asgiref.sync import async_to_sync
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from chat.status.site import SharedStatus


async def _status() -> dict[str, object]:
    return (await SharedStatus.here().get()).as_json()


def site_page(request: HttpRequest) -> HttpResponse:
    """A frame that static/operating/site-status.js fills."""
    context = {**admin.site.each_context(request), "title": "Site status", "is_nav_sidebar_enabled": False}
    return render(request, "admin/site_status.html", context)


def site_state(request: HttpRequest) -> HttpResponse:
    """The status as JSON: see docs/operating.md."""
    return JsonResponse(async_to_sync(_status)())
