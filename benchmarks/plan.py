"""The plan of what is measured about hearing: servers, and numbers of subscribers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.databases import NEAR, SQLITE, Database
from benchmarks.servers import BARE, NODE_PEER, SITE, TUTORIAL, Server

RATE = 10_000  # deliveries a second that everybody is offered …
TUTORIAL_RATE = 1_000  # … but the tutorial, which would only be seen drowning
SMALL_ROOMS_RATE = 2_000  # … and in small rooms, where it takes so many more messages
SMALL_ROOMS, SMALL_ROOM = 300, 10  # rooms; subscribers in each
SIZES = (200, 800, 3000)


@dataclass(frozen=True)
class Run:
    """One server and one audience. `mode` is the driver's: `ws` or `gql`.

    `apart` is for what it costs to hear from other processes: those who post are at one that isn't counted.
    """

    server: Server
    mode: str
    n: int
    users: str = "same"
    processes: int = 1
    rooms: int = 1
    apart: bool = False
    seconds: float = 3.0  # that the messages of one repetition take to send
    repeat: int = 3

    @property
    def audience(self) -> str:
        """The measurement, the same for all servers."""
        words = ["GraphQL" if self.mode == "gql" else "browser", f"{self.n:,}"]
        if self.rooms > 1:
            words.append(f"in {self.rooms} rooms")
        if self.users == "distinct":
            words.append("distinct users")
        if self.apart:
            words.append("posted in another process")
        elif self.processes > 1:
            words.append(f"{self.processes} processes")
        return ", ".join(words)

    @property
    def deliveries_per_second(self) -> int:
        if self.server is TUTORIAL:
            return TUTORIAL_RATE
        return SMALL_ROOMS_RATE if self.rooms > 1 else RATE

    @property
    def options(self) -> list[str]:
        """The driver's options for it."""
        rate = self.deliveries_per_second * self.rooms / (self.n + self.rooms)
        messages = max(5, round(rate * self.seconds))
        options = {
            "label": f"{self.server.name}: {self.audience}",
            "mode": self.mode,
            "n": self.n,
            "users": self.users,
            "rooms": self.rooms,
            "m": messages,
            "rate": round(rate, 2),
            "repeat": self.repeat,
        }
        return [text for name, value in options.items() for text in (f"--{name}", str(value))]


# A room for each listener, so that the cost is that of hearing a message, and not of handing it on.
HEARING = Run(SITE, "ws", SMALL_ROOMS, rooms=SMALL_ROOMS, processes=2, apart=True, repeat=2)


def full() -> Iterator[Run]:
    """Everything, audience by audience, so that what is compared is measured close together."""
    for n in SIZES:
        yield from (Run(server, "ws", n) for server in (BARE, NODE_PEER, SITE))
        yield from (Run(server, "gql", n) for server in (NODE_PEER, SITE))
        yield from (Run(server, "gql", n, users="distinct") for server in (NODE_PEER, SITE))
        if n < 3000:  # more than that the tutorial's stack does not survive
            yield from (Run(TUTORIAL, mode, n, repeat=2) for mode in ("ws", "gql"))
    for mode in ("ws", "gql"):
        yield from (Run(server, mode, 800, processes=2) for server in (NODE_PEER, SITE))
    yield Run(SITE, "gql", 3000, processes=2)
    for mode in ("ws", "gql"):
        small = SMALL_ROOMS * SMALL_ROOM
        yield from (Run(server, mode, small, rooms=SMALL_ROOMS, repeat=2) for server in (NODE_PEER, SITE))
    yield HEARING


def quick() -> Iterator[Run]:
    """A look at the main figures, in half a minute."""
    yield from (Run(server, "ws", 200, seconds=1, repeat=2) for server in (BARE, SITE))
    yield from (Run(server, "gql", 200, seconds=1, repeat=2) for server in (NODE_PEER, SITE))


def databases(delays: Sequence[float], *, quick: bool) -> list[Database]:
    """The databases with which storing is measured, without sockets."""
    return [SQLITE] if quick else [SQLITE, NEAR, *(Database("PostgreSQL", delay) for delay in delays)]


def searched(*, quick: bool) -> list[Database]:
    """The databases with which searching is measured, by statements alone."""
    return [SQLITE] if quick else [SQLITE, NEAR]
