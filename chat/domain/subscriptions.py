"""Subscriptions to notifications as browsers send them: an endpoint, and keys to encrypt for it."""

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from django.utils.translation import gettext_lazy as _

from chat.errors import ChatError

NOT_UNDERSTOOD = _("The subscription can’t be understood.")
ENDPOINT_MAX = 1000  # characters
AUTH_BYTES = 16  # RFC 8291, 3.2
BASE64 = re.compile(r"[A-Za-z0-9_-]{1,100}={0,2}", re.ASCII)
# Signs in a browser's User-Agent, and the names that people know. Each browser has the signs of later ones as well.
BROWSERS = {
    "Edg/": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser/": "Samsung Internet",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
    "Macintosh": "macOS",
    "Linux": "Linux",
}


class InvalidSubscription(ChatError):
    """A subscription to notifications whose address or keys can't be understood."""

    code = "invalid_subscription"


@dataclass(frozen=True, slots=True)
class BrowserKeys:
    """The public key of a browser and the secret that it shares with this site, in URL-safe base64 (RFC 8291)."""

    p256dh: str
    auth: str


def clean_endpoint(endpoint: object, *, insecure: bool = False) -> str:
    """The address of a push service: HTTPS, without credentials. Raises InvalidSubscription.

    Where it leads is looked at when something is sent. `insecure` allows plain HTTP, for tests.
    """
    if not isinstance(endpoint, str) or len(endpoint) > ENDPOINT_MAX or not endpoint.isascii():
        raise InvalidSubscription(_("The address of the push service can’t be understood."))
    try:
        parts = urlsplit(endpoint)
        _port = parts.port
    except ValueError:
        raise InvalidSubscription(_("The address of the push service can’t be understood.")) from None
    schemes = {"https", "http"} if insecure else {"https"}
    printable = endpoint.isprintable() and " " not in endpoint
    if parts.scheme not in schemes or not parts.hostname or parts.username is not None or not printable:
        raise InvalidSubscription(_("The address of the push service can’t be understood."))
    return endpoint


def clean_keys(p256dh: object, auth: object) -> BrowserKeys:
    """Keys that can be encrypted for. Raises InvalidSubscription."""
    point, secret = _decoded(p256dh), _decoded(auth)
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise InvalidSubscription(_("The browser’s keys can’t be understood.")) from None
    if len(secret) != AUTH_BYTES:
        raise InvalidSubscription(_("The browser’s keys can’t be understood."))
    return BrowserKeys(as_base64(point), as_base64(secret))


def label_of(user_agent: str) -> str:
    """The name that a person knows a device by: "Firefox – Android"; "" where nothing can be made out."""
    browser = next((name for sign, name in BROWSERS.items() if sign in user_agent), "")
    system = next((name for sign, name in SYSTEMS.items() if sign in user_agent), "")
    return " – ".join(part for part in (browser, system) if part)


def _decoded(text: object) -> bytes:
    if isinstance(text, str) and BASE64.fullmatch(text):
        try:
            return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except binascii.Error:
            pass
    raise InvalidSubscription(_("The browser’s keys can’t be understood."))


def as_base64(value: bytes) -> str:
    """As browsers have keys: base64 for URLs, without its padding."""
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
