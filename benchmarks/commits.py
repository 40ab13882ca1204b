"""Commits of many processes to one database, event by event: who waits for a lane, and who for a room's lock."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

TOGETHER_MAX = 250  # messages of one commit, as in chat/actions/group_commit.py


@dataclass(frozen=True, order=True)
class Draft:
    """A message that a process was given `at` this second."""

    at: float
    room: int
    process: int


@dataclass
class Commits:
    """Rooms are spread over the `lanes` of a process. A lane takes all that waits into one commit of `seconds`."""

    lanes: int
    seconds: float
    count: int = 0
    waits: list[float] = field(default_factory=list)  # of each message, from when it came until it was stored
    locked: dict[int, float] = field(default_factory=lambda: defaultdict(float))  # seconds that a room was locked

    def run(self, drafts: Iterable[Draft]) -> Iterator[tuple[float, Draft]]:
        """The times at which drafts are stored. Drafts come in the order of their times."""
        waiting: dict[tuple[int, int], list[Draft]] = defaultdict(list)
        busy: list[tuple[float, tuple[int, int], list[Draft]]] = []  # commits under way, by when they end
        at_work: set[tuple[int, int]] = set()
        free_at: dict[int, float] = defaultdict(float)  # when a room's lock is free again

        def begin(now: float, lane: tuple[int, int]) -> None:
            together, waiting[lane] = waiting[lane][:TOGETHER_MAX], waiting[lane][TOGETHER_MAX:]
            rooms = {draft.room for draft in together}
            ends = max(now, *(free_at[room] for room in rooms)) + self.seconds
            for room in rooms:
                free_at[room] = ends
                self.locked[room] += self.seconds
            at_work.add(lane)
            self.count += 1
            heapq.heappush(busy, (ends, lane, together))

        def end() -> Iterator[tuple[float, Draft]]:
            now, lane, together = heapq.heappop(busy)
            at_work.discard(lane)
            for draft in together:
                self.waits.append(now - draft.at)
                yield now, draft
            if waiting[lane]:
                begin(now, lane)

        for draft in drafts:
            while busy and busy[0][0] <= draft.at:
                yield from end()
            lane = (draft.process, draft.room % self.lanes)
            waiting[lane].append(draft)
            if lane not in at_work:
                begin(draft.at, lane)
        while busy:
            yield from end()
