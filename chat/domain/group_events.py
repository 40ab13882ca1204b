"""`chat.message`, the one type of event that travels through a room's group, and how it is written there.

{"type": "chat.message", "room_id": "<group>", "message": "<text>",              every sender gives these;
 "id": "<id>", "offset": 42, "client_id": "<the poster's own>", "kind": "message", the rest is ours: a foreign sender
 "user": "<name>", "user_id": "<id>", "sent_at": "<ISO 8601>",                    or an older instance may leave out
 "origin": {"process": 4711, "thread": "MainThread"},                             any of it
 "target": 41, "deleted": false, "subject": "<id>", "access": "removed", "role": "none",
 "previous": "<id>",
 "edited_at": "<ISO 8601>", "username": "<the user's>",                           left out where there is nothing
 "mentions": [{"id": "<id>", "name": "<name>", "username": "<the user's>"}],
 "reply_to": {"offset": 40, "user": "<name>", "user_id": "<id>", "message": "<text>"},
 "reactions": [{"emoji": "👍", "count": 1, "people": [{"id": "<id>", "name": "<name>"}]}],
 "attachments": [{"id": "<id>", "name": "<name>", "type": "image/png", "size": 68, "width": 1, "height": 1}]}

`access` is the event's change. chat.domain.events says what the others mean. Of files without a text, `message` has the
names, for those who know no attachments. With a collector of traces, `chat.delivery.publisher` adds `traceparent`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chat.domain.events import Change, Event, Kind, NewRole, Origin, Quote, is_known
from chat.domain.files import Attachment, names_of
from chat.domain.logs import MalformedEvent
from chat.domain.people import Person
from chat.domain.reactions import Reaction
from chat.domain.rooms import Room

TYPE = "chat.message"


def to_group(event: Event) -> dict[str, Any]:
    """The event as the channel layer carries it."""
    return {
        "type": TYPE,
        "room_id": event.room.group,
        "message": event.message or names_of(event.attachments),
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
    } | {key: value for key, value in _extras(event).items() if value}


def _extras(event: Event) -> dict[str, Any]:
    """The keys that few events have."""
    return {
        "edited_at": event.edited_at and event.edited_at.isoformat(),
        "mentions": [person.as_json() for person in event.mentions],
        "reply_to": event.reply_to and _quote_to_group(event.reply_to),
        "reactions": [reaction.as_json() for reaction in event.reactions],
        "username": event.person and event.person.username,
        "attachments": [attachment.as_json() for attachment in event.attachments],
    }


def _quote_to_group(quote: Quote) -> dict[str, Any]:
    return {
        "offset": quote.offset,
        "user": quote.person and quote.person.name,
        "user_id": quote.person and quote.person.id,
        "message": quote.message,
    }


def parse(raw: Mapping[str, Any], room: Room) -> Event:
    """The event that the channel layer brought for `room`. Keys that are missing or not understood are left out.

    Raises MalformedEvent if there is no text to show.
    """
    message = raw.get("message")
    if not isinstance(message, str):
        raise MalformedEvent(f"`message` is {type(message).__name__}, not a text")
    offset = _offset(raw.get("offset"))
    attachments = Attachment.all_from_json(raw.get("attachments"))
    return Event(
        room=room,
        message="" if attachments and message == names_of(attachments) else message,
        kind=_kind(raw),
        id=_text(raw.get("id")) if offset is None else _entry_id(raw.get("id")),
        offset=offset,
        client_id=_text(raw.get("client_id")),
        person=_person(raw.get("user"), raw.get("user_id"), raw.get("username")),
        sent_at=_time(raw.get("sent_at")),
        origin=_origin(raw.get("origin")),
        target=_offset(raw.get("target")),
        deleted=raw.get("deleted") is True,
        subject=_text(raw.get("subject")),
        change=_change(raw.get("access")),
        role=_role(raw.get("role")),
        known=offset is None or is_known(raw.get("kind"), raw.get("access")),
        previous=_text(raw.get("previous")),
        edited_at=_time(raw.get("edited_at")),
        mentions=Person.all_from_json(raw.get("mentions")),
        reply_to=_quote(raw.get("reply_to")),
        reactions=Reaction.all_from_json(raw.get("reactions")),
        attachments=attachments,
    )


def _kind(raw: Mapping[str, Any]) -> Kind:
    """An event that tells of a change is an entry of the log: without an offset, or its target, it is but a text."""
    match raw:
        case {"kind": Kind.GREETING}:
            return Kind.GREETING
        case {"kind": Kind.DELETION | Kind.EDIT | Kind.REACTION as kind, "offset": int(), "target": int()}:
            return Kind(kind)
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


def _person(name: object, id: object, username: object = None) -> Person | None:
    if not isinstance(name, str):
        return None
    return Person(id=_text(id) or f"other-{name}", name=name, username=_text(username))


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(value)  # type: ignore[arg-type]  # what is no text is a TypeError
    except (TypeError, ValueError):
        return None
    return time if time.tzinfo else None


def _quote(value: object) -> Quote | None:
    match value:
        case {"offset": int(offset), "message": str(message), "user": user, "user_id": user_id}:
            return Quote(offset, _person(user, user_id), message)
    return None


def _origin(value: object) -> Origin | None:
    match value:
        case {"process": int(process), "thread": str(thread)}:
            return Origin(process=process, thread=thread)
    return None
