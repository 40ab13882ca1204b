"""Logins without passwords: CHAT_PASSWORDS=false."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest


class NoPasswords:
    """An authentication backend that stands before the others and refuses every password, at every form.

    Django asks no other backend after a PermissionDenied. Users, their sessions and permissions stay ModelBackend's.
    """

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        raise PermissionDenied
