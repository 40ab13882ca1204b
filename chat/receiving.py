"""Frames from a browser: a method for each of `chat.received_frames.PURPOSES`."""

import asyncio
import contextlib
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs

from chat import tracing
from chat.actions import completing, editing, ignoring, link_previews, posting, reacting, reading, reporting, typing
from chat.actions.moderation import carry_out
from chat.connections.socket_consumer import SocketConsumer
from chat.delivery.rooms.formatted import Formatted
from chat.delivery.rooms.report_counts import ReportWatcher
from chat.delivery.rooms.visible_pages import VisiblePages
from chat.delivery.socket_listener import SocketListener
from chat.domain import people, rooms
from chat.domain.events import Event
from chat.domain.grants import Scope
from chat.domain.languages import in_language_of
from chat.domain.people import Person
from chat.domain.presence import LiveState
from chat.domain.rooms import Room
from chat.errors import unforeseen
from chat.frames import (
    completion_frame,
    error_frame,
    event_frame,
    history_frame,
    ignored_frame,
    me_frame,
    pong_frame,
    reacted_frame,
    reported_frame,
    reports_frame,
    versions_frame,
)
from chat.received_frames import (
    purpose_of,
    read_beginning,
    read_frame,
    read_involvement,
    read_on,
    read_ping,
    read_request,
    read_typing,
    read_url,
    read_visible,
)
from chat.storage import edits, history, moderation, pages, permissions, reactions
from chat.storage.database import in_database

READING = {
    "before",
    "after",
    "complete",
    "versions",
    "reports",
}  # purposes of frames that are answered by what is there


class ReceivingConsumer(SocketConsumer):
    """A browser's socket, once it is in a room.

    Each `receive_…` returns the frame that answers this client alone, if there is one.
    """

    room: Room | None = None
    listener: SocketListener | None = None
    reports: ReportWatcher | None = None
    seen_by: str | None = None  # the id of the person, while the page is visible

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reacting: set[asyncio.Task[None]] = set()  # each waits until a reaction is stored

    @property
    def person(self) -> Person:
        """The person as they are called now: a guest may take another name while the socket is open."""
        return people.of_scope(self.scope)

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

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.room is None or self.listener is None:
            return  # refused, and closing
        await self.take(self.room, text_data)

    async def take(self, room: Room, text_data: str | None) -> None:
        """Does what a frame asks for, and answers it."""
        frame: dict[str, Any] = {}
        try:
            frame = read_frame(text_data)
            purpose = purpose_of(frame)
            if purpose in READING:
                self.person.require(Scope.READ)  # a socket has asked for that, but a lone frame hasn't
            with tracing.NOTHING if purpose == "ping" else tracing.span("socket.frame", purpose=purpose):
                answer = await getattr(self, f"receive_{purpose}")(room, frame)
        except Exception as error:
            answer = self.error_frame(error, to=frame)
        if answer is not None:
            await self.tell(answer)

    async def leave(self) -> None:
        self.show_page(False)
        for task in self.reacting:
            task.cancel()  # its reaction is stored all the same
        if reports := self.reports:
            self.reports = None
            reports.close()

    async def tell(self, answer: str) -> None:
        with contextlib.suppress(OSError):  # the client went away
            await self.send(text_data=answer)

    def error_frame(self, error: Exception, to: dict[str, Any] | None = None) -> str:
        """The frame of an error in the person's language, with the ids of the frame that it answers (`to`)."""
        with in_language_of(self.scope):
            return error_frame(unforeseen(error), to)

    async def receive_message(self, room: Room, frame: dict[str, Any]) -> str | None:
        entry = await posting.post(
            room=room,
            message=frame["message"],
            person=self.person,
            client_id=frame.get("client_id"),
            reply_to=frame.get("reply_to"),
            attachments=frame.get("attachments"),
        )
        heard = None if self.listener is None else self.listener.positions[room.group]
        if entry.repeated and (heard is None or (entry.event.offset or 0) <= heard):
            # Nobody hears it again, but who sends it again has not heard that it arrived.
            return event_frame(entry.event, await self.html_of(entry.event))
        return None

    async def receive_edit(self, room: Room, frame: dict[str, Any]) -> None:
        offset = history.check_offset(frame["edit"])
        await editing.edit(room=room, offset=offset, message=frame.get("message"), person=self.person)

    async def receive_delete(self, room: Room, frame: dict[str, Any]) -> None:
        await carry_out(moderation.delete_message, room, history.check_offset(frame["delete"]), by=self.person)

    async def receive_remove_preview(self, room: Room, frame: dict[str, Any]) -> None:
        offset, url = history.check_offset(frame["remove_preview"]), read_url(frame)
        await link_previews.remove(room=room, offset=offset, url=url, person=self.person)

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
            await self.tell(self.error_frame(error, to=frame))
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
        own = await in_database(reactions.own_of_page, page.events, self.person)
        html = await Formatted.here().html_of_page(page.events) if self.wants_html else []
        return history_frame(page, own, request, html, more=more)

    async def receive_complete(self, room: Room, frame: dict[str, Any]) -> str:
        request, beginning = read_request(frame), read_beginning(frame)
        return completion_frame(await completing.complete(room, beginning, person=self.person), request)

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

    async def receive_report(self, room: Room, frame: dict[str, Any]) -> str:
        request, offset = read_request(frame), history.check_offset(frame["report"])
        await reporting.report(room=room, offset=offset, reason=frame.get("reason", ""), person=self.person)
        return reported_frame(offset, request)

    async def receive_dismiss(self, room: Room, frame: dict[str, Any]) -> None:
        await reporting.dismiss(room=room, offset=history.check_offset(frame["dismiss"]), person=self.person)

    async def receive_reports(self, room: Room, frame: dict[str, Any]) -> str:
        request = read_request(frame)
        if self.reports is not None:
            self.reports.close()
        self.reports = ReportWatcher(room, self.person, self.tell_reports)
        return reports_frame(await self.reports.start(), request)

    async def tell_reports(self, count: int) -> None:
        await self.send(text_data=reports_frame(count))

    async def receive_ignore(self, room: Room, frame: dict[str, Any]) -> str:
        request, on = read_request(frame), read_on(frame)
        return ignored_frame(await ignoring.set_ignored(frame["ignore"], on, person=self.person), request)

    async def receive_visible(self, room: Room, frame: dict[str, Any]) -> None:
        self.person.require(Scope.WRITE)  # nobody's devices are silent for a program that only reads
        self.show_page(read_visible(frame))

    def show_page(self, visible: bool) -> None:
        """Whether the person can see the page from now on. Guests have no devices that are told otherwise."""
        if visible and self.seen_by is None and not self.person.is_guest:
            self.seen_by = self.person.id
            VisiblePages.here().show(self.seen_by)
        elif not visible and self.seen_by is not None:
            VisiblePages.here().hide(self.seen_by)
            self.seen_by = None

    async def receive_me(self, room: Room, frame: dict[str, Any]) -> str:
        request = read_request(frame)
        permission = await in_database(permissions.permission, room, self.person)
        return me_frame(self.person, permission, request)

    async def receive_ping(self, room: Room, frame: dict[str, Any]) -> str:
        read_request(frame)
        return pong_frame(read_ping(frame))
