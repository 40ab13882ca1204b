"""The watch: looks whether something was said that the listeners of this process haven't heard of."""

import math
from collections.abc import Mapping, Sequence

from chat.delivery.feed import Feed
from chat.domain.positions import Position
from chat.domain.rooms import Room
from chat.storage import history
from chat.storage.changes import ChangeLook
from chat.storage.database import in_database

LOOKS_PER_ROUND = 60  # until each room has been compared, whatever has changed
ROUND_PART_MIN, ROUND_PART_MAX = 50, 1000  # rooms of the round in one look
ACTIVE_MAX = 100  # rooms that are compared in each look, because they have changed lately
ROOMS_PER_QUERY = 1000


class Watch:
    """Looks again and again; the cost of a look grows with the rooms that have changed.

    A room that has changed is compared with its feed. So is, in each look, a part of the others, because not all that
    happens to a database is a new entry: a single room may be set back, or rows deleted by hand. Where the newest entry
    is gone, the whole log went back, and all rooms are compared at once.
    """

    def __init__(self, feeds: Mapping[str, Feed], unsettled: set[Feed]) -> None:
        """`feeds` are the hub's, by their groups; `unsettled` those of them to compare at the next look."""
        self._feeds = feeds
        self._unsettled = unsettled
        self._change_look = ChangeLook()
        self._active: dict[Feed, None] = {}  # the one that changed last is the last
        self._round: list[Feed] = []  # those still to come
        self._part_size = 0

    async def look(self) -> None:
        """Has each feed read that is found to be behind, or in another log. Raises what the database raises."""
        changes = await in_database(self._change_look.look)
        if changes.everything:
            self._unsettled.update(self._feeds.values())
        for name, end in changes.ends.items():
            if feed := self._feeds.get(Room(name).group):
                self._follow(feed, end)
        feeds = {*self._take_unsettled(), *self._active, *self._next_of_round()}
        await self._compare([feed for feed in feeds if self._feeds.get(feed.room.group) is feed])

    def _follow(self, feed: Feed, end: Position) -> None:
        """Takes in that a room's log came to `end`, at least."""
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
        for first in range(0, len(feeds), ROOMS_PER_QUERY):
            some = feeds[first : first + ROOMS_PER_QUERY]
            # Where they are before that is looked up. They may hear more meanwhile.
            watched = {feed: feed.position for feed in some if feed.position is not None}
            self._unsettled.update(feed for feed in some if feed.position is None)
            try:
                heads = await in_database(history.heads, [feed.room for feed in watched])
            except Exception:
                self._unsettled.update(feeds[first:])
                raise
            for feed, position in watched.items():
                feed.compare(heads[feed.room], position)
