"""The sessions and users of those who connect. Nothing is written here.

Django has ways to read one session and its user. They take a query each, and a thousand who come back at once would
take two thousand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model, load_backend
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from chat.domain.people import PROFILE
from chat.storage import accounts


@dataclass(frozen=True, slots=True)
class Visitor:
    """A session, and whose it is. `user` is an AnonymousUser unless the session is of a login that holds."""

    session: SessionBase
    user: Any


def stranger() -> Visitor:
    """Somebody without a session; they get an empty one, which has no key."""
    return Visitor(_store()(), AnonymousUser())


def visitors(session_keys: Sequence[str]) -> list[Visitor]:
    """Those who have these sessions, in the same order; in two queries where Django keeps sessions and users."""
    sessions = _sessions(session_keys)
    return [Visitor(session, user) for session, user in zip(sessions, _users(sessions), strict=True)]


def user_of(session: SessionBase) -> Any:
    """The user who is logged in by a session, with their profile; an AnonymousUser if nobody is."""
    (user,) = _users([session])
    return user


def _sessions(keys: Sequence[str]) -> list[SessionBase]:
    """The sessions of these keys, read. For one that is gone or has expired there is an empty one, which has no key."""
    store = _store()
    if store.load is not DatabaseStore.load:
        sessions = [store(key) for key in keys]
        for session in sessions:
            session.get(SESSION_KEY)  # reads it
        return sessions
    lasting = store.get_model_class().objects.filter(
        session_key__in=[key for key in keys if "\0" not in key], expire_date__gt=timezone.now()
    )
    stored = dict(lasting.values_list("session_key", "session_data"))
    return [_read(store, key, stored.get(key)) for key in keys]


def _read(store: Any, key: str, data: str | None) -> SessionBase:
    """A session as its own `load` leaves it that has found `data` in the database, or nothing."""
    session: SessionBase = store(None if data is None else key)
    session._session_cache = {} if data is None else session.decode(data)  # type: ignore[attr-defined]
    return session


def _users(sessions: Sequence[SessionBase]) -> list[Any]:
    """The users that are logged in by these sessions; an AnonymousUser where nobody is, or the login doesn't hold."""
    backends = [_backend(session) for session in sessions]
    model = get_user_model()
    ids = [session.get(SESSION_KEY) for session in sessions]
    plain = {id for id, backend in zip(ids, backends, strict=True) if _takes_any_user(backend)}
    stored = accounts.users().in_bulk(plain)
    users = []
    for session, backend, id in zip(sessions, backends, ids, strict=True):
        user = None
        if _takes_any_user(backend):
            user = stored.get(model._meta.pk.to_python(id))
            user = user if user is not None and backend.user_can_authenticate(user) else None
        elif backend is not None:
            user = backend.get_user(model._meta.pk.to_python(id))
            getattr(user, PROFILE, None)  # reads it
        users.append(user if user is not None and _is_by_password_of(session, user) else AnonymousUser())
    return users


def _backend(session: SessionBase) -> Any:
    """The authentication backend that the session was logged in by; None if nobody is, or the site has it no more."""
    path: Any = session.get(BACKEND_SESSION_KEY)
    return load_backend(path) if SESSION_KEY in session and path in settings.AUTHENTICATION_BACKENDS else None


def _takes_any_user(backend: Any) -> bool:
    """Whether all the backend does to get a user is to read them, so that many may be read at once."""
    return isinstance(backend, ModelBackend) and type(backend).get_user is ModelBackend.get_user


def _is_by_password_of(session: SessionBase, user: Any) -> bool:
    """Whether the session was logged in by the password that the user has now: changing it ends all other logins."""
    if not hasattr(user, "get_session_auth_hash"):
        return True
    known: Any = session.get(HASH_SESSION_KEY)
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return bool(known) and any(constant_time_compare(known, one) for one in hashes)


def _store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore
