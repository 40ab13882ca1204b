"""The messages and changes that one client sent, had acknowledged, and heard."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

Heard = tuple[int, str]
"""An offset, and what was heard under it: a message's client id, or a change, as `change_of` names it."""


def change_of(kind: str, target: int) -> str:
    """An edit, a reaction or a deletion of the message at `target`."""
    kind = kind.lower()
    return f"{({'react': 'reaction', 'delete': 'deletion'}).get(kind, kind)} of {target}"


def is_change(what: str) -> bool:
    return " of " in what


@dataclass
class Ledger:
    rooms: list[str]
    sent: set[str] = field(default_factory=set)  # ids, of messages those that all get
    sent_again: Counter[str] = field(default_factory=Counter)
    acknowledged: dict[str, Heard] = field(default_factory=dict)
    heard: dict[str, list[Heard]] = field(default_factory=dict)  # by room, as it came, since it last started over
    heard_before: dict[str, list[list[Heard]]] = field(default_factory=dict)  # and each time until it started over
    started_at: dict[str, int] = field(default_factory=dict)  # by room: what is up to this offset is in the history
    positions: dict[str, int] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)  # of the entries at the positions
    acknowledged_at: dict[str, float] = field(default_factory=dict)  # by client id, as time.time() counts
    contradicted: dict[str, Heard] = field(default_factory=dict)  # acknowledged as something else than before
    gone: dict[str, Heard] = field(default_factory=dict)  # acknowledged, but by a database that is gone
    refused: dict[tuple[str, int], str] = field(default_factory=dict)  # codes, by room and message to be changed
    reacted: dict[tuple[str, int], bool] = field(default_factory=dict)  # whether it does, by its last acknowledged act
    starts_over: list[str] = field(default_factory=list)
    connections: int = 0
    closings: Counter[int | None] = field(default_factory=Counter)  # how they ended, by close code
    worst_delay: float = 0.0  # seconds from when a message was stored, or the listener came back, to when it was heard
    complaints: list[str] = field(default_factory=list)  # what a client should never be told

    def __post_init__(self) -> None:
        self.heard = {room: [] for room in self.rooms}
        self.heard_before = {room: [] for room in self.rooms}
        self.positions = dict.fromkeys(self.rooms, 0)
        self.started_at = dict.fromkeys(self.rooms, 0)

    def send(self, client_id: str) -> None:
        if client_id in self.sent:
            self.sent_again[client_id] += 1
        self.sent.add(client_id)

    def acknowledge(self, client_id: str, offset: int, what: str | None = None) -> None:
        """`what` is stored under `offset`; without it, the message."""
        first = self.acknowledged.setdefault(client_id, (offset, what or client_id))
        self.acknowledged_at.setdefault(client_id, time.time())
        if first[0] != offset:
            self.contradicted[client_id] = (offset, what or client_id)

    def hear(
        self, room: str, offset: int, client_id: str, *, sent_at: float, connected_at: float, id: str = ""
    ) -> None:
        """Takes what arrived. `sent_at` and `connected_at` are seconds, as time.time() counts them."""
        self.heard[room].append((offset, client_id))
        if offset > self.positions[room]:
            self.positions[room], self.ids[room] = offset, id
        self.worst_delay = max(self.worst_delay, time.time() - max(sent_at, connected_at))

    def start_over(self, room: str, offset: int, id: str) -> None:
        """Goes on after `offset`; what is before it, the client reads in the history."""
        self.starts_over.append(f"in {room} at {offset}")
        self.heard_before[room].append(self.heard[room])
        self.heard[room] = []
        self.positions[room] = self.started_at[room] = offset
        self.ids[room] = id

    def forget_acknowledged(self, since: float) -> None:
        """The database was set back to what it was at `since`: what was acknowledged from then to now may be lost."""
        for client_id, at in list(self.acknowledged_at.items()):
            if at >= since:
                self.gone[client_id] = self.acknowledged.pop(client_id)
                del self.acknowledged_at[client_id]
                self.contradicted.pop(client_id, None)  # each database may have acknowledged it

    def contradictions(self) -> list[str]:
        return [
            f"{client_id} was acknowledged under {self.acknowledged[client_id][0]} and under {offset}"
            for client_id, (offset, _what) in self.contradicted.items()
        ]

    def is_answer(self, room: str, offset: int, client_id: str) -> bool:
        """Whether this was said to this client alone, because it sent again what had been stored and heard."""
        if offset > self.positions[room] or not self.sent_again[client_id]:
            return False
        self.sent_again[client_id] -= 1  # one answer each time
        return True

    def lost(self, room: str, stored: Iterable[Heard]) -> set[Heard]:
        """Entries of the log that weren't heard since it last started over, and holes in those heard before that."""
        missing = {entry for entry in stored if entry[0] > self.started_at[room]} - set(self.heard[room])
        for heard in filter(None, self.heard_before[room]):
            offsets = {offset for offset, _ in heard}
            missing |= {
                (offset, "of a log that went back") for offset in {*range(min(offsets), max(offsets))} - offsets
            }
        return missing

    def doubled(self, room: str) -> list[Heard]:
        return [
            heard
            for part in (*self.heard_before[room], self.heard[room])
            for heard, count in Counter(part).items()
            for _ in range(count - 1)
        ]

    def out_of_order(self, room: str) -> list[Heard]:
        """The messages that were first heard after a later one."""
        found: list[Heard] = []
        for part in (*self.heard_before[room], self.heard[room]):
            last, seen = 0, set()
            for heard in part:
                if heard[0] < last and heard not in seen:
                    found.append(heard)
                seen.add(heard)
                last = max(last, heard[0])
        return found
