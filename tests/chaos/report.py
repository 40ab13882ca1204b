"""The report: the clients' ledgers, compared with each other and with the stored messages."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tests.chaos.clients import Client
from tests.chaos.ledger import Heard, is_change
from tests.chaos.rooms import StoredRoom
from tests.screen import Screen

SHOWN = 10  # of what went wrong, each kind for each client


@dataclass
class Row:
    """A line of the table. Problems are listed, a text each."""

    name: str
    clients: int
    connections: int
    messages: int
    worst_delay: float | None
    lost: list[str]
    doubled: list[str]
    out_of_order: list[str]
    differing: list[str]  # what one sees, and what is stored


class Report:
    def __init__(self, clients: list[Client], rooms: dict[str, StoredRoom], *, set_back: bool = False) -> None:
        """`rooms` are as the database has them in the end.

        Nobody may have to start over, unless the database was `set_back`; but then everybody has to who heard what is
        no longer stored.
        """
        self.starts_over = sum(len(client.ledger.starts_over) for client in clients)
        self.sent = sum(len(client.ledger.sent) for client in clients)
        self.gone = sum(len(client.ledger.gone) for client in clients)
        self.acknowledged = self.gone + sum(len(client.ledger.acknowledged) for client in clients)
        stored = {name: room.log for name, room in rooms.items()}
        kinds = list(dict.fromkeys(client.kind for client in clients))
        self.rows = [
            database(clients, rooms),
            *(listeners(kind, [client for client in clients if client.kind == kind], rooms) for kind in kinds),
        ]
        ledgers = [client.ledger for client in clients]
        self.complaints = [said for ledger in ledgers for said in (*ledger.complaints, *ledger.contradictions())]
        for client in clients:
            if not set_back:
                self.complaints += broken_promises(client, rooms)
                self.complaints += [f"{client.name} had to start over {where}" for where in client.ledger.starts_over]
            if client.unacknowledged:
                self.complaints.append(f"{client.name} never had an answer to {', '.join(client.unacknowledged)}")
            for room, heard in client.ledger.heard.items():
                if unheard_of := set(heard) - set(stored[room]):
                    self.complaints.append(f"{client.name} heard in {room} what isn't stored: {unheard_of}")

    @property
    def good(self) -> bool:
        return not self.complaints and not any(
            row.lost or row.doubled or row.out_of_order or row.differing for row in self.rows
        )

    def __str__(self) -> str:
        gone = f", {self.gone} of them by a database that is gone; {self.starts_over} starts over" if self.gone else ""
        lines = [
            f"{self.sent} messages and changes sent, {self.acknowledged} acknowledged{gone}",
            "",
            f"{'':<26} clients  connections  messages  worst delay    lost  doubled  out of order  differing",
        ]
        for row in self.rows:
            delay = "" if row.worst_delay is None else f"{row.worst_delay:.2f} s"
            lines.append(
                f"{row.name:<26} {row.clients or '':>7}  {row.connections or '':>11}  {row.messages:>8}  {delay:>11}  "
                f"{len(row.lost):>6}  {len(row.doubled):>7}  {len(row.out_of_order):>12}  {len(row.differing):>9}"
            )
        for row in self.rows:
            for what in ("lost", "doubled", "out_of_order", "differing"):
                lines += [f"{what.replace('_', ' ')}: {text}" for text in getattr(row, what)[:SHOWN]]
        return "\n".join([*lines, *self.complaints[:SHOWN]])


def database(clients: list[Client], rooms: dict[str, StoredRoom]) -> Row:
    """Acknowledged entries are stored under the offset that was told, messages once, and offsets have no holes."""
    stored = {name: room.log for name, room in rooms.items()}
    entries = [heard for log in stored.values() for heard in log]
    acknowledged = {heard for client in clients for heard in client.ledger.acknowledged.values()}
    return Row(
        name="stored",
        clients=0,
        connections=0,
        messages=len(entries),
        worst_delay=None,
        lost=_texts("the database", acknowledged - set(entries)),
        doubled=[
            id for id, count in Counter(id for _, id in entries if not is_change(id)).items() for _ in range(count - 1)
        ],
        out_of_order=[
            f"{room} has {offset} where {number} should be"
            for room, log in stored.items()
            for number, (offset, _) in enumerate(log, 1)
            if offset != number
        ],
        differing=[f"{name}: {problem}" for name, room in rooms.items() for problem in room.problems()],
    )


def listeners(kind: str, clients: list[Client], rooms: dict[str, StoredRoom]) -> Row:
    """Every stored entry was heard by everyone in the room, once, in order, and everyone sees what is stored."""
    row = Row(
        name=kind,
        clients=len(clients),
        connections=sum(client.ledger.connections for client in clients),
        messages=sum(len(heard) for client in clients for heard in client.ledger.heard.values()),
        worst_delay=max(client.ledger.worst_delay for client in clients),
        lost=[],
        doubled=[],
        out_of_order=[],
        differing=[],
    )
    for client in clients:
        for room in client.ledger.rooms:
            who = f"{client.name} in {room}"
            row.lost += _texts(who, client.ledger.lost(room, rooms[room].log))
            row.doubled += _texts(who, client.ledger.doubled(room))
            row.out_of_order += _texts(who, client.ledger.out_of_order(room))
            row.differing += [f"{who}: {one}" for one in differences(client.screens[room], rooms[room].screen)]
    return row


def differences(seen: Screen, stored: Screen) -> list[str]:
    return [
        f"{offset} is {seen.get(offset)} and should be {stored.get(offset)}"
        for offset in sorted(seen.keys() | stored.keys())
        if seen.get(offset) != stored.get(offset)
    ]


def broken_promises(client: Client, rooms: dict[str, StoredRoom]) -> list[str]:
    """Reactions that were acknowledged and aren't as they should be, and refusals for no reason."""
    broken = []
    for (room, target), on in client.ledger.reacted.items():
        there = client.habits.emoji in dict(rooms[room].screen[target].reactions)
        if there != on and target not in rooms[room].deleted:
            broken.append(f"{client.name} {'reacts' if on else 'reacts no longer'} to {target} in {room}: not stored")
    for (room, target), code in client.ledger.refused.items():
        if code != "no_such_message" or target not in rooms[room].deleted:
            broken.append(f"{client.name} could do nothing with {target} in {room}: {code}")
    return broken


def _texts(who: str, messages: Iterable[Heard]) -> list[str]:
    return [f"{who}: {offset} ({client_id})" for offset, client_id in sorted(messages)]
