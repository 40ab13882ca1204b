"""Pages: the rooms, a room, and who one is. What happens in a room comes through `chat.consumers`."""

from collections.abc import Sequence
from operator import attrgetter

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth.decorators import user_passes_test
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from chat.delivery.formatted import Formatted
from chat.domain import people, rooms
from chat.domain.events import Event
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import Banned, ChatError, InvalidRoomName, NotAMember
from chat.frames import shown
from chat.storage import history, pages, permissions

SESSION_KEY = "chat_rooms"
ROOMS_REMEMBERED = 12

guests_if_allowed = user_passes_test(lambda user: settings.CHAT_GUESTS or user.is_authenticated)


@guests_if_allowed
def index(request: HttpRequest) -> HttpResponse:
    if name := request.GET.get("room", "").strip():
        return redirect(Room(name))  # the form without JavaScript; the room's page says what is wrong with a name
    person = people.of_request(request)
    context = {
        "rooms": lately_used(request, person),
        "own_rooms": permissions.rooms_of(person),
        "room_name_max": rooms.NAME_MAX,
    }
    return render(request, "chat/index.html", context)


@guests_if_allowed
def room(request: HttpRequest, room_name: str) -> HttpResponse:
    first_visit = request.user.is_anonymous and people.SESSION_KEY not in request.session
    person = people.of_request(request)
    try:
        entered = rooms.enter(room_name, person)
    except InvalidRoomName as error:
        return render(request, "chat/room_invalid.html", {"error": error, "room_name_max": rooms.NAME_MAX}, status=400)
    try:
        # Before the page is read: the log may end with entries that change messages, which the page doesn't have.
        end = history.end(entered, person=person)
        page = pages.page(entered, person=person, size=pages.PAGE_SIZE, from_end=True)
    except (Banned, NotAMember) as error:
        return closed(request, entered, error)
    position = max([end, *(event.position for event in page.events[-1:] if event.position)], key=attrgetter("offset"))
    formatted = list(zip(page.events, async_to_sync(html_of)(page.events), strict=True))
    permission = permissions.permission(entered, person)
    used = [entered, *(other for other in lately_used(request, person) if other != entered)][:ROOMS_REMEMBERED]
    request.session[SESSION_KEY] = [one.name for one in used]
    room_data = {
        "room": entered.name,
        "person": {"id": person.id, "name": person.name, "isGuest": person.is_guest},
        "firstVisit": first_visit,  # the browser knows of this guest by this page alone
        "moderates": permission.may_moderate,
        "owns": permission.owns,
        "messageMax": settings.CHAT_MESSAGE_MAX,
        "showOrigin": settings.CHAT_SHOW_ORIGIN,
        "history": {"messages": [shown(*one) for one in formatted], "more": page.has_earlier},
        "position": position.offset,
        "positionId": position.id,
    }
    context = {
        "room": entered,
        "rooms": used,
        "room_data": room_data,
        "formatted_events": formatted,
        "permission": permission,
        "guests": settings.CHAT_GUESTS,
    }
    return render(request, "chat/room.html", context)


async def html_of(events: Sequence[Event]) -> list[str | None]:
    """The HTML of each of `events`, made on the server's event loop, which may have it already."""
    return await Formatted.here().html_of_page(events)


def closed(request: HttpRequest, room: Room, error: ChatError) -> HttpResponse:
    """Why somebody may not enter, and what they can do about it."""
    return render(request, "chat/room_closed.html", {"room": room, "error": error}, status=403)


def lately_used(request: HttpRequest, person: Person) -> list[Room]:
    """The rooms this person was in and may be in still, the last one first."""
    rooms = [Room(name) for name in request.session.get(SESSION_KEY, ())]
    return [room for room, permission in permissions.by_room(rooms, person).items() if permission.may_enter]
