"""The figures to reach, as ratios of what was measured in one go."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.plan import SIZES, Run
from benchmarks.servers import BARE, NODE_PEER, SITE, TUTORIAL, Server

Result = dict[str, Any]
CPU = "cpu_us_per_delivery"
MODES = {"gql": "GraphQL", "ws": "browser"}


@dataclass(frozen=True)
class Figure:
    """A measured value and its limit: the most it may be, or the `least`. `value` is None where it wasn't measured."""

    what: str
    value: float | None
    most: float | None = None
    aim: float | None = None
    least: float | None = None

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        if (self.most is not None and self.value > self.most) or (self.least is not None and self.value < self.least):
            return "not reached"
        return "reached" if self.aim is None or self.value > self.aim else "reached, and the aim"


class Figures:
    """Looks up results by what was run; `stored` is what was written to databases."""

    def __init__(self, results: Sequence[tuple[Run, Result]], stored: Sequence[Result] = ()) -> None:
        self.results = results
        self.stored = stored

    def __iter__(self) -> Iterator[Figure]:
        yield from self.deliveries()
        yield from self.connections()
        yield from self.writing()
        for mode, name in MODES.items():
            late = self.ratio("p99_ms", SITE, NODE_PEER, mode, 800)
            yield Figure(f"{name} p99 at 10,000 deliveries a second, 800: × Node", late, 1.5)
        yield Figure("lost by this site", self.lost(SITE), 0)

    def deliveries(self) -> Iterator[Figure]:
        """The cost of a delivery."""
        for n, most, aim in ((200, 0.6, None), (800, 1.0, 0.7), (3000, 1.0, 0.7)):
            yield Figure(f"GraphQL CPU, {n:,}: × Node", self.ratio(CPU, SITE, NODE_PEER, "gql", n), most, aim)
        for n in SIZES:
            distinct, same = (self.value(CPU, SITE, "gql", n, users=users) for users in ("distinct", "same"))
            yield Figure(f"GraphQL CPU, {n:,}, distinct users: × same", divided(distinct, same), 1.5)
        for n in SIZES:
            yield Figure(f"browser CPU, {n:,}: × bare uvicorn", self.ratio(CPU, SITE, BARE, "ws", n), 1.6, 1.3)
        for mode, most in (("gql", 1 / 15), ("ws", 1 / 12)):
            for n in (200, 800):
                yield Figure(f"{MODES[mode]} CPU, {n:,}: × tutorial", self.ratio(CPU, SITE, TUTORIAL, mode, n), most)
        for mode, name in MODES.items():
            many, few = (self.value(CPU, SITE, mode, n) for n in (3000, 200))
            yield Figure(f"{name} CPU, 3,000: × 200", divided(many, few), 1.2)
        for n, processes in ((200, 1), (800, 1), (3000, 1), (800, 2), (3000, 2)):
            ran = self.value("redis_per_message", SITE, "gql", n, processes=processes)
            what = f"Redis commands per message, {n:,}, {processes} process{'es' if processes > 1 else ''}"
            yield Figure(what, ran, processes + 1)

    def connections(self) -> Iterator[Figure]:
        """The cost of a connection."""
        for n in SIZES:
            connecting = self.ratio("connect_cpu_ms", SITE, NODE_PEER, "gql", n)
            yield Figure(f"GraphQL connect and subscribe CPU, {n:,}: × Node", connecting, 1.0)
        yield Figure("KiB of an idle GraphQL connection, 3,000", self.value("kib_per_conn", SITE, "gql", 3000), 20)

    def writing(self) -> Iterator[Figure]:
        """How many messages are stored in a second, by ten who post at once."""
        for result in self.stored:
            posts = divided(result.get("posts, 10 at once"), result.get("bare inserts"))
            yield Figure(f"posts stored, {result['database']}: × a loop of bare inserts", posts, least=0.5)

    def value(
        self, key: str, server: Server, mode: str, n: int, *, users: str = "same", processes: int = 1
    ) -> float | None:
        """One result, of a run with everybody in one room."""
        wanted = (server, mode, n, users, processes, 1)
        for run, result in self.results:
            if (run.server, run.mode, run.n, run.users, run.processes, run.rooms) == wanted:
                return result.get(key)
        return None

    def ratio(self, key: str, over: Server, under: Server, mode: str, n: int) -> float | None:
        return divided(self.value(key, over, mode, n), self.value(key, under, mode, n))

    def lost(self, server: Server) -> float | None:
        """None where a run did not get as far as counting."""
        lost = [result.get("lost") for run, result in self.results if run.server is server]
        counted = [one for one in lost if one is not None]
        return sum(counted) if counted and len(counted) == len(lost) else None


def divided(over: float | None, under: float | None) -> float | None:
    return over / under if over is not None and under else None
