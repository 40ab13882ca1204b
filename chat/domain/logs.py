"""Logs, as whatever delivers their entries sees them: a room's log, or that of anything else on this site.

A log numbers its entries: 1, 2, 3 … without holes. Each has an id, which is never given twice, not even by a database
that was set back. Nothing here knows what the entries say.
"""

import hashlib
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chat.domain.positions import START, Position
from chat.errors import TooManyRooms


class Log(Hashable, Protocol):
    """The name of a log. Equal ones name the same log, so that a frozen dataclass will do."""

    @property
    def group(self) -> str:
        """The group of the channel layer through which its events travel, and those of no other log.

        1 to 99 ASCII letters, digits, "-", "_" and ".". `group_of` makes one.
        """


def group_of(app: str, name: str) -> str:
    """The group of an app's log of that name: `<app>.<hash>`. An app is none of `chat`, `presence` and `control`."""
    return f"{app}.{hashlib.sha256(name.encode()).hexdigest()[:40]}"


def check_count(logs: Collection[object]) -> None:
    """Raises TooManyRooms for more logs than one subscription may be for: each is a feed, and a group of the layer."""
    if len(logs) > settings.CHAT_ROOMS_PER_SUBSCRIPTION:
        allowed = settings.CHAT_ROOMS_PER_SUBSCRIPTION
        raise TooManyRooms(_("A subscription is for {most} rooms at most: take several."), most=allowed)


class Identity(Protocol):
    """A person, as far as delivery has to know one."""

    @property
    def id(self) -> str: ...


class LogEvent(Protocol):
    """An event of a log: an entry, which has an offset, or something that is told live and not stored."""

    @property
    def log(self) -> Log: ...

    @property
    def kind(self) -> Hashable: ...

    @property
    def id(self) -> str | None: ...

    @property
    def offset(self) -> int | None: ...

    @property
    def position(self) -> Position | None:
        """The position of a listener that has heard this entry; None for what is not stored."""

    @property
    def known(self) -> bool:
        """False for an entry that only a newer release understands: its offset counts, and nobody is shown it."""

    @property
    def starts_over(self) -> bool:
        """Whether this is no entry, but tells listeners that what follows doesn't follow what they have heard."""

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""

    def follows(self, position: Position) -> bool:
        """Whether this is the entry right after `position`, with nothing in between, in the same log."""


class MalformedEvent(ValueError):
    """A message from a group that is none of the events of its log. Its text quotes nothing that anybody wrote."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a log ends, and whether by then it has to be looked up who may hear it, and who may be heard.

    `read_only` is about what isn't stored; what is stored is refused as it is stored.
    """

    position: Position = START
    restricted: bool = True
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """The logs that have changed since one looked last: the last entry of each, by the log's group.

    `everything` if any log may have. A log may be in several looks in a row.
    """

    ends: Mapping[str, Position] = field(default_factory=dict)
    everything: bool = False
