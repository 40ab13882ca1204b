"""The crowd of a large site: rooms whose sizes have a heavy tail, and the processes that their listeners are at."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

LARGE = 20  # listeners for each process; a room as large as that is spread evenly


@dataclass(frozen=True)
class Crowd:
    """`connections` browsers, each in one of `rooms`; the room of rank k has 1/k**`tail` of the largest one's size.

    `messages` are said in a second, by everybody alike, but no more than `room_rate` in one room: faster than that
    nobody reads.
    """

    connections: int = 1_000_000
    rooms: int = 100_000
    tail: float = 1.0
    messages: float = 10_000
    room_rate: float = 5.0

    def sizes(self) -> list[int]:
        """The largest first. They add up to `connections`, and no room is empty."""
        weights = [1 / rank**self.tail for rank in range(1, self.rooms + 1)]
        spare = self.connections - self.rooms  # one is in each
        scale = spare / sum(weights)
        sizes = [1 + int(weight * scale) for weight in weights]
        for number in range(self.connections - sum(sizes)):  # what was cut off behind the point
            sizes[number % self.rooms] += 1
        return sizes

    def rates(self, sizes: Sequence[int]) -> list[float]:
        """Messages a second in each room, by size up to `room_rate`; what a large room can't take is said in others."""
        rates = [0.0] * len(sizes)
        left, open_rooms = self.messages, list(range(len(sizes)))
        while left > 1e-6 and open_rooms:
            share = left / sum(sizes[room] for room in open_rooms)
            for room in open_rooms:
                rates[room] = min(self.room_rate, rates[room] + share * sizes[room])
            open_rooms = [room for room in open_rooms if rates[room] < self.room_rate]
            left = self.messages - sum(rates)
        return rates


def spread(sizes: Sequence[int], processes: int, together: int, chance: random.Random) -> list[Counter[int]]:
    """How many of each room's listeners are at which process.

    A balancer spreads them by chance. It keeps rooms of up to `together` listeners at one process each.
    """
    return [_spread_room(size, processes, together, chance) for size in sizes]


def _spread_room(size: int, processes: int, together: int, chance: random.Random) -> Counter[int]:
    if size <= together:
        return Counter({chance.randrange(processes): size})
    if size >= LARGE * processes:
        each, more = divmod(size, processes)
        return Counter({process: each + (process < more) for process in range(processes)})
    return Counter(chance.choices(range(processes), k=size))
