"""The page of search, which works without scripts."""

import math
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlencode

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from chat.actions import searching
from chat.domain import people, rooms
from chat.domain.addresses import address_of
from chat.domain.cursors import read_number
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.domain.search_excerpts import excerpt
from chat.errors import ChatError, InvalidPage, InvalidRoomName, RateLimited, Unavailable
from chat.storage import direct_rooms
from chat.storage.search import Results
from chat.views import display_name, guests_if_allowed

PAGE_SIZE = 30  # messages
EXAMPLES = {
    "people": ("from:ann", 'from:"Quiet Otter 42"', "from:me"),
    "rooms": ("in:room1", 'in:"my room"'),
    "days": ("after:2026-01-31", "before:2026-02-28"),
    "files": ("has:file",),
}
STATUS = {RateLimited: 429, Unavailable: 503}  # of other errors it is 400


@guests_if_allowed
def search_page(request: HttpRequest) -> HttpResponse:
    """The messages that `?q=` finds, in the room `?room=` alone if there is one, after the cursor in `?after=`."""
    text = request.GET.get("q", "").strip()
    person = replace(people.of_request(request), address=address_of({"client": (request.META.get("REMOTE_ADDR"), 0)}))
    room = asked_room(request)
    context = {
        "text": text,
        "room": room,
        "room_name": display_name(room, person) if room else "",
        "everywhere_url": f"?{urlencode({'q': text})}" if text else "?",
        "examples": EXAMPLES,
    }
    if not text:
        return render(request, "chat/search.html", context)
    after = None
    with suppress(InvalidPage):  # a cursor that is none leads to the first page
        after = read_number(request.GET["after"]) if "after" in request.GET else None
    try:
        narrowed = {"room_name": room.name if room else None}
        results = async_to_sync(searching.find)(text, person=person, size=PAGE_SIZE, after=after, **narrowed)
    except ChatError as error:
        response = render(request, "chat/search.html", context | {"error": error}, status=STATUS.get(type(error), 400))
        if isinstance(error, RateLimited):
            response["Retry-After"] = str(math.ceil(error.retry_after))
        return response
    asked = {"q": text} | ({"room": room.name} if room else {})
    return render(request, "chat/search.html", context | shown(results, person, asked, is_first=after is None))


def asked_room(request: HttpRequest) -> Room | None:
    """The room of that name in `?room=`. A name that no room can have is none."""
    with suppress(InvalidRoomName):
        return rooms.find(request.GET["room"]) if request.GET.get("room") else None
    return None


def shown(results: Results, person: Person, asked: dict[str, str], *, is_first: bool) -> dict[str, object]:
    """Template context: the hits, each with where it leads to, and where older ones of what was `asked` are."""
    others = direct_rooms.others((room, person) for room in {one.event.room for one in results.found})
    hits = [
        {
            "event": one.event,
            "room_name": direct_rooms.display_name(one.event.room, others.get((one.event.room, person), ())),
            "url": f"{one.event.room.get_absolute_url()}?at={one.event.offset}",
            "parts": excerpt(one.event.message, results.query.phrases),
            "files": [excerpt(file.name, results.query.phrases) for file in one.event.attachments],
        }
        for one in results.found
    ]
    older = urlencode(asked | {"after": results.found[-1].key}) if results.has_more else ""
    return {
        "results": results,
        "hits": hits,
        "is_first": is_first,
        "first_url": f"?{urlencode(asked)}",
        "older_url": f"?{older}" if older else "",
    }
