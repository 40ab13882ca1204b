"""Claims: a provider's words about a person who logs in there, by OpenID Connect."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chat.domain.texts import is_storable

SUBJECT_MAX = 255  # characters, by OpenID Connect
USERNAME_MAX = 140  # characters; a number may be added to it
FALLBACK = "user"
NOT_IN_USERNAMES = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True, slots=True)
class Claims:
    """A person at the provider: `subject` tells them apart there for ever, at that `issuer`. The rest may change.

    `email` is empty where the provider hasn't verified it. Other texts are empty where it says nothing.
    """

    issuer: str
    subject: str
    username: str = ""
    name: str = ""
    email: str = ""
    groups: frozenset[str] = frozenset()

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Claims":
        """By a checked ID token. Raises ValueError where its subject is none."""
        subject = told["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_MAX or not is_storable(subject):
            raise ValueError("The subject is no text of 1 to 255 characters.")
        verified = told.get("email_verified")
        is_verified = verified is True or verified == "true"
        return cls(
            issuer=told["iss"],
            subject=subject,
            username=_text(told.get("preferred_username")) or _text(told.get("email")),
            name=_text(told.get("name")),
            email=_text(told.get("email")) if is_verified else "",
            groups=frozenset(_texts(told.get("groups"))),
        )

    @property
    def wanted_username(self) -> str:
        """A username of characters that usernames may have, like the one at the provider. Somebody may have it here."""
        name = unicodedata.normalize("NFKC", self.username).partition("@")[0]
        return NOT_IN_USERNAMES.sub("-", name).strip("-")[:USERNAME_MAX] or FALLBACK


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) and is_storable(value) else ""
