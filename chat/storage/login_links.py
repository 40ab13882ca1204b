"""Links that log in, in the database.

A link holds until it is used or has expired; while its user is active, and no bot, has the same password, and still has
the confirmed address that it was sent to. One that makes an account holds while no account has confirmed its address.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from chat.domain import people
from chat.domain.login_links import ACCOUNTS_MAX, LASTS, LINKS_MAX, NEXT_MAX, LinkRequest, comparable, make_secret
from chat.domain.people import Person
from chat.domain.tokens import digest
from chat.errors import NameTaken
from chat.models import LoginLink, NotificationChoice
from chat.storage import accounts
from chat.storage.database import writes


@dataclass(frozen=True, slots=True)
class SentLink:
    """The contents of an e-mail: the secret of a link, and the person it is for; None for a new account."""

    secret: str
    email: str
    language: str
    person: Person | None


@dataclass(frozen=True, slots=True)
class HoldingLink:
    """A link that may be used. `user` is None where it makes an account."""

    id: int
    email: str
    next_path: str
    user: Any


@writes
def create(*, request: LinkRequest, may_register: bool) -> Sequence[SentLink]:
    """Makes the links that an address is sent: one for each account whose confirmed address it is.

    Where it is no account's, one that makes an account, if `may_register`. The language is that of the person's other
    e-mails, or else the one in which they ask.
    """
    email = comparable(request.email)
    LoginLink.objects.filter(expires_at__lte=timezone.now()).delete()
    with transaction.atomic():
        choices = list(_confirmed(email).order_by("pk")[:ACCOUNTS_MAX])
        users = accounts.users().filter(is_active=True, chat_bot=None).in_bulk([row.pk for row in choices])
        sent = []
        for row in choices:
            if user := users.get(row.pk):
                language = row.language or request.language
                sent.append(SentLink(_make(email, request, user), row.email, language, people.of_user(user)))
        if not choices and may_register:
            sent.append(SentLink(_make(email, request, None), request.email.strip(), request.language, None))
    return sent


def _confirmed(email: str) -> QuerySet[Any]:
    lowered = NotificationChoice.objects.annotate(lowered=Lower("email"))
    return lowered.filter(lowered=email, is_confirmed=True)


def _make(email: str, request: LinkRequest, user: Any) -> str:
    """A new link's secret. The oldest of too many links goes."""
    mine = LoginLink.objects.filter(user=user, email=email)
    mine.filter(pk__in=[*mine.order_by("-pk").values_list("pk", flat=True)[LINKS_MAX - 1 :]]).delete()
    secret = make_secret()
    LoginLink.objects.create(
        user=user,
        email=email,
        digest=digest(secret),
        session_hash=user.get_session_auth_hash() if user is not None else "",
        next_path=request.next_path if len(request.next_path) <= NEXT_MAX else "",
        expires_at=timezone.now() + LASTS,
    )
    return secret


def look(secret: str) -> HoldingLink | None:
    """The link with that secret, if it holds."""
    link = LoginLink.objects.filter(digest=digest(secret), expires_at__gt=timezone.now()).first()
    if link is None:
        return None
    owners = _confirmed(link.email)
    if link.user_id is None:
        return None if owners.exists() else HoldingLink(link.pk, link.email, link.next_path, None)
    user = accounts.users().filter(pk=link.user_id, is_active=True, chat_bot=None).first()
    if user is None or not owners.filter(pk=user.pk).exists():
        return None
    if not constant_time_compare(link.session_hash, user.get_session_auth_hash()):
        return None
    return HoldingLink(link.pk, link.email, link.next_path, user)


def register(link: HoldingLink, username: str, *, language: str) -> Any:
    """Uses the link up and makes an account, without a password, that has confirmed the address it was sent to.

    Returns the user; None where somebody else has used the link meanwhile. Raises NameTaken.
    """
    with accounts.names_locked():
        if accounts.is_taken(username):
            raise NameTaken(_("The name of another account looks like that one."))
        if not use_up(link):
            return None
        user = accounts.users().model(username=username)
        user.set_unusable_password()
        user.save()
        NotificationChoice.objects.create(user=user, email=link.email, is_confirmed=True, language=language)
    return user


def use_up(link: HoldingLink) -> bool:
    """Ends the link, and all others to the same account or address. Returns whether it was still there.

    Of two who use a link at the same time, one finds it there.
    """
    with transaction.atomic():
        was_there = bool(LoginLink.objects.filter(pk=link.id).delete()[0])
        if was_there:
            LoginLink.objects.filter(user=link.user, email=link.email).delete()
    return was_there
