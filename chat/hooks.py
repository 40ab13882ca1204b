"""The door for incoming webhooks: `POST /hooks/<token>/`. docs/tokens.md has the forms of their bodies."""

from http import HTTPStatus
from typing import Any

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chat import hook_messages
from chat.actions import hooking, rate_limits
from chat.connections.bearer import let_in
from chat.connections.bodies import Body, BodyTooLong, read_body
from chat.domain import grants, people, rooms
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import unforeseen
from chat.file_requests import answer_json, header, refuse
from chat.hook_errors import NoRoomOfHook, UnknownHookType, WrongMethod
from chat.query_strings import only, read_query


async def take_hook(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """ASGI application: answers with the place of the message, or with an error as JSON."""
    assert scope["type"] == "http"
    body = Body(receive)
    try:
        if scope["method"] != "POST":
            raise WrongMethod(_("Send it by POST."))
        person = await _enter(scope)
        query = read_query(scope)
        room, client_id = _room(only(query, "room"), person), only(query, "client_id")
        if header(scope, b"content-encoding") not in {"", "identity"}:
            raise UnknownHookType(_("Send it without compressing it."))
        content = await read_body(scope, body.receive, settings.CHAT_BODY_MAX)
        hook = hook_messages.read(header(scope, b"content-type"), content)
        entry = await hooking.post(
            room=room,
            text=hook.text,
            username=hook.username,
            person=person,
            client_id=client_id,
        )
    except Exception as error:
        if isinstance(error, BodyTooLong):
            rate_limits.hit("body")
        headers = [(b"allow", b"POST")] if isinstance(error, WrongMethod) else []
        await refuse(scope, body.receive, send, unforeseen(error), headers)
    else:
        event = entry.event
        stored = {"room": room.name, "offset": event.offset, "id": event.id, "repeated": entry.repeated}
        await answer_json(send, HTTPStatus.OK, stored)


async def _enter(scope: HTTPScope) -> Person:
    """The user of the token in the URL. Raises InvalidToken, InsufficientScope or Unavailable."""
    connection: Any = scope
    await let_in(connection, f"Bearer {connection['url_route']['kwargs']['token']}")
    person = people.of_scope(connection)
    person.require(grants.Scope.WRITE)
    return person


def _room(name: str | None, person: Person) -> Room:
    """The room `?room=`, or the only one that the token is for. Raises NoRoomOfHook, or as `rooms.enter` does."""
    if name is not None:
        return rooms.enter(name, person)
    granted = person.grant.rooms if person.grant else None
    if granted is None or len(granted) != 1:
        raise NoRoomOfHook(_("This token is for several rooms: name one, as in ?room=room1."))
    return rooms.enter(next(iter(granted)), person)
