"""Base of an app's entries, and the event that tells its listeners to start over."""

from collections.abc import Hashable
from dataclasses import dataclass, field, fields
from datetime import datetime
from sys import getsizeof
from typing import Any

from chat.domain.positions import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of a log. Subclasses, dataclasses of the same options, have fields for what it says.

    `id` is never given twice. `previous` is the id of the entry before it, where that is at hand: then a listener there
    hears this one at once, and else after it was read. `known` is false for an entry that a newer release wrote.
    """

    log: Any
    offset: int
    id: str | None
    previous: str | None = field(default=None, compare=False)
    kind: Hashable = "entry"
    sent_at: datetime | None = None
    known: bool = True

    @property
    def starts_over(self) -> bool:
        return False

    @property
    def position(self) -> Position:
        """The position of a listener that has heard this entry."""
        return Position(self.offset, self.id)

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return sum(getsizeof(getattr(self, one.name)) for one in fields(self))

    def follows(self, position: Position) -> bool:
        """Whether this is the entry right after `position`, with nothing in between, in the same log."""
        return self.offset == position.offset + 1 and self.previous == position.id


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOver(Entry):
    """Tells listeners that what they hear from here on follows its position, and not what they heard before."""

    kind: Hashable = "start_over"

    @property
    def starts_over(self) -> bool:
        return True
