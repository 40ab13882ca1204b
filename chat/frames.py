"""Frames that go to a browser: JSON as text. `docs/protocol.md` lists them."""

import json
from collections.abc import Collection, Sequence
from itertools import zip_longest
from typing import Any

from chat.delivery.recent_renderings import RecentRenderings
from chat.delivery.rooms.own_rooms import Change
from chat.delivery.text_frames import text_frame
from chat.domain import files, links
from chat.domain.events import Event, Kind, NewRole, Quote
from chat.domain.people import Person
from chat.domain.presence import LiveState, Presence
from chat.domain.reactions import Reaction
from chat.domain.rooms import Room
from chat.errors import ChatError
from chat.storage.edits import Version
from chat.storage.own_rooms import OwnRoom
from chat.storage.pages import Page
from chat.storage.permissions import Permission

NULLABLE = {"id", "offset", "client_id"}
"""In every frame, null or not: clients look at them before they know what kind of frame it is."""


def shown(event: Event, html: str | None = None, own: Collection[str] | None = None) -> dict[str, Any]:
    """An event as browsers get it, in frames and in the page's first history, with its HTML where there is any.

    `own` has the emoji with which the person reacts for whom this is made; None if it is made for many.

    A key that would be null is left out, but for those of NULLABLE, and the `role` of a notice, which says something by
    being null.
    """
    said: dict[str, Any] = {
        "message": event.text,
        "kind": event.kind,
        "id": event.id,
        "offset": event.offset,
        "client_id": event.client_id,
        "room": event.room.name,
        "user": event.person and event.person.name,
        "user_id": event.person and event.person.id,
        "sent_at": event.sent_at and event.sent_at.isoformat(),
        "origin": event.origin and {"process": event.origin.process, "thread": event.origin.thread},
        "deleted": event.deleted or None,
        "html": html,
    }
    if event.edited_at:
        said["edited_at"] = event.edited_at.isoformat()
    if event.reply_to:
        said["reply_to"] = _quoted(event.reply_to)
    if event.mentions:
        said["mentions"] = [person.id for person in event.mentions]
    if event.attachments:
        said["attachments"] = [files.shown(attachment, event.room) for attachment in event.attachments]
    if event.reactions or event.kind is Kind.REACTION:
        said["reactions"] = [_reaction(reaction, own) for reaction in event.reactions]
    if event.links or event.kind is Kind.LINKS:
        said["links"] = [links.shown(link) for link in event.links]
    if event.kind in {Kind.DELETION, Kind.EDIT, Kind.REACTION, Kind.LINKS}:
        said["target"] = event.target
    if event.kind is Kind.NOTICE:
        said |= {"subject": event.subject, "access": event.change}
    frame: dict[str, Any] = {key: value for key, value in said.items() if value is not None or key in NULLABLE}
    if event.kind is Kind.NOTICE and event.role is not None:
        frame["role"] = None if event.role is NewRole.NONE else event.role
    return frame


def _quoted(quote: Quote) -> dict[str, Any]:
    """The name and the text are null where the message is deleted, or no longer kept."""
    user, user_id = (quote.person.name, quote.person.id) if quote.person else (None, None)
    return {"offset": quote.offset, "user": user, "user_id": user_id, "message": quote.message or None}


def _reaction(reaction: Reaction, own: Collection[str] | None = None) -> dict[str, Any]:
    ids, names = [person.id for person in reaction.people], [person.name for person in reaction.people]
    said = {"emoji": reaction.emoji, "count": reaction.count, "people": ids, "names": names}
    return said if own is None else said | {"own": reaction.emoji in own}


def event_frame(event: Event, html: str | None = None) -> str:
    return _encode(shown(event, html))


_ready_frames: RecentRenderings[bytes] = RecentRenderings()
_ready_frames_with_html: RecentRenderings[bytes] = RecentRenderings()


def ready_frame(event: Event | LiveState, html: str | None = None) -> bytes:
    """The frame of an event or a live state as WebSocket has it, made once for all that are told it.

    And once for all that are told its HTML, too.
    """
    kept = _ready_frames if html is None else _ready_frames_with_html
    frame = kept.get(event)
    if frame is None:
        text = event_frame(event, html) if isinstance(event, Event) else state_frame(event)
        frame = text_frame(text.encode())
        kept.keep(event, frame)
    return frame


def state_frame(state: LiveState) -> str:
    """A live state. Only clients that ask for its kind get it, so it needs no `message`."""
    people = [{"id": person.id, "name": person.name} for person in state.people]
    if isinstance(state, Presence):
        return _encode({"kind": state.kind, "count": state.count, "people": people, "complete": state.complete})
    return _encode({"kind": state.kind, "people": people})


# Answers. Only clients that ask get them, so they need no `message`.


def reacted_frame(target: int, entry: Event | None, request: dict[str, str]) -> str:
    """Says that a reaction is stored, and which ones the message has by then: those of `entry`."""
    reactions = [_reaction(reaction) for reaction in entry.reactions] if entry else []
    return _encode({"kind": "reacted", "target": target, "reactions": reactions, **request})


def history_frame(
    page: Page, own: Sequence[Collection[str]], request: dict[str, str], html: Sequence[str | None] = (), *, more: bool
) -> str:
    """`own` has the emoji with which the person reacts to each event. `html` has that of each event, or of none.

    `more` is whether there is more in the direction of the question.
    """
    messages = [shown(event, its_html, emoji) for event, its_html, emoji in zip_longest(page.events, html, own)]
    return _encode({"kind": "history", "messages": messages, "more": more, **request})


def completion_frame(people: Sequence[Person], request: dict[str, str]) -> str:
    """People who may be called. They have a `username` where that isn't the name that is shown."""
    shown = [{"id": one.id, "name": one.name} | ({"username": one.handle} if one.handle else {}) for one in people]
    return _encode({"kind": "completion", "people": shown, **request})


def versions_frame(versions: Sequence[Version], request: dict[str, str]) -> str:
    """The texts of a message, the first one first, each with the time from which on it had it."""
    texts = [{"message": one.text, "since": one.since and one.since.isoformat()} for one in versions]
    return _encode({"kind": "versions", "versions": texts, **request})


def rooms_frame(changes: Sequence[Change], complete: bool, ignored: Sequence[Person] | None = None) -> str:
    """One's own rooms that have changed; or all that are followed, if `complete`. And whom one ignores, if given."""
    frame: dict[str, Any] = {"kind": "rooms", "complete": complete, "rooms": [shown_room(*one) for one in changes]}
    if ignored is not None:
        frame["ignored"] = _people(ignored)
    return _encode(frame)


def ignored_frame(ignored: Sequence[Person], request: dict[str, str]) -> str:
    """The people whom the person at the other end ignores, the last one first."""
    return _encode({"kind": "ignored", "people": _people(ignored), **request})


def reported_frame(target: int, request: dict[str, str]) -> str:
    """Says that a report of the message at `target` is stored."""
    return _encode({"kind": "reported", "target": target, **request})


def reports_frame(count: int, request: dict[str, str] | None = None) -> str:
    """How many messages are reported in the room: to its moderators alone."""
    return _encode({"kind": "reports", "open": count, **(request or {})})


def _people(people: Sequence[Person]) -> list[dict[str, str]]:
    return [{"id": person.id, "name": person.name} for person in people]


def shown_room(room: Room, own: OwnRoom | None) -> dict[str, Any]:
    """One of a person's rooms, in frames and in the page; without an `involvement` if it is none of theirs any more."""
    if own is None:
        return {"name": room.name, "unread": 0, "mentions_unread": 0, "read": None, "involvement": None}
    shown: dict[str, Any] = {
        "name": room.name,
        "unread": own.unread,
        "mentions_unread": own.mentions_unread,
        "read": own.read_offset,
        "last_offset": own.last_offset,
        "involvement": own.involvement,
    }
    if room.is_direct:
        others = [{"id": person.id, "name": person.name} for person in own.others]
        shown |= {"display_name": own.display_name, "people": others}
    return shown


def me_frame(person: Person, permission: Permission, request: dict[str, str]) -> str:
    """The person at the other end, their role here, and how posting is limited for those who are no moderators."""
    who = {"id": person.id, "name": person.name, "is_guest": person.is_guest}
    limits = {"read_only": permission.read_only, "slow_mode": permission.slow_mode}
    return _encode({"kind": "me", **who, "role": permission.role, **limits, **request})


def pong_frame(ping: int) -> str:
    return _encode({"pong": ping})


def error_frame(error: ChatError, to: dict[str, Any] | None = None) -> str:
    """An error, with the ids of the frame that it answers (`to`).

    `message` is there for clients that know nothing else: they show it.
    """
    frame = {"message": str(error), "kind": "error", "error": {**error.details, "message": str(error)}}
    ids = {key: to[key] for key in ("client_id", "request") if isinstance(to.get(key), str)} if to else {}
    # In ASCII: an id may hold half a character, and may be what the error is about. No frame can hold that unescaped.
    return json.dumps(frame | ids)


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
