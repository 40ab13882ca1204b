"""The payload of a push: JSON for the service worker, in the language of the device, and as short as it has to be."""

import json
from typing import Any

from django.conf import settings
from django.utils import translation

from chat.domain.alerts import Alert
from chat.models import Detail

PAYLOAD_MAX = 3000  # bytes; push services take 4096 with the encryption, some proxies of theirs less
TITLE_MAX = 100  # characters
BODY_MAX = 400


def payload(alert: Alert, *, detail: Detail, language: str) -> bytes:
    """The notification: `title`, `body`, `tag`, `url`, `count`, `sent_at` (milliseconds), as `detail` allows."""
    with translation.override(language or settings.LANGUAGE_CODE):
        body = alert.summary(with_text=detail is Detail.TEXT)
    made = _encoded(alert, body[:BODY_MAX])
    while len(made) > PAYLOAD_MAX and body:
        body = body[: len(body) // 2]
        made = _encoded(alert, body)
    return made


def smallest_payload(alert: Alert, *, language: str) -> bytes:
    """For a push service that finds the payload too large: names only."""
    return payload(alert, detail=Detail.NAMES, language=language)


def _encoded(alert: Alert, body: str) -> bytes:
    shown: dict[str, Any] = {
        "title": alert.title[:TITLE_MAX],
        "body": body,
        "tag": alert.room.name,
        "url": alert.path,
        "count": alert.count,
        "sent_at": int(alert.sent_at.timestamp() * 1000),
    }
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()
