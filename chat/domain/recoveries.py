"""Recoveries: the entries of a log after a position, if the log still goes on from there."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings

from chat.domain.positions import Position

OFFSET_MAX = 2**63 - 1
ENTRIES_MAX = 1000  # read together, by `fitting`

Range = tuple[int, int]
"""The first and the last of some offsets that follow each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRequest:
    """Asks for the first `size` entries of `log` after `after`, for `person`; None is the site itself.

    They are refused if more than CHAT_RECOVERY_MAX were missed. `resumed` asks for the next part: then it doesn't
    matter how much was said since the first part was read.
    """

    log: Any
    after: Position
    size: int
    resumed: bool = False
    person: Any

    @property
    def range(self) -> Range:
        """The offsets to read. The first is that of the position itself, whose id has to be compared."""
        return self.after.offset, min(self.after.offset + self.size, OFFSET_MAX)


@dataclass(frozen=True, slots=True)
class Recovery:
    """The `events` after a position, or the first of them. None if the log doesn't go on from there.

    `after` is that position as the database has it: without an id, if the entry is no longer kept. `end` is where the
    log ends; its id is given where there are no events.
    """

    events: Sequence[Any] | None
    after: Position
    end: Position

    @property
    def last(self) -> Position:
        """The position of a listener that has heard these events."""
        return (self.events[-1].position if self.events else None) or self.after

    def leads_to(self, position: Position) -> bool:
        """Whether these events end at `position`, in the same log, or are on the way there."""
        if self.events is None or self.last.offset > position.offset:
            return False
        if self.last.offset < position.offset:
            return bool(self.events)
        return position.id is None or self.last.id in {None, position.id}


@dataclass(slots=True)
class LogPart:
    """Some entries of a log, by their offsets, and how far the log had come, all as of one moment.

    Of what is no longer kept, the last offset is `pruned_to`.
    """

    last_offset: int = 0
    pruned_to: int = 0
    entries: dict[int, Any] = field(default_factory=dict)

    def recovery(self, request: RecoveryRequest) -> Recovery | None:
        """None if what was asked for can't be had."""
        position = request.after
        if not request.resumed and self.last_offset - position.offset > settings.CHAT_RECOVERY_MAX:
            return None
        if not self._goes_on(position):
            return None
        following = map(self.entries.get, range(position.offset + 1, request.range[1] + 1))
        events = [event for event in itertools.takewhile(lambda event: event is not None, following) if event]
        if not events and request.size > 0 and self.last_offset > position.offset:
            return None
        at = self.entries.get(position.offset)
        return Recovery(events, replace(position, id=at.id if at else None), Position(self.last_offset))

    def _goes_on(self, position: Position) -> bool:
        """Whether the log is still the one of `position`, and what came after that is kept."""
        if not self.pruned_to <= position.offset <= self.last_offset:
            return False
        if position.id is None or position.offset == 0:
            return True
        at = self.entries.get(position.offset)
        # An entry that has been pruned proves nothing.
        return at.id == position.id if at is not None else position.offset == self.pruned_to


def fitting(requests: Sequence[RecoveryRequest]) -> list[int]:
    """The numbers of those to be read together: the first one, and each that needs few entries that others don't."""
    fit: list[int] = []
    ranges: dict[Any, list[Range]] = defaultdict(list)  # by log
    entries = 0
    for number, request in enumerate(requests):
        more_ranges = merged([*ranges[request.log], request.range])
        more = length(more_ranges) - length(ranges[request.log])
        if fit and entries + more > ENTRIES_MAX:
            continue
        fit.append(number)
        ranges[request.log] = more_ranges
        entries += more
    return fit


def merged(ranges: Iterable[Range]) -> list[Range]:
    """The same offsets by ranges that don't overlap."""
    found: list[Range] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def length(ranges: Iterable[Range]) -> int:
    """How many offsets are in ranges that don't overlap."""
    return sum(last - first + 1 for first, last in ranges)
