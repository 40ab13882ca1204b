"""The watch: looks whether something came to the logs that their listeners in this process haven't heard of."""

import math
from collections.abc import Mapping, Sequence

from chat.delivery.feed import Feed
from chat.delivery.source import Source
from chat.domain.positions import Position

LOOKS_PER_ROUND = 60  # until each log has been compared, whatever has changed
ROUND_PART_MIN, ROUND_PART_MAX = 50, 1000  # logs of the round in one look
ACTIVE_MAX = 100  # logs that are compared in each look, because they have changed lately
LOGS_PER_QUERY = 1000


class Watch:
    """Looks again and again; the cost of a look grows with the logs that have changed, if the source can tell.

    A log that has changed is compared with its feed. So is, in each look, a part of the others, because not all that
    happens to a database is a new entry: a single log may be set back, or rows deleted by hand. Where any may have
    changed, because the database was set back, say, all are compared at once.
    """

    def __init__(self, source: Source, feeds: Mapping[str, Feed], unsettled: set[Feed]) -> None:
        """`feeds` are the hub's of that source, by their groups; `unsettled` those to compare at the next look."""
        self._source = source
        self._feeds = feeds
        self._unsettled = unsettled
        self._look = source.looks()
        self._active: dict[Feed, None] = {}  # the one that changed last is the last
        self._round: list[Feed] = []  # those still to come
        self._part_size = 0

    async def look(self) -> None:
        """Has each feed read that is found to be behind, or in another log. Raises what the database raises."""
        changes = await self._look()
        if changes.everything:
            self._unsettled.update(self._feeds.values())
        for group, end in changes.ends.items():
            if feed := self._feeds.get(group):
                self._follow(feed, end)
        feeds = {*self._take_unsettled(), *self._active, *self._next_of_round()}
        await self._compare([feed for feed in feeds if self._feeds.get(feed.log.group) is feed])

    def _follow(self, feed: Feed, end: Position) -> None:
        """Takes in that a log came to `end`, at least."""
        self._active.pop(feed, None)
        self._active[feed] = None
        if len(self._active) > ACTIVE_MAX:
            del self._active[next(iter(self._active))]
        if feed.position is None or feed.is_past(end):
            self._unsettled.add(feed)  # it has heard more meanwhile, or another log
        elif feed.position != end:
            feed.catch_up(end.offset)

    def _take_unsettled(self) -> list[Feed]:
        feeds = list(self._unsettled)
        self._unsettled.clear()
        return feeds

    def _next_of_round(self) -> list[Feed]:
        if not self._round:
            self._round = list(self._feeds.values())
            size = math.ceil(len(self._round) / LOOKS_PER_ROUND)
            self._part_size = min(max(size, ROUND_PART_MIN), ROUND_PART_MAX)
        part, self._round = self._round[-self._part_size :], self._round[: -self._part_size]
        return part

    async def _compare(self, feeds: Sequence[Feed]) -> None:
        """Compares feeds with where their logs end. Those for which that fails are left to the next look."""
        for first in range(0, len(feeds), LOGS_PER_QUERY):
            some = feeds[first : first + LOGS_PER_QUERY]
            # Their positions before the heads are read: they may hear more meanwhile.
            watched = {feed: feed.position for feed in some if feed.position is not None}
            self._unsettled.update(feed for feed in some if feed.position is None)
            try:
                heads = await self._source.reads.heads([feed.log for feed in watched])
            except Exception:
                self._unsettled.update(feeds[first:])
                raise
            for feed, position in watched.items():
                feed.compare(heads[feed.log], position)
