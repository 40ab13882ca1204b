"""Closes the sockets of logins that have ended, and lets people who took another name speak under it.

The database decides (`chat.storage.logins`). It is asked at intervals for all who are connected to this process, and at
once for those of whom a hint says that something has happened. Hints go to every process through the hub. They are
sent for what people do through Django: logging in and out, changing, deactivating and deleting a user, changing a
profile, renaming a guest, and revoking a token.
"""

import asyncio
import itertools
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction
from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

from chat import log_context
from chat.connections.sockets import LOG_IN, Socket, Sockets
from chat.delivery import login_hints
from chat.delivery.control import on_control
from chat.delivery.detached_tasks import DetachedTasks
from chat.delivery.login_hints import hint
from chat.errors import SessionEnded, Unavailable
from chat.per_loop import PerLoop
from chat.storage import logins
from chat.storage.database import in_database
from chat.storage.logins import Login
from chat.token_errors import InvalidToken

logger = logging.getLogger(__name__)

CHECK_SIZE = 1000  # logins that the database is asked about at once, so that nobody's message waits for long behind it
CLOCK_SKEW = timedelta(seconds=10)  # by which the clocks of two instances may differ


class LoginWatch(PerLoop):
    """Looks after the logins of all sockets of one event loop, from `start` to `stop`."""

    def __init__(self) -> None:
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(), context=log_context.detached())

    def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(settings.CHAT_SESSION_CHECK)
            await self._check(Sockets.here())

    def check_soon(self, hint: Mapping[str, Any]) -> None:
        """Looks at the sockets of the `users`, `sessions`, `guests` and `tokens` that a hint names."""
        user_ids, session_keys, guest_ids = set(hint["users"]), set(hint["sessions"]), set(hint.get("guests", ()))
        token_ids = set(hint.get("tokens", ()))
        concerned = [
            socket
            for socket in Sockets.here()
            if str(socket.login.user_id) in user_ids
            or socket.login.session_key in session_keys
            or socket.person_id in guest_ids
            or socket.login.token_id in token_ids
        ]
        if concerned:
            DetachedTasks.here().start(self._check(concerned))

    async def _check(self, sockets: Iterable[Socket]) -> None:
        by_login: dict[Login, list[Socket]] = {}
        for socket in sockets:
            if socket.login.can_end and not socket.closing:
                by_login.setdefault(socket.login, []).append(socket)
        remaining = iter(by_login)
        while some := list(itertools.islice(remaining, CHECK_SIZE)):
            try:
                await self._check_some({login: by_login[login] for login in some})
            except Unavailable:
                return  # while the database doesn't answer, nobody is put out
            except Exception:
                logger.exception("Can't look which logins have ended")
                return

    async def _check_some(self, by_login: Mapping[Login, list[Socket]]) -> None:
        """Closes the sockets whose login has ended, and renames people whose account or session says so."""
        asked_at = datetime.now(UTC)
        standing = await in_database(logins.standing, by_login.keys())
        saved_since: dict[str, list[Socket]] = {}
        for login, sockets in by_login.items():
            if login in standing.ended:
                error = SessionEnded if login.token_id is None else InvalidToken
                for socket in sockets:
                    DetachedTasks.here().start(socket.close(LOG_IN, error.code))
            elif login.user_id is not None:
                for socket in sockets:
                    socket.rename(standing.users[login.user_id])
            elif login.session_key is not None:
                saved = standing.saved[login.session_key]
                stale = [socket for socket in sockets if saved is None or saved > socket.named_at - CLOCK_SKEW]
                if stale:
                    saved_since[login.session_key] = stale
        if saved_since:
            guests = await in_database(logins.guests, set(saved_since))
            for session_key, sockets in saved_since.items():
                for socket in sockets:
                    socket.named_at = asked_at
                    if session_key in guests:
                        socket.rename(guests[session_key])


# Hints


@on_control(login_hints.SUBJECT)
def check_soon(hint: Mapping[str, Any]) -> None:
    LoginWatch.here().check_soon(hint)


def hint_after_commit(user: Any) -> None:
    transaction.on_commit(partial(async_to_sync(hint), users=[user.pk]), robust=True)


@receiver(post_save, sender=settings.AUTH_USER_MODEL)
def user_changed(instance: Any, created: bool, update_fields: Collection[str] | None = None, **_: Any) -> None:
    telling = {"password", "is_active", instance.USERNAME_FIELD}
    if not created and (update_fields is None or telling & set(update_fields)):
        hint_after_commit(instance)


@receiver(post_delete, sender=settings.AUTH_USER_MODEL)
def user_deleted(instance: Any, **_: Any) -> None:
    hint_after_commit(instance)


@receiver(user_logged_out)
def logging_out(request: HttpRequest | None, **_: Any) -> None:
    """The signal comes before the session ends. So the request remembers it for `hint_at_session_end`."""
    if request is not None:
        request.ended_session = request.session.session_key  # type: ignore[attr-defined]


@receiver(user_logged_in)
def logged_in(request: HttpRequest, **_: Any) -> None:
    """A login gives the session another key. Connections that were opened by the guest's have ended."""
    before = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if before and before != request.session.session_key:
        request.ended_session = before  # type: ignore[attr-defined]


@sync_and_async_middleware
def hint_at_session_end(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Django middleware: once a login or a logout has ended a session, tells all processes."""

    def respond(request: HttpRequest) -> HttpResponse:
        response: HttpResponse = get_response(request)
        if session_key := getattr(request, "ended_session", None):
            async_to_sync(hint)(sessions=[session_key])
        return response

    async def respond_async(request: HttpRequest) -> HttpResponse:
        response: HttpResponse = await get_response(request)
        if session_key := getattr(request, "ended_session", None):
            await hint(sessions=[session_key])
        return response

    return respond_async if iscoroutinefunction(get_response) else respond
