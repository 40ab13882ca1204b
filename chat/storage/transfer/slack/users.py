"""The people of a Slack export: what they are called, and who has an account here by the same e-mail address."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth import get_user_model

from chat.domain import people
from chat.domain.names import has_controls
from chat.storage.transfer.fields import PERSON_NAME_MAX
from chat.storage.transfer.slack.archive import Json

UNKNOWN = "Unknown person"
SITE = "slack"  # in exports: Slack's ids of users are the same in all of them


def name_of(user: Json) -> str:
    """The name by which others see the user."""
    profile = user.get("profile") if isinstance(user.get("profile"), dict) else {}
    given: Any = profile
    candidates = [given.get("display_name"), given.get("real_name"), user.get("real_name"), user.get("name")]
    return clean(next((name for name in candidates if isinstance(name, str) and name.strip()), UNKNOWN))


def clean(name: str) -> str:
    kept = "".join(" " if has_controls(one) else one for one in name)
    return kept.strip()[:PERSON_NAME_MAX] or UNKNOWN


def names(users: Iterable[Json]) -> dict[str, str]:
    """The names of users, by their ids."""
    return {user["id"]: name_of(user) for user in users if isinstance(user.get("id"), str)}


def accounts_by_email(users: Iterable[Json]) -> Mapping[str, str]:
    """The ids of the people here who have the e-mail address of a user, by the ids of the users.

    An address that several accounts, or several users, have says nothing.
    """
    emails = {}
    for user in users:
        profile = user.get("profile")
        email = profile.get("email") if isinstance(profile, dict) else None
        if isinstance(user.get("id"), str) and isinstance(email, str) and email.strip():
            emails[user["id"]] = email.strip().casefold()
    wanted = {email for email, count in Counter(emails.values()).items() if count == 1}
    found = [
        (account.email.casefold(), account)
        for account in get_user_model()._default_manager.exclude(email="").filter(is_active=True).iterator()
        if account.email.casefold() in wanted
    ]
    counts = Counter(email for email, _ in found)
    here = {email: people.of_user(account).id for email, account in found if counts[email] == 1}
    return {id: here[email] for id, email in emails.items() if email in here}
