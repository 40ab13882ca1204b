"""The progress of long commands, for a person: a bar on a terminal, elsewhere a line now and then."""

import time
from types import TracebackType
from typing import Any

from django.core.management.base import OutputWrapper
from tqdm import tqdm

LINE_PERIOD = 10.0  # seconds from one line to the next


class ProgressBar:
    """Called with how many are done and of how many, as chat.storage.transfer.progress.Progress."""

    def __init__(self, stderr: OutputWrapper, what: str, unit: str = " entries") -> None:
        self._stderr = stderr
        self._what = what
        self._unit = unit
        self._bar: tqdm[Any] | None = None
        self._next_line = time.monotonic() + LINE_PERIOD

    def __enter__(self) -> "ProgressBar":
        return self

    def __call__(self, done: int, total: int | None) -> None:
        if self._stderr.isatty():
            bar = self._bar = self._bar or tqdm(desc=self._what, unit=self._unit, initial=done, file=self._stderr)
            bar.total = total
            bar.update(done - bar.n)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LINE_PERIOD
            of = "" if total is None else f" of {total:,}"
            self._stderr.write(f"{self._what}: {done:,}{of}{self._unit}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
