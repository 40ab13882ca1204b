"""Keys of webhooks, and what they sign: the Standard Webhooks specification."""

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook as Signer

PREFIX = "whsec_"
KEY_BYTES = 24  # the specification asks for 24 to 64


def make() -> str:
    """A key as the specification writes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def signed(message_id: str, body: str, *, keys: Sequence[str], at: datetime) -> dict[str, str]:
    """The headers of a delivery. Each key signs: receivers may know a former one."""
    at = at.astimezone(UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Signer(key).sign(message_id, at, body) for key in keys),
    }
