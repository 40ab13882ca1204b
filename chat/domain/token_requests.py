"""The request for a new token."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.domain import names, rooms
from chat.domain.grants import Scope
from chat.token_errors import InvalidTokenRequest

NAME_MAX = 100  # characters
ROOMS_MAX = 20
DAYS_MAX = 3650


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """The name, scopes and rooms of a token to be. `rooms` None is all; `expires_at` None is never."""

    name: str
    scopes: frozenset[Scope]
    rooms: frozenset[str] | None = None
    expires_at: datetime | None = None

    @classmethod
    def clean(
        cls, *, name: object, scopes: Iterable[object], rooms: Iterable[object] = (), days: int | None = None
    ) -> Self:
        """No `rooms` are all, and no `days` are forever. Raises InvalidName, InvalidRoomName or InvalidTokenRequest."""
        asked = frozenset(_scope(scope) for scope in scopes)
        if not asked:
            raise InvalidTokenRequest(_("Choose at least one scope."))
        named = _rooms(rooms)
        if days is not None and not 1 <= days <= DAYS_MAX:
            raise InvalidTokenRequest(_("A token expires after 1 to {most} days, or never."), most=DAYS_MAX)
        expires_at = None if days is None else timezone.now() + timedelta(days=days)
        return cls(names.clean(name, what=_("The name"), longest=NAME_MAX), asked, named, expires_at)


def _scope(value: object) -> Scope:
    if not isinstance(value, str) or value not in {*Scope}:
        raise InvalidTokenRequest(_("There is no scope “{scope}”."), scope=value)
    return Scope(value)


def _rooms(given: Iterable[object]) -> frozenset[str] | None:
    found = frozenset(rooms.find(name).name for name in given)
    if len(found) > ROOMS_MAX:
        raise InvalidTokenRequest(_("A token is for {most} rooms at most, or for all."), most=ROOMS_MAX)
    return found or None
