"""The report: the clients' ledgers, compared with each other and with the stored messages."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tests.chaos.clients import Client
from tests.chaos.ledger import Heard

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


class Report:
    def __init__(self, clients: list[Client], stored: dict[str, list[Heard]], *, set_back: bool = False) -> None:
        """`stored` is each room's log, as the site has it in the end.

        Nobody may have to start over, unless the database was `set_back`; but then everybody has to who heard what is
        no longer stored.
        """
        self.starts_over = sum(len(client.ledger.starts_over) for client in clients)
        self.sent = sum(len(client.ledger.sent) for client in clients)
        self.gone = sum(len(client.ledger.gone) for client in clients)
        self.acknowledged = self.gone + sum(len(client.ledger.acknowledged) for client in clients)
        kinds = list(dict.fromkeys(client.kind for client in clients))
        self.rows = [
            database(clients, stored),
            *(listeners(kind, [client for client in clients if client.kind == kind], stored) for kind in kinds),
        ]
        self.complaints = [complaint for client in clients for complaint in client.ledger.complaints]
        for client in clients:
            if not set_back:
                self.complaints += [f"{client.name} had to start over {where}" for where in client.ledger.starts_over]
            if client.unacknowledged:
                self.complaints.append(f"{client.name} never had an answer to {', '.join(client.unacknowledged)}")
            for room, heard in client.ledger.heard.items():
                if unheard_of := set(heard) - set(stored[room]):
                    self.complaints.append(f"{client.name} heard in {room} what isn't stored: {unheard_of}")

    @property
    def good(self) -> bool:
        return not self.complaints and not any(row.lost or row.doubled or row.out_of_order for row in self.rows)

    def __str__(self) -> str:
        gone = f", {self.gone} of them by a database that is gone; {self.starts_over} starts over" if self.gone else ""
        lines = [
            f"{self.sent} messages sent, {self.acknowledged} acknowledged{gone}",
            "",
            f"{'':<26} clients  connections  messages  worst delay    lost  doubled  out of order",
        ]
        for row in self.rows:
            delay = "" if row.worst_delay is None else f"{row.worst_delay:.2f} s"
            lines.append(
                f"{row.name:<26} {row.clients or '':>7}  {row.connections or '':>11}  {row.messages:>8}  {delay:>11}  "
                f"{len(row.lost):>6}  {len(row.doubled):>7}  {len(row.out_of_order):>12}"
            )
        for row in self.rows:
            for what in ("lost", "doubled", "out_of_order"):
                lines += [f"{what.replace('_', ' ')}: {text}" for text in getattr(row, what)[:SHOWN]]
        return "\n".join([*lines, *self.complaints[:SHOWN]])


def database(clients: list[Client], stored: dict[str, list[Heard]]) -> Row:
    """Acknowledged messages are stored once, under the offset that was told, and offsets have no holes."""
    entries = [heard for log in stored.values() for heard in log]
    acknowledged = {heard for client in clients for heard in client.ledger.acknowledged.values()}
    return Row(
        name="stored",
        clients=0,
        connections=0,
        messages=len(entries),
        worst_delay=None,
        lost=_texts("the database", acknowledged - set(entries)),
        doubled=[id for id, count in Counter(id for _, id in entries).items() for _ in range(count - 1)],
        out_of_order=[
            f"{room} has {offset} where {number} should be"
            for room, log in stored.items()
            for number, (offset, _) in enumerate(log, 1)
            if offset != number
        ],
    )


def listeners(kind: str, clients: list[Client], stored: dict[str, list[Heard]]) -> Row:
    """Every stored message was heard by everyone in the room, once, in order."""
    row = Row(
        name=kind,
        clients=len(clients),
        connections=sum(client.ledger.connections for client in clients),
        messages=sum(len(heard) for client in clients for heard in client.ledger.heard.values()),
        worst_delay=max(client.ledger.worst_delay for client in clients),
        lost=[],
        doubled=[],
        out_of_order=[],
    )
    for client in clients:
        for room in client.ledger.rooms:
            who = f"{client.name} in {room}"
            row.lost += _texts(who, client.ledger.lost(room, stored[room]))
            row.doubled += _texts(who, client.ledger.doubled(room))
            row.out_of_order += _texts(who, client.ledger.out_of_order(room))
    return row


def _texts(who: str, messages: Iterable[Heard]) -> list[str]:
    return [f"{who}: {offset} ({client_id})" for offset, client_id in sorted(messages)]
