"""All that one run of the benchmarks measured, to be looked up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.databases import Database
from benchmarks.plan import Run
from benchmarks.repeats import Result
from benchmarks.servers import SITE, Server
from benchmarks.storing_plan import Load, posters_title


@dataclass(frozen=True)
class Stored:
    """The result of a load's program for the site on a database."""

    database: Database
    load: Load
    result: Result

    @property
    def row(self) -> Result:
        name = {"database": self.database.name, "delay_ms": self.database.delay}
        return {**name, "program": self.load.program, "load": self.load.title, **self.result}


@dataclass(frozen=True)
class Measured:
    """`writing` and `searching` have a result for each database, `presence` one for each run: those of the programs."""

    fan_out: Sequence[tuple[Run, Result]] = ()
    storing: Sequence[Stored] = ()
    writing: Sequence[Result] = ()
    presence: Sequence[Result] = ()
    searching: Sequence[Result] = ()

    def value(self, key: str, server: Server, mode: str, n: int, *, users: str = "same", processes: int = 1) -> Any:
        """One result of a run with everybody in one room, or None."""
        wanted = (server, mode, n, users, processes, 1)  # in one room
        for run, result in self.fan_out:
            if (run.server, run.mode, run.n, run.users, run.processes, run.rooms) == wanted:
                return result.get(key)
        return None

    def ratio(self, key: str, over: Server, under: Server, mode: str, n: int) -> float | None:
        above, below = (self.value(key, server, mode, n) for server in (over, under))
        return above / below if above is not None and below else None

    def of_posters(self, key: str, posters: int, rooms: int, delay: float) -> Any:
        return self._stored(key, "posters", posters_title(posters, rooms), delay)

    def of_storm(self, key: str, title: str, delay: float) -> Any:
        return self._stored(key, "storm", title, delay)

    def of_idle_rooms(self, title: str) -> Any:
        return self._stored("percent_of_a_core", "idle_rooms", title, 0)

    def of_presence(self, key: str) -> Any:
        """The figure `key` of the run whose clients ask for presence and typing; None if that was not measured."""
        return next((run.get(key) for run in self.presence if run.get("with")), None)

    def _stored(self, key: str, program: str, title: str, delay: float) -> Any:
        """Of PostgreSQL at this distance, or None."""
        for one in self.storing:
            place = (one.database.product, one.database.delay)
            if place == ("PostgreSQL", delay) and (one.load.program, one.load.title) == (program, title):
                return one.result.get(key)
        return None

    def broken(self, promise: str) -> float | None:
        """How often a promise was broken by the site: `lost`, `doubled` or `disordered`.

        None where nothing was counted, or where a run did not get as far as counting.
        """
        results = [result for run, result in self.fan_out if run.server is SITE]
        results += [one.result for one in self.storing]
        if not results or any("problem" in result for result in results):
            return None
        return sum(sum(_counts(result, promise)) for result in results)


def _counts(result: Result, promise: str) -> Iterator[float]:
    names = {"doubled": ("doubled", "extra")}.get(promise, (promise,))
    yield from (result[name] for name in (*names, f"posts_{promise}") if name in result)
