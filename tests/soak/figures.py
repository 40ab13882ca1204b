"""The memory, tasks and files of a server at one moment, as an operator can see them."""

import re
from dataclasses import dataclass
from statistics import median

import aiohttp
import psutil

from tests.chaos.site import Server

WARM, SPAN = 4, 3  # minutes: what comes before the first that counts, and how many are compared
METRIC = re.compile(r"^chat_(connections|listeners|rooms|tasks)(?:\{.*\})? (\S+)$", re.MULTILINE)


@dataclass
class Figures:
    memory: int  # bytes
    files: int
    threads: int
    connections: int = 0
    listeners: int = 0
    rooms: int = 0
    tasks: int = 0

    @classmethod
    async def of(cls, server: Server, session: aiohttp.ClientSession) -> "Figures":
        async with session.get(f"http://{server.host}/metrics") as answer:
            assert answer.status == 200, answer
            counted = METRIC.findall(await answer.text())
        process = psutil.Process(server.pid)
        figures = cls(process.memory_info().rss, process.num_fds(), process.num_threads())
        for name, value in counted:
            setattr(figures, name, getattr(figures, name) + int(float(value)))
        return figures

    @property
    def held(self) -> dict[str, int]:
        """The numbers that are zero when nobody is connected."""
        return {"connections": self.connections, "listeners": self.listeners, "rooms": self.rooms}


def by_minute(samples: list[Figures], interval: float) -> list[int]:
    """The median memory in each minute, in bytes, of samples that lie `interval` seconds apart."""
    size = max(1, round(60 / interval))
    minutes = [samples[start : start + size] for start in range(0, len(samples), size)]
    return [round(median(one.memory for one in minute)) for minute in minutes]


def growth_once_warm(minutes: list[int]) -> float | None:
    """The share by which memory in the last three minutes lies above that in minutes 5 to 7; None for short runs."""
    if len(minutes) < WARM + 2 * SPAN:
        return None
    return median(minutes[-SPAN:]) / median(minutes[WARM : WARM + SPAN]) - 1


def growth(samples: list[Figures]) -> float:
    """Bytes of memory by which the last third of a run lies above the third before it; the first is for warming up."""
    third = len(samples) // 3
    before, after = (median(one.memory for one in part) for part in (samples[third : 2 * third], samples[2 * third :]))
    return after - before
