"""The shape of `chat.message`, the one kind of event that travels through a room's group.

{"type": "chat.message", "room_id": "<group>", "message": "<text>",              every sender gives these;
 "id": "<id>", "offset": 42, "client_id": "<the poster's own>", "kind": "message", the rest is ours: a foreign sender
 "user": "<name>", "user_id": "<id>", "sent_at": "<ISO 8601>",                    or an older instance may leave out
 "origin": {"process": 4711, "thread": "MainThread"},                             any of it
 "target": 41, "deleted": false, "subject": "<id>", "access": "removed", "role": "none",
 "previous": "<id>"}

Three kinds are stored. A `message` is what somebody said. A `deletion` names by `target` the message whose text is
gone; its own `message` is a sentence for those who know no kinds. A `notice` tells of a change to who may be there:
`access` is the change, `subject` the id of the person it is about, if it is about one, and `role` what that person is
from then on.

An event with an offset is stored: an entry of the room's log. One without is passed on live, and gone. An entry names
by `previous` the one before it, so a listener at that one knows that nothing is missing in between.
"""

import os
import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.utils import timezone

from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.rooms import Room

TYPE = "chat.message"


class Kind(StrEnum):
    MESSAGE = "message"
    DELETION = "deletion"
    NOTICE = "notice"
    GREETING = "greeting"
    START_OVER = "start_over"  # never in a group: tells listeners that what they missed can't be brought any more


STORED_KINDS = frozenset({Kind.MESSAGE, Kind.DELETION, Kind.NOTICE})


class Change(StrEnum):
    """The change that a notice tells of."""

    ADDED = "added"
    CHANGED = "changed"  # another role, or none any more in a room that is open to everybody
    REMOVED = "removed"  # from a private room: the subject hears nothing after this
    BANNED = "banned"  # the subject hears nothing after this
    UNBANNED = "unbanned"
    CLOSED = "closed"  # to all but members, who alone hear what comes after this
    OPENED = "opened"


class NewRole(StrEnum):
    """The role that the subject of a notice has from then on; as chat.models.Role, and one for who has none."""

    NONE = "none"
    MEMBER = "member"
    MODERATOR = "moderator"
    OWNER = "owner"


class MalformedEvent(ValueError):
    """A message from the group that is not a `chat.message`."""


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
    """Something said in a room, or done there. What its sender didn't say of itself is None.

    `known` is false for an entry of a kind, or of a change, that only a newer release knows. Its offset counts, and
    that is all: nobody is shown it.
    """

    room: Room
    message: str
    kind: Kind = Kind.MESSAGE
    id: str | None = None
    offset: int | None = None
    client_id: str | None = None
    person: Person | None = None
    sent_at: datetime | None = None
    origin: Origin | None = None
    target: int | None = None
    deleted: bool = False
    subject: str | None = None
    change: Change | None = None
    role: NewRole | None = None
    """Of a notice with a subject. None, too, where an instance of an older version wrote it."""
    known: bool = True
    previous: str | None = field(default=None, compare=False)  # the id of the entry before it, where that was looked up

    @property
    def position(self) -> Position | None:
        """The position of a listener that has heard this entry; None for what is not stored."""
        return None if self.offset is None else Position(self.offset, self.id)

    def follows(self, position: Position) -> bool:
        """Whether this is the entry right after `position`, with nothing in between, in the same log."""
        return self.offset == position.offset + 1 and self.previous == position.id

    @property
    def text(self) -> str:
        """The message as people get to see it; with CHAT_SHOW_ORIGIN, where it comes from stands before it."""
        if settings.CHAT_SHOW_ORIGIN and self.origin and not self.deleted:
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


def start_over(room: Room, position: Position) -> Event:
    """Tells listeners of `room` that what they hear from here on follows `position`, and not what they heard before.

    Its offset and id are those of the position.
    """
    text = "Some messages are missing here. Please start over from the history."
    return Event(room=room, message=text, kind=Kind.START_OVER, offset=position.offset, id=position.id)


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
        "target": event.target,
        "deleted": event.deleted,
        "subject": event.subject,
        "access": event.change and str(event.change),
        "role": event.role and str(event.role),
        "previous": event.previous,
    }


def parse(raw: dict[str, Any], room: Room) -> Event:
    """The event that the channel layer brought for `room`. What is missing or not understood is left out.

    Raises MalformedEvent if there is no text to show.
    """
    message = raw.get("message")
    if not isinstance(message, str):
        raise MalformedEvent(f"`message` is {type(message).__name__}, not a text")
    offset = _offset(raw.get("offset"))
    return Event(
        room=room,
        message=message,
        kind=_kind(raw),
        id=_text(raw.get("id")) if offset is None else _entry_id(raw.get("id")),
        offset=offset,
        client_id=_text(raw.get("client_id")),
        person=_person(raw.get("user"), raw.get("user_id")),
        sent_at=_time(raw.get("sent_at")),
        origin=_origin(raw.get("origin")),
        target=_offset(raw.get("target")),
        deleted=raw.get("deleted") is True,
        subject=_text(raw.get("subject")),
        change=_change(raw.get("access")),
        role=_role(raw.get("role")),
        known=offset is None or is_known(raw.get("kind"), raw.get("access")),
        previous=_text(raw.get("previous")),
    )


def is_known(kind: object, change: object) -> bool:
    """Whether an entry of the log is one that this release knows, by what is stored or sent of it."""
    return (kind is None or kind in [*STORED_KINDS]) and (not change or change in [*Change])


def _kind(raw: dict[str, Any]) -> Kind:
    """Deletions and notices are entries of the log: without an offset, and a target, they are but texts."""
    match raw:
        case {"kind": Kind.GREETING}:
            return Kind.GREETING
        case {"kind": Kind.DELETION, "offset": int(), "target": int()}:
            return Kind.DELETION
        case {"kind": Kind.NOTICE, "offset": int()}:
            return Kind.NOTICE
    return Kind.MESSAGE


def _change(value: object) -> Change | None:
    return Change(value) if isinstance(value, str) and value in set(Change) else None


def _role(value: object) -> NewRole | None:
    return NewRole(value) if isinstance(value, str) and value in set(NewRole) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _entry_id(value: object) -> str | None:
    """The id of an entry. The release before sent the row's number, which a database that was set back gives again."""
    return value if isinstance(value, str) and not value.isdecimal() else None


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
