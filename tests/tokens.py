"""Tokens of users and bots, and programs that bring them, in this process."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.utils import timezone

from chat.domain.grants import Scope
from chat.domain.token_requests import TokenRequest
from chat.storage import tokens

ALL = (Scope.READ, Scope.WRITE, Scope.MODERATE)


@dataclass(frozen=True)
class Program:
    """A token and its user."""

    user: Any
    secret: str

    @property
    def authorization(self) -> str:
        return f"Bearer {self.secret}"

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Of a WebSocket."""
        return [(b"authorization", self.authorization.encode())]


async def program(
    user: Any = None, *, scopes: Iterable[Scope] = ALL, rooms: Iterable[str] | None = None, hours: float | None = None
) -> Program:
    """A token of `user`, or of a new one, that expires after `hours`."""
    if user is None:
        user = await get_user_model().objects.acreate_user(f"program{await get_user_model().objects.acount()}")
    expires_at = None if hours is None else timezone.now() + timedelta(hours=hours)
    request = TokenRequest("test", frozenset(scopes), None if rooms is None else frozenset(rooms), expires_at)
    return Program(user, await sync_to_async(tokens.create)(user_id=user.pk, request=request, by=None))
