"""The settings of what the site sends by itself: notifications to devices, and e-mails."""

import re
from collections.abc import Sequence
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from mysite.environment import Environment, split

EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+")


def site_url(env: Environment, hosts: Sequence[str], port: int, *, https: bool) -> str:
    """The address of the site, without a path: CHAT_SITE_URL, or else the first of the hosts that are named."""
    given = str(env.str("CHAT_SITE_URL", default="")).strip().rstrip("/")
    if not given:
        host = hosts[0].removeprefix(".") if hosts else f"localhost:{port}"
        return f"{'https' if https else 'http'}://{host}"
    parts = split(given)
    if parts is None or parts.scheme not in {"http", "https"} or parts.path or parts.query or parts.fragment:
        raise SystemExit(f"CHAT_SITE_URL is {given!r}. It has to be of the form https://chat.example.org")
    return given


def push_contact(env: Environment, site: str) -> str:
    """A URL by which push services reach those who run the site: CHAT_PUSH_CONTACT, or else the site itself."""
    given = str(env.str("CHAT_PUSH_CONTACT", default="")).strip()
    if not given:
        return site if site.startswith("https://") else "mailto:webmaster@localhost"
    contact = f"mailto:{given}" if "@" in given and ":" not in given else given
    is_address = EMAIL.fullmatch(contact.removeprefix("mailto:")) is not None
    if not (is_address if contact.startswith("mailto:") else contact.startswith("https://") and split(contact)):
        raise SystemExit(f"CHAT_PUSH_CONTACT is {given!r}. It has to be an e-mail address, or begin with https://")
    return contact


def mail_settings(env: Environment, folder: Path, site: str) -> dict[str, Any]:
    """Django's settings of e-mail, as EMAIL_URL says; without it, e-mails become files in `folder`."""
    url = env.str("EMAIL_URL", default="") or f"filemail:///{folder}"
    try:
        if url.startswith("smtp"):
            parts = split(url)
            if parts is None or "@" in parts.path + parts.query:  # after a slash, say, in the password
                raise ValueError
        found: dict[str, Any] = env.email_url_config(url)
    except (ImproperlyConfigured, KeyError, ValueError):
        raise SystemExit(
            "EMAIL_URL can't be understood. It has to be of the form smtp+tls://user:password@mail.example.org:587, "
            "with special characters of the password percent-encoded."
        ) from None
    sender = str(env.str("CHAT_EMAIL_FROM", default="")).strip() or f"chat@{urlsplit(site).hostname}"
    if not EMAIL.fullmatch(parseaddr(sender)[1]):
        raise SystemExit(f"CHAT_EMAIL_FROM is {sender!r}. It has to be like Chat <chat@example.org>")
    return {"EMAIL_TIMEOUT": 20, **found, "DEFAULT_FROM_EMAIL": sender}  # seconds
