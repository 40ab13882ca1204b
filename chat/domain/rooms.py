"""A room: its name, its group, its address, and who may enter."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from urllib.parse import quote, urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from chat.domain import names
from chat.domain.people import Person
from chat.errors import InvalidRoomName, LoginRequired, NoRooms

NAME_MAX = 100  # characters
DIRECT = "@"  # begins the names of direct rooms, and of no others
DIRECT_NAME = re.compile(r"@[0-9a-f]{32}", re.ASCII)
NO_DIRECT_NAME = _(
    "Names that begin with “@” are those of direct rooms. To write to somebody, log in and choose “Write to somebody” "
    "on the page of all rooms."
)
# Channels takes group names of up to 99 ASCII letters, digits, "-", "_" and "."; "chat_" is five of them.
PLAIN_NAME = re.compile(r"[A-Za-z0-9._-]{1,94}", re.ASCII)


@dataclass(frozen=True)
class Room:
    """A room by its `name`, which is as `enter` leaves it: in NFC, trimmed, 1 to NAME_MAX characters."""

    name: str

    @cached_property
    def group(self) -> str:
        """The room's group in the channel layer: `chat_<name>` if that is a group name, else `chat.<hash>`.

        No plain name can spell the second form, so every room has a group of its own.
        """
        if PLAIN_NAME.fullmatch(self.name):
            return f"chat_{self.name}"
        return f"chat.{hashlib.sha256(self.name.encode()).hexdigest()[:40]}"

    @cached_property
    def presence_group(self) -> str:
        """The group by which processes tell each other who is in the room: `presence.<hash>`.

        It is none of a room's own groups, in which only `chat.message` travels.
        """
        return f"presence.{hashlib.sha256(self.name.encode()).hexdigest()[:40]}"

    @property
    def is_direct(self) -> bool:
        """Whether it is the direct room of some users: see `direct`."""
        return self.name.startswith(DIRECT)

    def get_absolute_url(self) -> str:
        # Not by reverse(): it would leave the slash in "a/.." to the browser, which takes that for a way up.
        return f"{reverse('chat:index')}{quote(self.name, safe='')}/"

    def get_members_url(self) -> str:
        return f"{reverse('room_members')}?{urlencode({'room': self.name})}"


@lru_cache(maxsize=10_000)
def folded(text: str) -> str:
    """A room's name, or a part of one, as it is searched for: in NFKC, and without a difference between cases."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def direct(user_ids: Iterable[object]) -> Room:
    """The direct room of the users with these primary keys: always the same one, whoever asks, in whichever order."""
    ids = "-".join(sorted({str(user_id) for user_id in user_ids}))
    return Room(f"{DIRECT}{hashlib.sha256(ids.encode()).hexdigest()[:32]}")


def find(name: object) -> Room:
    """The room called `name`, however it was typed. Raises InvalidRoomName."""
    room = Room(names.clean(name, what=_("The room name"), longest=NAME_MAX, error=InvalidRoomName))
    if room.name in {".", ".."}:
        raise InvalidRoomName(_("A room can’t be called “{name}”: no web address leads there."), name=room.name)
    if room.is_direct and not DIRECT_NAME.fullmatch(room.name):
        raise InvalidRoomName(NO_DIRECT_NAME)
    return room


def enter(name: object, person: Person) -> Room:
    """The room called `name`, for `person` to listen or to post in.

    Raises InvalidRoomName, LoginRequired for guests on a site that takes none, and InsufficientScope for a token that
    is for other rooms.
    """
    admit(person)
    room = find(name)
    if person.grant is not None:
        person.grant.require_room(room.name)
    return room


def admit(person: Person) -> None:
    """Raises LoginRequired for guests on a site that takes none."""
    if person.is_guest and not settings.CHAT_GUESTS:
        raise LoginRequired(_("Please log in to chat here."))


def enter_all(wanted: Iterable[object], person: Person) -> list[Room]:
    """The rooms called `wanted`, each once, in their order. Raises as `enter` does, and NoRooms."""
    rooms = list(dict.fromkeys(enter(name, person) for name in wanted))
    if not rooms:
        raise NoRooms(_("Name at least one room."))
    return rooms
