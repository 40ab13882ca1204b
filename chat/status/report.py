"""The report of a process about itself: how much it does, and what it met lately."""

import os
import socket
import time
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from django.conf import settings
from prometheus_client import Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.metrics import MetricWrapperBase

from chat import metrics
from chat.per_loop import PerLoop

LATELY = 300.0  # seconds, over which rates are taken
SLOW = 2.0  # seconds from when a message was sent to when it was written here; a bucket of the metric ends there
COUNTERS: Mapping[str, Counter] = {
    "posts": metrics.POSTS,
    "deliveries": metrics.DELIVERIES,
    "repaired": metrics.REPAIRED,
    "slow_listeners": metrics.SLOW_LISTENERS,
    "limits_hit": metrics.LIMITS_HIT,
    "masked_errors": metrics.MASKED_ERRORS,
    "database_errors": metrics.DATABASE_ERRORS,
}
_of_process = ProcessCollector(registry=None)


@dataclass(frozen=True, slots=True)
class ProcessReport:
    """A process as it was when it wrote this. Unknown numbers are 0: it may be of another release."""

    id: str
    host: str = ""
    process: int = 0
    port: int = 0
    uptime: float = 0  # seconds
    connections: int = 0
    listeners: int = 0
    rooms: int = 0
    posts: int = 0
    redis: bool = True
    cpu: float = 0  # of one core, lately
    memory: int = 0  # bytes
    open_files: int = 0
    open_files_max: int = 0
    slow_share: float = 0  # of the messages that came lately, those that took longer than SLOW
    rates: Mapping[str, float] = field(default_factory=dict)  # by the names of COUNTERS: so many a second, lately

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, given: Mapping[str, Any]) -> "ProcessReport":
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in given.items() if name in known})


@dataclass(frozen=True, slots=True)
class Sample:
    """The counters at a time, by time.monotonic."""

    at: float
    cpu: float
    counts: Mapping[str, float]
    heard: float
    heard_soon: float


class Reporter(PerLoop):
    """Makes the reports of this process, and remembers how its counters stood."""

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self._began = time.monotonic()
        self._samples: deque[Sample] = deque([_sample()])

    def report(self) -> ProcessReport:
        now = _sample()
        while len(self._samples) > 1 and now.at - self._samples[1].at >= LATELY:
            self._samples.popleft()
        before = self._samples[0]
        if now.at - self._samples[-1].at >= LATELY / 60:
            self._samples.append(now)
        passed = max(1.0, now.at - before.at)
        heard = now.heard - before.heard
        late = heard - (now.heard_soon - before.heard_soon)
        process = _process()
        return ProcessReport(
            id=self.id,
            host=socket.gethostname(),
            process=os.getpid(),
            port=settings.PORT,
            uptime=now.at - self._began,
            connections=int(_sum(metrics.CONNECTIONS)),
            listeners=int(_sum(metrics.LISTENERS)),
            rooms=int(_sum(metrics.ROOMS)),
            posts=int(now.counts["posts"]),
            redis=bool(_sum(metrics.REDIS_UP)),
            cpu=(now.cpu - before.cpu) / passed,
            memory=int(process.get("process_resident_memory_bytes", 0)),
            open_files=int(process.get("process_open_fds", 0)),
            open_files_max=int(process.get("process_max_fds", 0)),
            slow_share=late / heard if heard else 0,
            rates={name: (count - before.counts[name]) / passed for name, count in now.counts.items()},
        )


def _sample() -> Sample:
    heard, heard_soon = _latency(metrics.LATENCY)
    counts = {name: _sum(counter) for name, counter in COUNTERS.items()}
    return Sample(time.monotonic(), time.process_time(), counts, heard, heard_soon)


def _sum(metric: Counter | Gauge) -> float:
    return float(sum(sample.value for sample in _samples_of(metric)))


def _latency(metric: Histogram) -> tuple[float, float]:
    """How many messages were heard, and how many of them within SLOW."""
    buckets = {sample.labels["le"]: sample.value for sample in _samples_of(metric) if "le" in sample.labels}
    return buckets["+Inf"], buckets[str(SLOW)]


def _samples_of(metric: MetricWrapperBase) -> list[Any]:
    return [sample for family in metric.collect() for sample in family.samples]


def _process() -> dict[str, float]:
    return {sample.name: sample.value for family in _of_process.collect() for sample in family.samples}
