"""The request that brings a push to its push service: encrypted for the browser (RFC 8291), signed by the site (8292).

The push service can't read its content. It learns the endpoint, the size, how urgent it is, and a topic that says
nothing of the room.
"""

import base64
import hashlib
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from py_vapid import Vapid02
from pywebpush import WebPusher

from chat.domain.alerts import Alert, Reason
from chat.storage.push_subscriptions import Subscription

TTL = 24 * 3600  # seconds for which a push service keeps what it can't deliver yet
TOKEN_LASTS = 12 * 3600  # seconds; push services take 24 hours at most
TOKEN_RENEWED = 3600  # seconds before its end
TOPIC_LENGTH = 32  # characters, at most (RFC 8030, 5.4)
ORIGINS_MAX = 1000  # whose tokens are kept


@dataclass(frozen=True, slots=True)
class Envelope:
    body: bytes
    headers: dict[str, str]


class Envelopes:
    """Makes envelopes with the site's key, whose signature it keeps for each push service."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        self._vapid = Vapid02(private_key, conf={"no-strict": True})
        self._tokens: dict[str, tuple[str, float]] = {}  # by origin, each with its end

    def make(self, subscription: Subscription, alert: Alert, payload: bytes) -> Envelope:
        """Takes about a millisecond; in a thread, where many are made. Raises ValueError if the keys are no keys."""
        keys = {"p256dh": subscription.keys.p256dh, "auth": subscription.keys.auth}
        encoded = WebPusher({"endpoint": subscription.endpoint, "keys": keys}).encode(payload, "aes128gcm")
        headers = {
            "Authorization": self._authorization(origin_of(subscription.endpoint)),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(TTL),
            "Topic": topic(subscription, alert),
            "Urgency": "normal" if alert.reason is Reason.EVERY else "high",
        }
        return Envelope(bytes(encoded["body"]), headers)

    def _authorization(self, origin: str) -> str:
        now = time.time()
        token, end = self._tokens.get(origin, ("", 0.0))
        if end - TOKEN_RENEWED < now:
            end = now + TOKEN_LASTS
            claims = {"aud": origin, "sub": settings.CHAT_PUSH_CONTACT, "exp": int(end)}
            token = self._vapid.sign(claims)["Authorization"]
            if len(self._tokens) >= ORIGINS_MAX:
                self._tokens.clear()
            self._tokens[origin] = token, end
        return token


def topic(subscription: Subscription, alert: Alert) -> str:
    """The same for all pushes of a room to a device, of which the push service keeps the last one only."""
    digest = hashlib.sha256(f"{subscription.keys.auth}\n{alert.room.name}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:TOPIC_LENGTH]


def origin_of(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}"
