"""How somebody came in, and whether that still holds: a login may end while sockets that were opened by it are open.

The database decides: `ended` asks it. `Sockets` does so at intervals for all who are connected to this process, and at
once for those of whom a hint says that something has happened. Hints go to every process through the broker. They are
sent for what people do through Django: logging out, and changing, deactivating and deleting a user.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware

from chat.delivery import hub

SUBJECT = "sessions"  # of the hints


@dataclass(frozen=True, slots=True)
class Login:
    """What a connection was opened by. A guest has no user, a program neither user nor session."""

    user_id: Any = None
    password: str = ""  # the hash: when it has changed, Django takes the user's sessions for ended
    session_key: str | None = None

    @property
    def can_end(self) -> bool:
        return self.user_id is not None or self.session_key is not None


def of_scope(scope: Mapping[str, Any]) -> Login:
    """By what AuthMiddlewareStack let this connection in, if that is around it."""
    user, session = scope.get("user"), scope.get("session")
    session_key = session.session_key if session is not None else None
    if user is None or not user.is_authenticated:
        return Login(session_key=session_key)
    return Login(user.pk, user.password, session_key)


def ended(logins: Collection[Login]) -> set[Login]:
    """Those of `logins` that hold no more, in two queries however many there are. Reads the database."""
    user_ids = {login.user_id for login in logins if login.user_id is not None}
    active = get_user_model()._default_manager.filter(pk__in=user_ids, is_active=True)
    passwords = dict(active.values_list("pk", "password"))
    lasting = lasting_sessions({login.session_key for login in logins if login.session_key is not None})
    return {
        login
        for login in logins
        if (login.user_id is not None and passwords.get(login.user_id) != login.password)
        or (login.session_key is not None and login.session_key not in lasting)
    }


def lasting_sessions(keys: set[str]) -> set[str]:
    """Those of `keys` whose sessions are there and have not expired."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if hasattr(store, "get_model_class"):  # they are in the database
        found = store.get_model_class().objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
        return set(found.values_list("session_key", flat=True))
    if settings.SESSION_ENGINE.endswith("signed_cookies"):
        return keys  # such a session is nowhere but with the client: nobody can end it
    return {key for key in keys if store().exists(key)}


# Hints


async def hint(*, users: Collection[Any] = (), sessions: Collection[str] = ()) -> None:
    """Tells all processes, after the fact, to look whether these still hold."""
    # An ended session's key is of no use to anybody any more, so it may be seen in Redis.
    await hub.send_control(SUBJECT, {"users": [str(user_id) for user_id in users], "sessions": list(sessions)})


def hint_after_commit(user: Any) -> None:
    transaction.on_commit(partial(async_to_sync(hint), users=[user.pk]), robust=True)


@receiver(post_save, sender=settings.AUTH_USER_MODEL)
def user_changed(instance: Any, created: bool, update_fields: Collection[str] | None = None, **_: Any) -> None:
    if not created and (update_fields is None or {"password", "is_active"} & set(update_fields)):
        hint_after_commit(instance)


@receiver(post_delete, sender=settings.AUTH_USER_MODEL)
def user_deleted(instance: Any, **_: Any) -> None:
    hint_after_commit(instance)


@receiver(user_logged_out)
def logging_out(request: HttpRequest | None, **_: Any) -> None:
    """The signal comes before the session ends. So the request remembers, and `hint_at_logout` tells."""
    if request is not None:
        request.ending_session = request.session.session_key  # type: ignore[attr-defined]


@sync_and_async_middleware
def hint_at_logout(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Django middleware: once somebody has logged out, tells all processes."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if session_key := getattr(request, "ending_session", None):
            async_to_sync(hint)(sessions=[session_key])
        return response

    async def respond_async(request: HttpRequest) -> HttpResponse:
        response = await get_response(request)
        if session_key := getattr(request, "ending_session", None):
            await hint(sessions=[session_key])
        return response

    return respond_async if iscoroutinefunction(get_response) else respond
