"""Links in e-mails that do something for a person without a login: signed, so that nobody can make them up."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.core import signing

LASTS = timedelta(days=365)


class Purpose(StrEnum):
    CONFIRM = "confirm"  # the address is the person's, who wants digests there
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class MailLink:
    person_id: str
    email: str


def token(link: MailLink, purpose: Purpose) -> str:
    return signing.dumps([link.person_id, link.email], salt=_salt(purpose), compress=True)


def read(token: str, purpose: Purpose) -> MailLink | None:
    """The link that the token was made of; None where it is no token of that purpose, or too old."""
    try:
        person_id, email = signing.loads(token, salt=_salt(purpose), max_age=LASTS)
    except (signing.BadSignature, ValueError):
        return None
    return MailLink(str(person_id), str(email))


def _salt(purpose: Purpose) -> str:
    return f"chat.mail_links.{purpose}"
