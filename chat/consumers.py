"""The browser's socket: frames in, frames out."""

import asyncio
import contextlib
from collections.abc import Sequence
from functools import cached_property
from inspect import isawaitable
from typing import Any
from urllib.parse import parse_qs

from chat.actions import editing, posting, reacting, reading, typing
from chat.actions.moderation import carry_out
from chat.connections.own_rooms import OwnRoomsSender
from chat.connections.socket_consumer import SocketConsumer
from chat.connections.sockets import LOG_IN, Sockets, is_gone
from chat.delivery.formatted import Formatted
from chat.delivery.hub import Hub
from chat.delivery.own_rooms import Change
from chat.delivery.socket_listener import SocketListener
from chat.domain import people, rooms
from chat.domain.events import USUAL_KINDS, Event, Kind
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.presence import LiveKind, LiveState
from chat.domain.rooms import Room
from chat.errors import (
    Banned,
    ChatError,
    InternalError,
    LoginRequired,
    NotAMember,
    Removed,
    SessionEnded,
    SlowListener,
    TooManyConnections,
    Unavailable,
    unforeseen,
)
from chat.frames import (
    completion_frame,
    error_frame,
    event_frame,
    history_frame,
    me_frame,
    pong_frame,
    purpose_of,
    reacted_frame,
    read_beginning,
    read_frame,
    read_involvement,
    read_on,
    read_request,
    read_typing,
    ready_frame,
    rooms_frame,
    versions_frame,
)
from chat.storage import edits, history, mentions, moderation, pages, permissions
from chat.storage.database import in_database

KINDS_BY_WISH = {"edits": Kind.EDIT, "reactions": Kind.REACTION}
BAD_REQUEST = 4400
CLOSE_CODES = {
    LoginRequired: LOG_IN,
    SessionEnded: LOG_IN,
    NotAMember: 4403,
    Removed: 4403,
    Banned: 4403,
    SlowListener: 4008,
    TooManyConnections: 4429,
    Unavailable: 1013,
    InternalError: 1011,
}


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


class ChatConsumer(SocketConsumer):
    """One browser in one room."""

    room: Room | None = None
    listener: BrowserListener | None = None
    own_rooms: OwnRoomsSender | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reacting: set[asyncio.Task[None]] = set()  # each waits until a reaction is stored

    async def connect(self) -> None:
        try:
            person = self.person
            self.recognise(person)
            Sockets.here().admit(person.address)
            room = rooms.enter(self.scope["url_route"]["kwargs"]["room_name"], person)
            after = read_position(self.scope["query_string"])
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
            if "rooms" in self.wishes and person.lasting:
                self.own_rooms = OwnRoomsSender(person, room, self.send_rooms)
                self.own_rooms.start()
        except Exception as error:
            await self.refuse(unforeseen(error))
            await self.leave()

    @property
    def person(self) -> Person:
        """The person as they are called now: a guest may take another name while the socket is open."""
        return people.of_scope(self.scope)

    def recognise(self, person: Person) -> None:
        """Raises SessionEnded where a page that was somebody's would go on as somebody else's."""
        expected = parse_qs(self.scope["query_string"].decode("latin1")).get("as")
        if expected and expected[-1] != person.id:
            raise SessionEnded("You are not logged in as before. Please load the page again.")

    @cached_property
    def wishes(self) -> frozenset[str]:
        """The words in `?with=`: what the client knows, and wants to be sent, beyond what every client is sent."""
        given = parse_qs(self.scope["query_string"].decode("latin1")).get("with", [])
        return frozenset(word for words in given for word in words.split(","))

    @property
    def wants_html(self) -> bool:
        return "html" in self.wishes

    async def html_of(self, event: Event | LiveState) -> str | None:
        return await Formatted.here().html_later(event) if self.wants_html else None

    @property
    def busy(self) -> bool:
        return self.handling or bool(self.reacting) or (self.listener is not None and self.listener.waiting)

    async def send_rooms(self, changes: Sequence[Change], complete: bool) -> None:
        await self.send(text_data=rooms_frame(changes, complete))

    async def leave(self) -> None:
        for task in self.reacting:
            task.cancel()  # it is stored all the same
        if own_rooms := self.own_rooms:
            self.own_rooms = None
            await own_rooms.close()
        if listener := self.listener:
            await listener.close()
            await Hub.here().leave(listener)
            self.listener = None  # it has this consumer: neither would be freed before the collector looks

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.room is None or self.listener is None:
            return  # refused, and closing
        frame: dict[str, Any] = {}
        try:
            frame = read_frame(text_data)
            answer = await getattr(self, f"receive_{purpose_of(frame)}")(self.room, frame)
        except Exception as error:
            answer = error_frame(unforeseen(error), to=frame)
        if answer is not None:
            await self.tell(answer)

    async def tell(self, answer: str) -> None:
        with contextlib.suppress(OSError):  # the client went away
            await self.send(text_data=answer)

    # For each of `frames.PURPOSES`. Returns what is sent to this client alone, if anything.

    async def receive_message(self, room: Room, frame: dict[str, Any]) -> str | None:
        entry = await posting.post(
            room=room,
            message=frame["message"],
            person=self.person,
            client_id=frame.get("client_id"),
            reply_to=frame.get("reply_to"),
        )
        if entry.repeated and self.listener and (entry.event.offset or 0) <= self.listener.positions[room.group]:
            # Nobody hears it again, but who sends it again has not heard that it arrived.
            return event_frame(entry.event, await self.html_of(entry.event))
        return None

    async def receive_edit(self, room: Room, frame: dict[str, Any]) -> None:
        offset = history.check_offset(frame["edit"])
        await editing.edit(room=room, offset=offset, message=frame.get("message"), person=self.person)

    async def receive_delete(self, room: Room, frame: dict[str, Any]) -> None:
        await carry_out(moderation.delete_message, room, history.check_offset(frame["delete"]), by=self.person)

    async def receive_typing(self, room: Room, frame: dict[str, Any]) -> None:
        is_typing = read_typing(frame)
        if self.listener:
            typing.note(self.listener, room, self.person, is_typing)

    async def receive_react(self, room: Room, frame: dict[str, Any]) -> None:
        """Answers later: the frames after this one don't wait until it is stored."""
        offset, on, request = history.check_offset(frame["react"]), read_on(frame), read_request(frame)
        stored = await reacting.react(room=room, offset=offset, emoji=frame.get("emoji"), on=on, person=self.person)
        task = asyncio.create_task(self.answer_reaction(offset, stored, frame, request))
        self.reacting.add(task)
        task.add_done_callback(self.reacting.discard)

    async def answer_reaction(
        self, offset: int, stored: asyncio.Future[Event | None], frame: dict[str, Any], request: dict[str, str]
    ) -> None:
        try:
            entry = await stored
        except Exception as error:
            await self.tell(error_frame(unforeseen(error), to=frame))
        else:
            if request:  # else the entry itself is the answer, which all get who ask for that kind
                await self.tell(reacted_frame(offset, entry, request))

    async def receive_before(self, room: Room, frame: dict[str, Any]) -> str:
        request = read_request(frame)
        asked = {"size": pages.PAGE_SIZE, "before": history.check_offset(frame["before"])}
        page = await in_database(pages.page, room, person=self.person, from_end=True, **asked)
        return await self.answer_with(page, request, more=page.has_earlier)

    async def receive_after(self, room: Room, frame: dict[str, Any]) -> str:
        request = read_request(frame)
        asked = {"size": pages.PAGE_SIZE, "after": history.check_offset(frame["after"])}
        page = await in_database(pages.page, room, person=self.person, from_end=False, **asked)
        return await self.answer_with(page, request, more=page.has_later)

    async def answer_with(self, page: pages.Page, request: dict[str, str], *, more: bool) -> str:
        html = await Formatted.here().html_of_page(page.events) if self.wants_html else []
        return history_frame(page, request, html, more=more)

    async def receive_complete(self, room: Room, frame: dict[str, Any]) -> str:
        request, beginning = read_request(frame), read_beginning(frame)
        return completion_frame(await in_database(mentions.candidates, room, beginning, by=self.person), request)

    async def receive_versions(self, room: Room, frame: dict[str, Any]) -> str:
        request, offset = read_request(frame), history.check_offset(frame["versions"])
        return versions_frame(await in_database(edits.versions, room, offset, by=self.person), request)

    async def receive_read(self, room: Room, frame: dict[str, Any]) -> None:
        await reading.mark_read(room, frame["read"], person=self.person)

    async def receive_unread(self, room: Room, frame: dict[str, Any]) -> None:
        await reading.mark_unread(room, frame["unread"], person=self.person)

    async def receive_read_all(self, room: Room, frame: dict[str, Any]) -> None:
        await reading.mark_all_read(person=self.person)

    async def receive_involvement(self, room: Room, frame: dict[str, Any]) -> None:
        named = rooms.enter(frame.get("room", room.name), self.person)
        await reading.set_involvement(named, read_involvement(frame["involvement"]), person=self.person)

    async def receive_leave(self, room: Room, frame: dict[str, Any]) -> None:
        await reading.leave(rooms.enter(frame["leave"], self.person), person=self.person)

    async def receive_me(self, room: Room, frame: dict[str, Any]) -> str:
        request = read_request(frame)
        permission = await in_database(permissions.permission, room, self.person)
        return me_frame(self.person, permission, request)

    async def receive_ping(self, room: Room, frame: dict[str, Any]) -> str:
        read_request(frame)
        return pong_frame(frame["ping"])

    async def refuse(self, error: ChatError) -> None:
        with contextlib.suppress(OSError):
            await self.send(text_data=error_frame(error))
            await self.close(code=CLOSE_CODES.get(type(error), BAD_REQUEST), reason=error.code)


def read_position(query_string: bytes) -> Position | None:
    """The position in `?after=<offset>&id=<id>`, of which the id may be left out. Raises InvalidPosition."""
    given = parse_qs(query_string.decode("latin1"), keep_blank_values=True)
    if "after" not in given:
        return None
    return history.check_position(given["after"][-1], given.get("id", [None])[-1])
