"""The messages that one client sent, had acknowledged, and heard."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

Heard = tuple[int, str]
"""An offset, and the client id of the message that was heard under it."""


@dataclass
class Ledger:
    rooms: list[str]
    sent: set[str] = field(default_factory=set)  # client ids
    sent_again: Counter[str] = field(default_factory=Counter)
    acknowledged: dict[str, Heard] = field(default_factory=dict)
    heard: dict[str, list[Heard]] = field(default_factory=dict)  # by room, all there was, as it came
    positions: dict[str, int] = field(default_factory=dict)
    connections: int = 0
    closings: Counter[int | None] = field(default_factory=Counter)  # how they ended, by close code
    worst_delay: float = 0.0  # seconds from when a message was stored, or the listener came back, to when it was heard
    complaints: list[str] = field(default_factory=list)  # what a client should never be told

    def __post_init__(self) -> None:
        self.heard = {room: [] for room in self.rooms}
        self.positions = dict.fromkeys(self.rooms, 0)

    def send(self, client_id: str) -> None:
        if client_id in self.sent:
            self.sent_again[client_id] += 1
        self.sent.add(client_id)

    def acknowledge(self, client_id: str, offset: int) -> None:
        first = self.acknowledged.setdefault(client_id, (offset, client_id))
        if first[0] != offset:
            self.complaints.append(f"{client_id} was acknowledged under {first[0]} and under {offset}")

    def hear(self, room: str, offset: int, client_id: str, *, sent_at: float, connected_at: float) -> None:
        """Takes what arrived. `sent_at` and `connected_at` are seconds, as time.time() counts them."""
        self.heard[room].append((offset, client_id))
        self.positions[room] = max(offset, self.positions[room])
        self.worst_delay = max(self.worst_delay, time.time() - max(sent_at, connected_at))

    def is_answer(self, room: str, offset: int, client_id: str) -> bool:
        """Whether this was said to this client alone, because it sent again what had been stored and heard."""
        if offset > self.positions[room] or not self.sent_again[client_id]:
            return False
        self.sent_again[client_id] -= 1  # one answer each time
        return True

    def lost(self, room: str, stored: Iterable[Heard]) -> set[Heard]:
        return set(stored) - set(self.heard[room])

    def doubled(self, room: str) -> list[Heard]:
        return [heard for heard, count in Counter(self.heard[room]).items() for _ in range(count - 1)]

    def out_of_order(self, room: str) -> list[Heard]:
        """The messages that were first heard after a later one."""
        found, last, seen = [], 0, set()
        for heard in self.heard[room]:
            if heard[0] < last and heard not in seen:
                found.append(heard)
            seen.add(heard)
            last = max(last, heard[0])
        return found
