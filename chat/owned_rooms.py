"""The pages that owners have for their rooms, and the staff for the site."""

from asgiref.sync import async_to_sync
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from chat.actions.bots import check_owner
from chat.domain import people, rooms
from chat.domain.rooms import Room
from chat.errors import ChatError, InvalidRoomName


def room_of_owner(request: HttpRequest) -> Room | None:
    """The room `?room=`, whose owner asks; None if the site's staff asks without a room.

    Raises PermissionDenied for others.
    """
    person = people.of_request(request)
    if "room" not in request.GET:
        if not getattr(request.user, "is_staff", False):
            raise PermissionDenied
        return None
    try:
        room = rooms.enter(request.GET["room"], person)
        async_to_sync(check_owner)(room, person)
    except (InvalidRoomName, ChatError) as error:
        raise PermissionDenied from error
    return room
