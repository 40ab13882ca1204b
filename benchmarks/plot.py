"""The results as a picture."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from benchmarks import servers
from benchmarks.figures import Result
from benchmarks.plan import Run

COLOURS = {"this site": "#1b7f5c", "Node": "#e0a030", "bare uvicorn": "#9aa5b1", "tutorial": "#b5483d"}
PANELS = [
    ("gql", "cpu_us_per_delivery", "GraphQL: server CPU per delivery, µs"),
    ("ws", "cpu_us_per_delivery", "Browser: server CPU per delivery, µs"),
    ("gql", "p99_ms", "GraphQL: p99 ms to a subscriber (tutorial: a tenth of the rate)"),
    ("gql", "connect_cpu_ms", "GraphQL: server CPU to connect and subscribe, ms"),
]


def draw(results: Sequence[tuple[Run, Result]], path: Path) -> None:
    """Writes a PNG: what each server costs in one process, by number of subscribers; axes are logarithmic."""
    figure, axes = plt.subplots(2, 2, figsize=(12, 8), layout="constrained")
    plain = [
        (run, result)
        for run, result in results
        if (run.users, run.processes, run.rooms) == ("same", 1, 1) and "problem" not in result
    ]
    for panel, (mode, key, title) in zip(axes.flat, PANELS, strict=True):
        _lines(panel, [(run, result) for run, result in plain if run.mode == mode], key)
        panel.set_title(title, loc="left", fontsize=11)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _lines(panel: Axes, results: Sequence[tuple[Run, Result]], key: str) -> None:
    sizes = sorted({run.n for run, _ in results})
    for server in servers.ALL:
        heights = {run.n: result[key] for run, result in results if run.server is server}
        if not heights:
            continue
        across = [sizes.index(n) for n in heights]
        panel.plot(across, list(heights.values()), "o-", label=server.name, color=COLOURS[server.name])
        for x, y in zip(across, heights.values(), strict=True):
            panel.annotate(
                f"{y:,.3g}" if y < 1000 else f"{y:,.0f}", (x, y), (7, 4), textcoords="offset points", fontsize=9
            )
    panel.set_yscale("log")
    panel.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:,g}"))
    panel.yaxis.set_minor_formatter(NullFormatter())
    panel.margins(x=0.12, y=0.15)
    panel.set_xticks(range(len(sizes)), [f"{n:,}" for n in sizes])
    panel.set_xlabel("subscribers of one room", fontsize=9)
    panel.spines[["top", "right"]].set_visible(False)
    if sizes:
        panel.legend(frameon=False, fontsize=9)
