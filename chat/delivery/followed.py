"""The part of a hub that belongs to one source."""

import asyncio
from dataclasses import dataclass, field

from chat.delivery.feed import Feed
from chat.delivery.source import Attendance, Source


@dataclass(eq=False)
class Followed:
    """The logs of one source that somebody here listens to."""

    source: Source
    attendance: Attendance | None
    feeds: dict[str, Feed] = field(default_factory=dict)  # by group
    unsettled: set[Feed] = field(default_factory=set)  # feeds to compare with their logs at the next look
    watching: asyncio.Task[None] | None = None
