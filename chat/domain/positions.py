"""Positions: how far somebody has heard a room, with the proof that it is still the same log."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """The last entry of a room's log that somebody has heard.

    `id` is that entry's id, for those who have it. Offsets are given again by a database that was set back, ids never
    are: so an entry of another id at `offset` means that the log went back. Without an id, nothing can be proven.
    """

    offset: int
    id: str | None = None

    def is_before(self, other: "Position") -> bool:
        """Whether it is earlier in the log, or in another log at the same offset."""
        if self.offset != other.offset:
            return self.offset < other.offset
        return None not in {self.id, other.id} and self.id != other.id


START = Position(0)
