"""The shape of `chat.message`, the one kind of event that travels through a room's group.

{"type": "chat.message", "room_id": "<group>", "message": "<text>",              every sender gives these;
 "id": "<id>", "offset": 42, "client_id": "<the poster's own>", "kind": "message", the rest is ours: a foreign sender
 "user": "<name>", "user_id": "<id>", "sent_at": "<ISO 8601>",                    or an older instance may leave out
 "origin": {"process": 4711, "thread": "MainThread"}}                             any of it

An event with an offset is stored: an entry of the room's log. One without is passed on live, and gone.
"""

import os
import threading
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.utils import timezone

from chat.people import Person
from chat.rooms import Room

TYPE = "chat.message"


class Kind(StrEnum):
    MESSAGE = "message"
    GREETING = "greeting"
    START_OVER = "start_over"  # never in a group: tells one listener that what it missed can't be brought any more


class MalformedEvent(ValueError):
    """What came through the group is no `chat.message`."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message entered the site."""

    process: int
    thread: str

    @classmethod
    def here(cls) -> "Origin":
        return cls(process=os.getpid(), thread=threading.current_thread().name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something said in a room. What its sender didn't say of itself is None."""

    room: Room
    message: str
    kind: Kind = Kind.MESSAGE
    id: str | None = None
    offset: int | None = None
    client_id: str | None = None
    person: Person | None = None
    sent_at: datetime | None = None
    origin: Origin | None = None

    @property
    def text(self) -> str:
        """The message as people get to see it; with CHAT_SHOW_ORIGIN, where it comes from stands before it."""
        if settings.CHAT_SHOW_ORIGIN and self.origin:
            return f"process: {self.origin.process} thread: {self.origin.thread} -> {self.message}"
        return self.message


def build(*, room: Room, message: str, person: Person | None, kind: Kind = Kind.MESSAGE) -> Event:
    """An event that is not stored, said here and now by `person`, or by nobody in particular."""
    return Event(
        room=room,
        message=message,
        kind=kind,
        id=str(uuid.uuid4()),
        person=person,
        sent_at=timezone.now(),
        origin=Origin.here(),
    )


def start_over(room: Room, position: int) -> Event:
    """Tells a listener of `room` that what it hears from here on follows `position`, and not what it heard before."""
    text = "Some messages are missing here. Please start over from the history."
    return Event(room=room, message=text, kind=Kind.START_OVER, offset=position)


def to_group(event: Event) -> dict[str, Any]:
    """The event as the channel layer carries it."""
    return {
        "type": TYPE,
        "room_id": event.room.group,
        "message": event.message,
        "id": event.id,
        "offset": event.offset,
        "client_id": event.client_id,
        "kind": str(event.kind),
        "user": event.person and event.person.name,
        "user_id": event.person and event.person.id,
        "sent_at": event.sent_at and event.sent_at.isoformat(),
        "origin": event.origin and {"process": event.origin.process, "thread": event.origin.thread},
    }


def parse(raw: dict[str, Any], room: Room) -> Event:
    """The event that the channel layer brought for `room`. What is missing or not understood is left out.

    Raises MalformedEvent if there is no text to show.
    """
    message = raw.get("message")
    if not isinstance(message, str):
        raise MalformedEvent(f"`message` is {type(message).__name__}, not a text")
    return Event(
        room=room,
        message=message,
        kind=Kind.GREETING if raw.get("kind") == Kind.GREETING else Kind.MESSAGE,
        id=_text(raw.get("id")),
        offset=_offset(raw.get("offset")),
        client_id=_text(raw.get("client_id")),
        person=_person(raw.get("user"), raw.get("user_id")),
        sent_at=_time(raw.get("sent_at")),
        origin=_origin(raw.get("origin")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _offset(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None


def _person(name: object, id: object) -> Person | None:
    if not isinstance(name, str):
        return None
    return Person(id=_text(id) or f"other-{name}", name=name)


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(value)  # type: ignore[arg-type]  # what is no text is a TypeError
    except (TypeError, ValueError):
        return None
    return time if time.tzinfo else None


def _origin(value: object) -> Origin | None:
    match value:
        case {"process": int(process), "thread": str(thread)}:
            return Origin(process=process, thread=thread)
    return None
