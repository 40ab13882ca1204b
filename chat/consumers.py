"""The browser's socket, from its connecting to its leaving. `chat.receiving` has what it is sent in between."""

import contextlib
from collections.abc import Mapping, Sequence
from inspect import isawaitable
from typing import Any
from urllib.parse import parse_qs

from django.utils.translation import gettext_lazy as _

from chat.connections.close_codes import close_code
from chat.connections.event_streams import last_event_id
from chat.connections.own_rooms import OwnRoomsSender
from chat.connections.sockets import Sockets, is_gone
from chat.delivery.hub import Hub
from chat.delivery.rooms.formatted import Formatted
from chat.delivery.rooms.own_rooms import Change
from chat.delivery.socket_listener import SocketListener
from chat.domain import rooms
from chat.domain.events import USUAL_KINDS, Event, Kind
from chat.domain.grants import Scope
from chat.domain.languages import in_language_of
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.presence import LiveKind, LiveState
from chat.domain.rooms import Room
from chat.errors import ChatError, SessionEnded, unforeseen
from chat.frames import ready_frame, rooms_frame
from chat.query_strings import check_path, last, read_query
from chat.receiving import ReceivingConsumer
from chat.storage import history

KINDS_BY_WISH = {"edits": Kind.EDIT, "reactions": Kind.REACTION, "links": Kind.LINKS}


class BrowserListener(SocketListener):
    """Hears the room of one browser."""

    def __init__(self, consumer: "ChatConsumer", room: Room, after: Position | None, person: Person) -> None:
        missed = {} if after is None else {room: after}
        kinds = USUAL_KINDS | {kind for wish, kind in KINDS_BY_WISH.items() if wish in consumer.wishes}
        super().__init__([room], missed, person, kinds, scope=consumer.scope, send=consumer.base_send)
        self.live_kinds = frozenset(kind for kind in LiveKind if kind in consumer.wishes)
        self.consumer = consumer

    def render(self, event: Event | LiveState) -> bytes | None:
        html = Formatted.here().html(event) if self.consumer.wants_html else None
        return None if isawaitable(html) else ready_frame(event, html)

    async def render_later(self, event: Event | LiveState) -> bytes:
        return ready_frame(event, await self.consumer.html_of(event))

    async def fail(self, error: Exception) -> None:
        if not is_gone(error):
            await self.consumer.refuse(unforeseen(error))
        await self.consumer.leave()


class ChatConsumer(ReceivingConsumer):
    """One browser in one room."""

    listener: BrowserListener | None = None
    own_rooms: OwnRoomsSender | None = None

    async def connect(self) -> None:
        try:
            person = self.person
            self.recognise(person)
            person.require(Scope.READ)
            Sockets.here().admit(person.address)
            check_path(self.scope)
            room = rooms.enter(self.scope["url_route"]["kwargs"]["room_name"], person)
            after = read_position(self.scope)
            self.listener = BrowserListener(self, room, after, person)
            await Hub.here().join(self.listener)
        except Exception as error:
            await self.accept()  # a browser can't read why it was refused, but it can read a frame
            await self.refuse(unforeseen(error))
            await self.leave()
            return
        self.room = room
        await self.accept()
        try:
            await self.listener.recover()
            if "rooms" in self.wishes and person.lasting and (person.grant is None or person.grant.rooms is None):
                self.own_rooms = OwnRoomsSender(person, room, self.send_rooms)
                self.own_rooms.start()
        except Exception as error:
            await self.refuse(unforeseen(error))
            await self.leave()

    def recognise(self, person: Person) -> None:
        """Raises SessionEnded where a page that was somebody's would go on as somebody else's."""
        expected = parse_qs(self.scope["query_string"].decode("latin1")).get("as")
        if expected and expected[-1] != person.id:
            raise SessionEnded(_("You are not logged in as before. Please load the page again."))

    async def send_rooms(self, changes: Sequence[Change], complete: bool, ignored: Sequence[Person] | None) -> None:
        # A direct room may have a name in the person's language.
        with in_language_of(self.scope) if any(room.is_direct for room, _own in changes) else contextlib.nullcontext():
            frame = rooms_frame(changes, complete, ignored)
        await self.send(text_data=frame)

    async def leave(self) -> None:
        await super().leave()
        if own_rooms := self.own_rooms:
            self.own_rooms = None
            await own_rooms.close()
        if listener := self.listener:
            await listener.close()
            await Hub.here().leave(listener)
            self.listener = None  # it has this consumer: neither would be freed before the collector looks

    async def refuse(self, error: ChatError) -> None:
        with contextlib.suppress(OSError):
            await self.send(text_data=self.error_frame(error))
            await self.close(code=close_code(error), reason=error.code)


def read_position(scope: Mapping[str, Any]) -> Position | None:
    """The position in `?after=<offset>&id=<id>`, of which the id may be left out.

    Raises InvalidPosition or InvalidQuery.

    Where frames come as events, one that goes on has it in `Last-Event-ID`, as `<offset>:<id>`.
    """
    if came := last_event_id(scope):
        offset, _, id = came.partition(":")
        return history.check_position(offset, id)
    given = read_query(scope)
    after = last(given, "after")
    return None if after is None else history.check_position(after, last(given, "id"))
