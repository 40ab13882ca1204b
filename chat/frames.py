"""What travels through the browser's socket: JSON as text. `docs/protocol.md` has it all."""

import asyncio
import json
from typing import Any

from chat.actions.rate_limits import check_frame
from chat.domain.events import Event, Kind
from chat.errors import ChatError
from chat.storage.history import Page


class InvalidFrame(ChatError):
    """What came through the socket is not `{"message": "…"}`."""

    code = "invalid_frame"


def read_frame(text: str | None) -> dict[str, Any]:
    """A frame with a `message`, or one that asks to delete one, or for history. Raises InvalidFrame or FrameTooLong."""
    if text is None:
        raise InvalidFrame("Binary frames aren't understood here: send JSON as text.")
    check_frame(text)
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidFrame("The frame is not JSON.") from None
    if not isinstance(frame, dict):
        raise InvalidFrame("The frame has to be a JSON object.")
    if not frame.keys() & {"message", "delete", "before"}:
        raise InvalidFrame("The frame has no “message”.")
    return frame


def shown(event: Event) -> dict[str, Any]:
    """An event as browsers get it, in frames and in the page's first history."""
    frame = {
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
    }
    if event.deleted:
        frame["deleted"] = True
    if event.kind is Kind.DELETION:
        frame["target"] = event.target
    if event.kind is Kind.NOTICE:
        frame |= {"subject": event.subject, "access": event.change}
    return frame


def event_frame(event: Event) -> str:
    return _encode(shown(event))


KEPT = 1.0  # seconds that a frame is kept: what is deleted is not to stay where nobody hears of it any more
_last: tuple[Event | None, dict[str, str]] = (None, {})


def event_message(event: Event) -> dict[str, str]:
    """The ASGI message that sends an event's frame, made once for all who hear the event one after the other."""
    global _last
    if _last[0] is not event:
        _last = (event, {"type": "websocket.send", "text": event_frame(event)})
        asyncio.get_running_loop().call_later(KEPT, _forget, event)
    return _last[1]


def _forget(event: Event) -> None:
    global _last
    if _last[0] is event:
        _last = (None, {})


def history_frame(page: Page) -> str:
    """Only for clients that ask for it, so it needs no `message`."""
    return _encode({"kind": "history", "messages": [shown(event) for event in page.events], "more": page.has_earlier})


def error_frame(error: ChatError, client_id: object = None) -> str:
    """`message` is there for clients that know nothing else: they show it."""
    frame = {"message": str(error), "kind": "error", "error": {**error.details, "message": str(error)}}
    # In ASCII: the id may hold half a character, and may be what the error is about. No frame can hold that unescaped.
    return json.dumps(frame | ({"client_id": client_id} if isinstance(client_id, str) else {}))


def _encode(frame: dict[str, Any]) -> str:
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
