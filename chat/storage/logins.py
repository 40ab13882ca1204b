"""The logins by which connections were opened: which of them have ended, and what the guests among them are called.

Django keeps users and sessions; nothing is written here.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone

from chat.domain import people
from chat.domain.people import Person
from chat.storage import tokens
from chat.storage.database import reads_long


@dataclass(frozen=True, slots=True)
class Login:
    """The user and the session or token by which a connection was opened. A guest has no user.

    A program may have nothing of it.
    """

    user_id: Any = None
    password: str = ""  # the hash: when it has changed, Django takes the user's sessions for ended
    session_key: str | None = None
    token_id: int | None = None

    @property
    def can_end(self) -> bool:
        return self.user_id is not None or self.session_key is not None


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of some logins.

    `ended` are those that hold no more. `users` has the people of active users, by the names that they have now, by
    primary keys. `saved` has for each session that holds when it was last saved, by the clock of the instance that did
    it; None where its store doesn't tell.
    """

    ended: set[Login]
    users: dict[Any, Person]
    saved: dict[str, datetime | None]


@reads_long
def standing(logins: Collection[Login]) -> Standing:
    """Looks at `logins`, in three queries however many there are."""
    user_ids = {login.user_id for login in logins if login.user_id is not None}
    accounts = get_user_model()._default_manager.filter(pk__in=user_ids, is_active=True)
    columns = ("pk", get_user_model().USERNAME_FIELD, f"{people.PROFILE}__display_name", "password")
    users, passwords = {}, {}
    for pk, username, display_name, password in accounts.values_list(*columns):
        users[pk], passwords[pk] = people.of_account(pk, username, display_name), password
    saved = lasting_sessions({login.session_key for login in logins if login.session_key is not None})
    holding = tokens.holding({login.token_id for login in logins if login.token_id is not None})

    def has_ended(login: Login) -> bool:
        if login.token_id is not None:
            return login.token_id not in holding or login.user_id not in users
        if login.user_id is not None and passwords.get(login.user_id) != login.password:
            return True
        return login.session_key is not None and login.session_key not in saved

    ended = {login for login in logins if has_ended(login)}
    return Standing(ended, users, saved)


def lasting_sessions(keys: set[str]) -> dict[str, datetime | None]:
    """Those of `keys` whose sessions are there and have not expired, and when each was last saved."""
    store = _store()
    if hasattr(store, "get_model_class"):  # they are in the database
        found = store.get_model_class().objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
        age = timedelta(seconds=settings.SESSION_COOKIE_AGE)  # each save sets the expiry to that from then on
        return {key: expires - age for key, expires in found.values_list("session_key", "expire_date")}
    if _is_with_the_client():
        return dict.fromkeys(keys)  # nobody can end it
    return dict.fromkeys(key for key in keys if store().exists(key))


@reads_long
def guests(keys: set[str]) -> dict[str, Person]:
    """The guests of the sessions `keys`, as they are called now. A session that has none, or is gone, is left out."""
    store = _store()
    if hasattr(store, "get_model_class"):
        found = store.get_model_class().objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
        sessions = {key: store().decode(data) for key, data in found.values_list("session_key", "session_data")}
    elif _is_with_the_client():
        sessions = {}
    else:
        sessions = {key: store(key).load() for key in keys}
    return {key: people.guest_of(session) for key, session in sessions.items() if people.SESSION_KEY in session}


def _store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore


def _is_with_the_client() -> bool:
    """Whether a session is nowhere but in its browser's cookie."""
    return bool(settings.SESSION_ENGINE.endswith("signed_cookies"))
