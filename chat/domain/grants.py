"""Grants: the part of a person's permissions that a token allows its bearer."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from chat.token_errors import InsufficientScope


class Scope(StrEnum):
    """The kinds of requests that a token is for. A scope adds nothing to what the person may do."""

    READ = "read"
    WRITE = "write"
    MODERATE = "moderate"


@dataclass(frozen=True, slots=True)
class Grant:
    """The scopes and rooms of a token. `rooms` has their names; None stands for all that the person may enter."""

    token_id: int
    scopes: frozenset[Scope]
    rooms: frozenset[str] | None = None

    def require(self, *scopes: Scope) -> None:
        """Raises InsufficientScope unless the token has one of `scopes`."""
        if self.scopes.isdisjoint(scopes):
            raise InsufficientScope(_("This takes a token with the scope “{scope}”."), scope=scopes[0].value)

    def includes(self, room_name: str) -> bool:
        return self.rooms is None or room_name in self.rooms

    def require_room(self, room_name: str) -> None:
        """Raises InsufficientScope for a room that the token isn't for."""
        if not self.includes(room_name):
            raise InsufficientScope(_("This token is not for the room “{room}”."), room=room_name)

    def require_all_rooms(self) -> None:
        """Raises InsufficientScope if the token is for some rooms: for what isn't about a single one of them."""
        if self.rooms is not None:
            raise InsufficientScope(_("This token is for some rooms only, and this is about more than one room."))
