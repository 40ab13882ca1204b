"""Pages: the rooms, and a room. Events in a room come through `chat.consumers`."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth.decorators import user_passes_test
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language

from chat.assets import EMOJI
from chat.delivery.rooms.formatted import Formatted
from chat.domain import people, rooms
from chat.domain.events import Event, Kind
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.rooms import Room
from chat.errors import Banned, ChatError, InvalidPage, InvalidPosition, InvalidRoomName, NotAMember
from chat.frames import shown
from chat.models import Involvement
from chat.storage import (
    avatars,
    direct_rooms,
    directory,
    history,
    ignoring,
    own_rooms,
    pages,
    permissions,
    reactions,
    readings,
)
from chat.storage.own_rooms import OwnRoom
from chat.storage.pages import Page
from chat.storage.readings import Mark

SESSION_KEY = "chat_rooms"  # of the release before, which kept the names of the rooms that one was in
CONTEXT = 10  # entries that have been read, shown before those that haven't
PICTURE_WIDTH_MAX, PICTURE_HEIGHT_MAX = 360, 300  # pixels, as in static/chat/files/attachment-list.js
UNREAD_SHOWN = 200  # entries that are unread and shown all at once; of more, the first ones are shown

guests_if_allowed = user_passes_test(lambda user: settings.CHAT_GUESTS or user.is_authenticated)


@guests_if_allowed
def index(request: HttpRequest) -> HttpResponse:
    if name := request.GET.get("room", "").strip():
        return redirect(Room(name))  # the form without JavaScript; the room's page says what is wrong with a name
    person = people.of_request(request)
    context = {"own_rooms": known_rooms(request, person), "room_name_max": rooms.NAME_MAX}
    return render(request, "chat/index.html", context | directory_page(request))


def directory_page(request: HttpRequest) -> dict[str, object]:
    """A page of the directory: the rooms after the cursor in `?after=`, with `?matching=` in their names."""
    matching, after = request.GET.get("matching", "").strip(), None
    with suppress(InvalidPage):  # a cursor that is none leads to the first page
        after = directory.Place.at(request.GET["after"]) if "after" in request.GET else None
    found = directory.listed(size=pages.PAGE_SIZE + 1, matching=matching, after=after)
    shown_rooms, more = found[: pages.PAGE_SIZE], found[pages.PAGE_SIZE :]
    asked = {"matching": matching} if matching else {}
    return {
        "matching": matching,
        "rooms": [listed.room for listed in shown_rooms],
        "is_first": after is None,
        "first_url": f"?{urlencode(asked)}",
        "more_url": f"?{urlencode(asked | {'after': shown_rooms[-1].place.cursor})}" if more else "",
    }


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
        own = own_rooms.by_pair([(entered, person)]).get((entered, person))
        at = asked_offset(request)
        page = first_page(entered, person, at=at, own=own, end=end)
    except (Banned, NotAMember) as error:
        return closed(request, entered, error)
    position = max([end, *(event.position for event in page.events[-1:] if event.position)], key=attrgetter("offset"))
    formatted = list(zip(page.events, async_to_sync(html_of)(page.events), strict=True))
    own_emoji = reactions.own_of_page(page.events, person)
    messages = [shown(event, html, emoji) for (event, html), emoji in zip(formatted, own_emoji, strict=True)]
    permission = permissions.permission(entered, person)
    shown_ids = {person.id, *(event.person.id for event in page.events if event.person)}
    pictures = avatars.paths(shown_ids)
    if not first_visit:  # else the browser may not keep the session; its socket tells
        readings.enter([Mark(entered, person)])
    request.session.modified = True  # a visit has the session last longer
    room_data = {
        "room": entered.name,
        "person": {"id": person.id, "name": person.name, "isGuest": person.is_guest},
        "firstVisit": first_visit,  # the browser knows of this guest by this page alone
        "moderates": permission.may_moderate,
        "owns": permission.owns,
        "readOnly": permission.read_only,
        "slowMode": permission.slow_mode,
        "ignored": [{"id": one.id, "name": one.name} for one in ignoring.ignored(person)],
        "messageMax": settings.CHAT_MESSAGE_MAX,
        "files": {
            "url": f"{entered.get_absolute_url()}files/",
            "sizeMax": settings.CHAT_FILE_SIZE,
            "perMessage": settings.CHAT_FILES_PER_MESSAGE,
        },
        "avatars": {id: pictures.get(id) for id in shown_ids},
        "showOrigin": settings.CHAT_SHOW_ORIGIN,
        "isDirect": entered.is_direct,
        "history": {
            "messages": messages,
            "more": page.has_earlier,
            "later": page.has_later,
        },
        "at": at,
        "position": position.offset,
        "positionId": position.id,
        "read": own.read_offset if own else position.offset,
        "unread": own.unread if own else 0,
    }
    context = {
        "room": entered,
        "display_name": display_name(entered, person),
        "own_rooms": known_rooms(request, person, here=entered),
        "room_data": room_data,
        "formatted_events": [
            (event, html, {"avatar": pictures.get(message.get("user_id", "")), "files": on_page(message)})
            for (event, html), message in zip(formatted, messages, strict=True)
        ],
        "page": page,
        "at": at,
        "at_is_missing": at is not None and not any(event.offset == at and is_line(event) for event in page.events),
        "permission": permission,
        "guests": settings.CHAT_GUESTS,
        "emoji_list": EMOJI[get_language()].static_path,
    }
    return render(request, "chat/room.html", context)


def on_page(message: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Template context: the files of a message. Pictures are as large as scripts show them."""
    files = message.get("attachments", ())
    pictures = []
    for file in files:
        if preview := file["preview"]:
            scale = min(1, PICTURE_WIDTH_MAX / preview["width"], PICTURE_HEIGHT_MAX / preview["height"])
            size = {side: max(1, round(preview[side] * scale)) for side in ("width", "height")}
            pictures.append(file | {"preview": preview | size})
    return {"pictures": pictures, "others": [file for file in files if not file["preview"]]}


def display_name(room: Room, person: Person) -> str:
    """The name of `room` as `person` is shown it."""
    return direct_rooms.display_name(room, direct_rooms.others([(room, person)]).get((room, person), ()))


async def html_of(events: Sequence[Event]) -> list[str | None]:
    """The HTML of each of `events`, made on the server's event loop, which may have it already."""
    return await Formatted.here().html_of_page(events)


def asked_offset(request: HttpRequest) -> int | None:
    """The offset in `?at=`, where a link leads to a message. Any other value opens the room as if there were none."""
    try:
        return history.check_offset(request.GET["at"]) if "at" in request.GET else None
    except InvalidPosition:
        return None


def is_line(event: Event) -> bool:
    """Whether an entry is shown in a place of its own."""
    return event.kind is not Kind.DELETION


def closed(request: HttpRequest, room: Room, error: ChatError) -> HttpResponse:
    """Why somebody may not enter, and what they can do about it."""
    return render(request, "chat/room_closed.html", {"room": room, "error": error}, status=403)


def first_page(room: Room, person: Person, *, at: int | None, own: OwnRoom | None, end: Position) -> Page:
    """The part of the log to show first: around the message that was asked for, where the person left off, or the end.

    Where all that is unread can be shown at once, it is, with what came just before.
    """
    unread = end.offset - own.read_offset if own and own.unread else 0
    if at is not None:
        return pages.around(room, at, person=person)
    if own and unread > UNREAD_SHOWN:
        return pages.around(room, own.read_offset, person=person)
    return pages.page(room, person=person, size=max(pages.PAGE_SIZE, unread + CONTEXT), from_end=True)


def known_rooms(request: HttpRequest, person: Person, *, here: Room | None = None) -> list[OwnRoom]:
    """The rooms of `person`, the last active one first; with the one that they are in, whether it is theirs or not."""
    if names := request.session.pop(SESSION_KEY, ()):
        readings.enter([Mark(Room(name), person) for name in names])
    found = own_rooms.own_rooms(person, size=own_rooms.ROOMS_MAX)
    if here is None or any(own.room == here for own in found):
        return found
    return [OwnRoom(here, 0, Involvement.ALL, 0, timezone.now(), 0), *found]
