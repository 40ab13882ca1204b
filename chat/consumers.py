"""The browser's socket: JSON text frames in, JSON text frames out. `docs/protocol.md` has both."""

import asyncio
import contextlib
import json
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from chat import messages, people, rooms
from chat.broker import Hub, Listener
from chat.errors import ChatError, LoginRequired, SlowListener
from chat.events import Event
from chat.rooms import Room

BAD_REQUEST = 4400
LOGIN_REQUIRED = 4401
SLOW_LISTENER = 4008


class InvalidFrame(ChatError):
    """What came through the socket is not `{"message": "…"}`."""

    code = "invalid_frame"


class ChatConsumer(AsyncWebsocketConsumer):
    """One browser in one room."""

    channel_layer_alias = None  # the hub has the one channel of this process: a socket needs none of its own
    room: Room | None = None
    listener: Listener | None = None
    writing: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Not in disconnect(): a server that stops, or loses patience, cancels this call and disconnects nobody.
            await self.leave()

    async def connect(self) -> None:
        self.person = people.of_scope(self.scope)
        try:
            self.room = rooms.enter(self.scope["url_route"]["kwargs"]["room_name"], self.person)
        except ChatError as error:
            await self.accept()  # a browser can't read why it was refused, but it can read a frame
            await self.refuse(error, LOGIN_REQUIRED if isinstance(error, LoginRequired) else BAD_REQUEST)
            return
        self.listener = Listener([self.room])
        await Hub.here().join(self.listener)
        await self.accept()
        self.writing = asyncio.create_task(self.write(self.listener))

    async def leave(self) -> None:
        if self.writing:
            self.writing.cancel()
            await asyncio.wait([self.writing])
        if self.listener:
            await Hub.here().leave(self.listener)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.room is None:
            return  # refused, and closing
        try:
            await messages.post(room=self.room, message=read_frame(text_data), person=self.person)
        except ChatError as error:
            await self.send(text_data=error_frame(error))

    async def write(self, listener: Listener) -> None:
        """Sends on what `listener` hears, until the socket closes."""
        try:
            async for event in listener:
                await self.send(text_data=event_frame(event))
        except SlowListener as error:
            await self.refuse(error, SLOW_LISTENER)
        except OSError:
            pass  # the browser went away, which disconnect() is about to learn

    async def refuse(self, error: ChatError, code: int) -> None:
        with contextlib.suppress(OSError):
            await self.send(text_data=error_frame(error))
            await self.close(code=code, reason=error.code)


def read_frame(text: str | None) -> object:
    """What a frame holds as its message. Raises InvalidFrame."""
    if text is None:
        raise InvalidFrame("Binary frames aren't understood here: send JSON as text.")
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidFrame("The frame is not JSON.") from None
    if not isinstance(frame, dict):
        raise InvalidFrame("The frame has to be a JSON object.")
    if "message" not in frame:
        raise InvalidFrame("The frame has no “message”.")
    return frame["message"]


def event_frame(event: Event) -> str:
    return _encode(
        {
            "message": event.text,
            "kind": event.kind,
            "id": event.id,
            "room": event.room.name,
            "user": event.person and event.person.name,
            "user_id": event.person and event.person.id,
            "sent_at": event.sent_at and event.sent_at.isoformat(),
            "origin": event.origin and {"process": event.origin.process, "thread": event.origin.thread},
        }
    )


def error_frame(error: ChatError) -> str:
    """`message` is there for clients that know nothing else: they show it."""
    return _encode({"message": str(error), "kind": "error", "error": {"code": error.code, "message": str(error)}})


def _encode(frame: dict[str, Any]) -> str:
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
