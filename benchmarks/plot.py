"""The results as a picture."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from benchmarks import servers
from benchmarks.measured import Measured, Stored
from benchmarks.plan import Run
from benchmarks.repeats import Result

COLOURS = {"this site": "#1b7f5c", "Node": "#e0a030", "bare uvicorn": "#9aa5b1", "tutorial": "#b5483d"}
BAR_COLOURS = ("#1b7f5c", "#e0a030", "#9aa5b1", "#b5483d", "#5a6fb0")
PANELS = [
    ("gql", "cpu_us_per_delivery", "GraphQL: server CPU per delivery, µs"),
    ("ws", "cpu_us_per_delivery", "Browser: server CPU per delivery, µs"),
    ("gql", "p99_ms", "GraphQL: p99 ms to a subscriber (tutorial: a tenth of the rate)"),
    ("gql", "connect_cpu_ms", "GraphQL: server CPU to connect and subscribe, ms"),
]


def draw(measured: Measured, path: Path) -> None:
    """Writes a PNG: what each server costs in one process, by number of subscribers, and what storing takes."""
    figure, axes = plt.subplots(3, 2, figsize=(12, 12), layout="constrained")
    plain = [
        (run, result)
        for run, result in measured.fan_out
        if (run.users, run.processes, run.rooms) == ("same", 1, 1) and "problem" not in result
    ]
    for panel, (mode, key, title) in zip(axes.flat, PANELS, strict=False):
        _lines(panel, [(run, result) for run, result in plain if run.mode == mode], key)
        panel.set_title(title, loc="left", fontsize=11)
    stored = [one for one in measured.storing if "problem" not in one.result]
    _bars(axes[2, 0], [one for one in stored if one.load.program == "posters"], ["per_s"])
    axes[2, 0].set_title("Posts a second, by posters and rooms", loc="left", fontsize=11)
    _bars(axes[2, 1], [one for one in stored if one.load.program == "storm"], ["calm_p99_ms", "storm_p99_ms"])
    axes[2, 1].set_title("p99 ms of posts: calm, and around a storm", loc="left", fontsize=11)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _bars(panel: Axes, results: Sequence[Stored], keys: Sequence[str]) -> None:
    """A group of bars for each load, one for each database and key; the first keys are paler."""
    loads = list(dict.fromkeys(one.load.title for one in results))
    names = list(dict.fromkeys(one.database.name for one in results))
    width = 0.8 / max(1, len(names) * len(keys))
    for number, (name, key) in enumerate((name, key) for name in names for key in keys):
        heights = {one.load.title: one.result[key] for one in results if one.database.name == name}
        across = [loads.index(title) + (number + 0.5) * width - 0.4 for title in heights]
        paler = 1.0 if key == keys[-1] else 0.4
        label = name if key == keys[-1] else None
        colour = BAR_COLOURS[names.index(name) % len(BAR_COLOURS)]
        bars = panel.bar(across, [height or 0 for height in heights.values()], width, label=label, color=colour)
        for bar in bars:
            bar.set_alpha(paler)
        panel.bar_label(bars, fmt=lambda height: f"{height:,.3g}" if height < 1000 else f"{height:,.0f}", fontsize=7)
    panel.set_xticks(range(len(loads)), [title.replace(", ", "\n", 1) for title in loads], fontsize=9)
    panel.margins(y=0.12)
    if loads:
        panel.set_yscale("log")
        panel.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:,g}"))
        panel.yaxis.set_minor_formatter(NullFormatter())
        panel.legend(frameon=False, fontsize=9)
    panel.spines[["top", "right"]].set_visible(False)


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
