"""The accounts of people who log in at a provider: found by who they are there, linked to them, or made for them."""

import logging
import secrets
from itertools import chain
from typing import Any

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Lower

from chat.domain import names, people
from chat.domain.login_links import comparable
from chat.domain.openid_claims import FALLBACK, Claims
from chat.domain.profiles import ProfileChange
from chat.errors import InvalidName, NameTaken
from chat.login_errors import AccountRefused, AddressTaken, NoAccount
from chat.models import NotificationChoice, ProviderIdentity, Verb
from chat.storage import accounts, audit, profiles, tokens

logger = logging.getLogger(__name__)

NUMBERED = 20  # usernames that are tried with a number, before one is made up


def account_of(claims: Claims, *, may_link: bool, may_register: bool) -> Any:
    """The active user who logs in.

    With `may_link`, an account that has confirmed the verified e-mail address is linked, if it is the only one, and to
    one identity of each provider. With `may_register`, an account is made for somebody who has none. Raises
    AccountRefused, AddressTaken or NoAccount.
    """
    user = _known(claims)
    if user is None:
        with accounts.names_locked():
            user = _known(claims)  # by another login at the same moment
            if user is None and may_link:
                user = _link(claims)
            if user is None and may_register:
                user = _register(claims)
    if user is None:
        raise NoAccount
    if not user.is_active or tokens.bot_of(user) is not None:
        raise AccountRefused
    return user


def set_staff(user: Any, claims: Claims, *, group: str) -> None:
    """Has the user be one of the staff if they are in that group at the provider, or else no longer.

    Superusers stay as they are: they have been made here, and a mistake there shouldn't lock all of them out.
    """
    is_staff = group in claims.groups
    if user.is_superuser or user.is_staff == is_staff:
        return
    with transaction.atomic():
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])
        audit.record(None, Verb.STAFF_CHANGED, target=people.of_user(user), staff=is_staff, group=group)


def _known(claims: Claims) -> Any:
    identity = ProviderIdentity.objects.filter(issuer=claims.issuer, subject=claims.subject).first()
    # An instance of the release before deletes users without their identities.
    return identity and accounts.users().filter(pk=identity.user_id).first()


def _link(claims: Claims) -> Any:
    if not claims.email:
        return None
    lowered = NotificationChoice.objects.annotate(lowered=Lower("email"))
    owners = list(lowered.filter(lowered=comparable(claims.email), is_confirmed=True)[:2])
    user = accounts.users().filter(pk=owners[0].pk).first() if len(owners) == 1 else None
    if user is None or not user.is_active or tokens.bot_of(user) is not None:
        return None
    person = people.of_user(user)
    if ProviderIdentity.objects.filter(issuer=claims.issuer, user_id=user.pk).exists():
        # Addresses are given to others in time, and a provider keeps one for its person less surely than a subject.
        logger.warning("Refused to link %s to a second identity at %s with the same address", person.id, claims.issuer)
        raise AddressTaken
    _make(claims, user)
    audit.record(person, Verb.IDENTITY_LINKED, target=person, issuer=claims.issuer)
    return user


def _make(claims: Claims, user: Any) -> None:
    ProviderIdentity.objects.update_or_create(
        issuer=claims.issuer, subject=claims.subject, defaults={"user_id": user.pk}
    )


def _register(claims: Claims) -> Any:
    """A new user without a password. Their display name is the provider's, if nobody has that here."""
    user = accounts.users().model(username=_free_username(claims), email=claims.email)
    user.set_unusable_password()
    user.save()
    _make(claims, user)
    try:
        profiles.update(people.of_user(user), ProfileChange.clean(display_name=claims.name))
    except (InvalidName, NameTaken):
        pass  # then the username is shown
    return user


def _free_username(claims: Claims) -> str:
    wanted = claims.wanted_username
    numbered = (f"{wanted}-{number}" for number in range(2, NUMBERED + 2))
    for name in chain([wanted], numbered):
        if _is_free(name):
            return name
    return f"{FALLBACK}-{secrets.token_hex(5)}"


def _is_free(name: str) -> bool:
    """By the rules of those who sign up."""
    try:
        UnicodeUsernameValidator()(name)
        cleaned = names.clean(name, what="", longest=150)
    except (InvalidName, ValidationError):
        return False
    return cleaned == name and not names.is_call(name) and not names.is_reserved(name) and not accounts.is_taken(name)
