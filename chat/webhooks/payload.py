"""The bodies of deliveries: JSON with the type of the event, its time, and the frame that browsers get of it."""

import json
from datetime import datetime
from typing import Any

from django.conf import settings

from chat import frames
from chat.domain.events import Event
from chat.domain.webhooks import TEST_TYPE, TYPES

TEST_TEXT = "This is a test."


def payload(event: Event, *, now: datetime) -> str:
    """The body that tells a webhook of an event."""
    data = frames.shown(event)
    for attachment in data.get("attachments", ()):
        _make_absolute(attachment)
    for link in data.get("links", ()):
        _make_absolute(link.get("picture"))
    return encode(TYPES[event.kind], event.sent_at or now, data)


def test_payload(*, now: datetime) -> str:
    return encode(TEST_TYPE, now, {"message": TEST_TEXT})


def encode(type: str, timestamp: datetime, data: dict[str, Any]) -> str:
    said = {"type": type, "timestamp": timestamp.isoformat(), "data": data}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _make_absolute(shown: dict[str, Any] | None) -> None:
    """Paths on this site become whole addresses, where the site knows its own."""
    if not shown:
        return
    if str(shown.get("url", "")).startswith("/"):
        shown["url"] = settings.CHAT_SITE_URL + shown["url"]
    _make_absolute(shown.get("preview"))
