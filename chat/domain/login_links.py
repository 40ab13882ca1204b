"""Links that log in: their secrets, how long they hold, and how addresses of e-mail are compared."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from chat.domain.tokens import DIGITS, PREFIX, RANDOM_LENGTH

LASTS = timedelta(minutes=15)
LINKS_MAX = 3  # that hold at the same time for an account: if the first e-mail is slow, people ask for a second one
ACCOUNTS_MAX = 5  # with the same address, each of which is sent a link
NEXT_MAX = 500  # characters of the path that a link leads to


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """A request for links, by somebody who wants to log in by e-mail.

    `language` is the one of the page on which they asked, and `next_path` where they want to go, on this site.
    """

    email: str
    language: str
    next_path: str = ""


def make_secret() -> str:
    """The last part of a link's path. It begins as tokens do, so that it is masked in logs like these."""
    return f"{PREFIX}login_{''.join(secrets.choice(DIGITS) for _ in range(RANDOM_LENGTH))}"


def comparable(email: str) -> str:
    """An address as it is compared: people write theirs with capitals or without."""
    return email.strip().lower()


def mailbox_key(email: str) -> str:
    """The same for all spellings of an address, and of no use to read: it goes into Redis and into a cookie."""
    return hashlib.sha256(comparable(email).encode(errors="surrogatepass")).hexdigest()[:32]
