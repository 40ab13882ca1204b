"""The results as text."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from benchmarks.figures import Figure
from benchmarks.measured import Stored
from benchmarks.plan import Run
from benchmarks.repeats import Result

DELIVERIES = {
    "µs CPU per delivery": "cpu_us_per_delivery",
    "p50 ms": "p50_ms",
    "p99 ms": "p99_ms",
    "deliveries/s": "deliveries_per_s",
    "lost": "lost",
    "doubled": "extra",
    "out of order": "disordered",
    "turned away": "failed",
    "CPU ms per connect": "connect_cpu_ms",
    "KiB per idle": "kib_per_conn",
    "Redis per message": "redis_per_message",
    "others' CPUs": "other_cpus",
}
POSTERS = {
    "posts/s": "per_s",
    "p50 ms": "p50_ms",
    "p99 ms": "p99_ms",
    "µs CPU per post": "cpu_us_per_post",
    "µs of the database's": "database_cpu_us_per_post",
    "lost": "lost",
    "doubled": "doubled",
    "out of order": "disordered",
    "others' CPUs": "other_cpus",
}
STORMS = {
    "calm p99 ms": "calm_p99_ms",
    "p99 ms around": "storm_p99_ms",
    "p99 ms during": "during_p99_ms",
    "all back s": "all_back_s",
    "half back ms": "back_p50_ms",
    "CPU ms per return": "cpu_ms_per_return",
    "turned away": "turned_away",
    "lost": "lost",
    "doubled": "doubled",
    "out of order": "disordered",
    "others' CPUs": "other_cpus",
}
IDLE_ROOMS = {
    "% of a core": "percent_of_a_core",
    "of the database's": "database_percent",
    "µs CPU to join one": "join_cpu_us_per_room",
    "KiB of one": "kib_per_room",
}
PRESENCE = {
    "presence frames/s": "presence_frames_per_client_per_s",
    "typing frames/s": "typing_frames_per_client_per_s",
    "KiB/s": "kib_per_client_per_s",
    "% of a core": "percent_of_a_core",
    "Redis publishes/s": "redis_publishes_per_s",
}
"""The first three of each client."""


def deliveries(results: Sequence[tuple[Run, Result]]) -> Table:
    """A line for each run; those of one audience stand together."""
    table = Table("audience", "server", box=box.MARKDOWN)
    for column in DELIVERIES:
        table.add_column(column, justify="right")
    by_audience: dict[str, list[tuple[Run, Result]]] = {}
    for run, result in results:
        by_audience.setdefault(run.audience, []).append((run, result))
    for audience, same in by_audience.items():
        for run, result in same:
            if problem := result.get("problem"):
                table.add_row(audience, run.server.name, problem.splitlines()[-1][:60])
            else:
                table.add_row(audience, run.server.name, *(number(result[key]) for key in DELIVERIES.values()))
    return table


def loads(what: str, program: str, columns: Mapping[str, str], results: Sequence[Stored]) -> Table:
    """A line for each load of one program, those of a load together."""
    table = Table(what, "database", box=box.MARKDOWN)
    for column in columns:
        table.add_column(column, justify="right")
    of_program = [one for one in results if one.load.program == program]
    titles = list(dict.fromkeys(one.load.title for one in of_program))
    for one in sorted(of_program, key=lambda one: titles.index(one.load.title)):
        if problem := one.result.get("problem"):
            table.add_row(one.load.title, one.database.name, problem.splitlines()[-1][:60])
        else:
            cells = (number(one.result[key]) for key in columns.values())
            table.add_row(one.load.title, one.database.name, *cells)
    return table


def written(results: Sequence[Result]) -> Table:
    """Messages a second, by database."""
    table = Table("stored in a second, without sockets", box=box.MARKDOWN)
    for result in results:
        table.add_column(result["database"], justify="right")
    for name in dict.fromkeys(name for result in results for name in result if name not in {"database", "problem"}):
        table.add_row(name, *(number(result.get(name)) for result in results))
    return table


def presence(results: Sequence[Result]) -> Table:
    """A line for each run, or for what went wrong."""
    table = Table("presence and typing", box=box.MARKDOWN)
    for column in PRESENCE:
        table.add_column(column, justify="right")
    for result in results:
        if problem := result.get("problem"):
            table.add_row(problem.splitlines()[-1][:60])
        else:
            asked = "asked for" if result["with"] else "not asked for"
            what = f"{result['people']:,} people, {result['churn']} come and go a second: {asked}"
            table.add_row(what, *(number(result[key]) for key in PRESENCE.values()))
    return table


def searched(results: Sequence[Result]) -> Table:
    """A line for each search, with the 99th percentile on each database."""
    table = Table("99 of 100 searches take at most", box=box.MARKDOWN)
    times: dict[str, dict[str, object]] = {}
    for result in results:
        table.add_column(f"{result['database']}, ms", justify="right")
        for one in result.get("searches", ()):
            times.setdefault(one["search"], {})[result["database"]] = one["p99 ms"]
    for search, found in times.items():
        table.add_row(search, *(number(found.get(result["database"])) for result in results))
    return table


def compared(figures: Iterable[Figure], before: Mapping[str, float | None]) -> Table:
    """`before` has values of another run, by `what`; where there are any, they get a column."""
    table = Table("figure", box=box.MARKDOWN)
    for column in (*(["before"] if before else []), "measured", "at least", "at most"):
        table.add_column(column, justify="right")
    table.add_column("")
    for figure in figures:
        shown = [number(one) for one in (figure.value, figure.least, figure.most)]
        earlier = [number(before.get(figure.what))] if before else []
        table.add_row(figure.what, *earlier, *shown, figure.verdict)
    return table


def number(value: Any) -> str:
    """Three digits, or all of those before the point; `–` for None."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:.3g}"
