"""The results as text."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.table import Table

from benchmarks.figures import Figure, Result
from benchmarks.plan import Run

COLUMNS = {
    "µs CPU per delivery": "cpu_us_per_delivery",
    "p50 ms": "p50_ms",
    "p99 ms": "p99_ms",
    "deliveries/s": "deliveries_per_s",
    "lost": "lost",
    "turned away": "failed",
    "CPU ms per connect": "connect_cpu_ms",
    "KiB per idle": "kib_per_conn",
    "Redis per message": "redis_per_message",
    "others' CPUs": "other_cpus",
}


def measured(results: Sequence[tuple[Run, Result]]) -> Table:
    """A line for each run; those of one audience stand together."""
    table = Table("audience", "server", box=box.MARKDOWN)
    for column in COLUMNS:
        table.add_column(column, justify="right")
    by_audience: dict[str, list[tuple[Run, Result]]] = {}
    for run, result in results:
        by_audience.setdefault(run.audience, []).append((run, result))
    for audience, same in by_audience.items():
        for run, result in same:
            if problem := result.get("problem"):
                table.add_row(audience, run.server.name, problem.splitlines()[-1][:60])
            else:
                table.add_row(audience, run.server.name, *(number(result[key]) for key in COLUMNS.values()))
    return table


def stored(results: Sequence[Result]) -> Table:
    """Messages a second, by database."""
    table = Table("stored in a second", box=box.MARKDOWN)
    for result in results:
        table.add_column(result["database"], justify="right")
    for name in dict.fromkeys(name for result in results for name in result if name not in {"database", "problem"}):
        table.add_row(name, *(number(result.get(name)) for result in results))
    return table


def compared(figures: Iterable[Figure]) -> Table:
    table = Table("figure", box=box.MARKDOWN)
    for column in ("measured", "at least", "at most", "aim"):
        table.add_column(column, justify="right")
    table.add_column("")
    for figure in figures:
        shown = (number(one) for one in (figure.value, figure.least, figure.most, figure.aim))
        table.add_row(figure.what, *shown, figure.verdict)
    return table


def number(value: Any) -> str:
    """Three digits, or all of those before the point; `–` for None."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:.3g}"
