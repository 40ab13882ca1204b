"""A short run of the soak test, and its own check of growing memory."""

import subprocess
import sys

import pytest

from tests.servers import ROOT
from tests.soak.figures import Figures, by_minute, growth, growth_once_warm


def test_servers_keep_no_memory_files_or_threads_of_past_visitors() -> None:
    command = [sys.executable, "-m", "tests.soak", "--minutes", "0.25", "--seed", "4"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("memory", "grown"),
    [
        ([10, 60, 100, 100, 100, 100, 100, 100, 100], 0),
        ([10, 20, 30, 40, 50, 60, 70, 80, 90], 30),
        ([100, 100, 100, 100, 900, 100, 100, 100, 100], 0),
    ],
)
def test_growth_ignores_warming_up_and_short_peaks(memory: list[int], grown: int) -> None:
    assert growth([Figures(megabytes, files=0, threads=0) for megabytes in memory]) == grown


def test_memory_by_minute_is_the_median_of_each() -> None:
    samples = [Figures(memory, files=0, threads=0) for memory in [1, 2, 90, 4, 5, 6, 7]]
    assert by_minute(samples, interval=20) == [2, 5, 7]


@pytest.mark.parametrize(
    ("minutes", "share"),
    [
        ([10, 20, 30, 40, 100, 100, 100, 101, 102, 103], 0.02),
        ([10, 20, 30, 40, 100, 999, 100, 100, 100, 100], 0),
        ([100, 100, 100, 100, 100, 100, 100, 90, 90, 90], -0.1),
        ([100] * 9, None),
    ],
)
def test_growth_once_warm_compares_the_fifth_minute_with_the_end(minutes: list[int], share: float | None) -> None:
    assert growth_once_warm(minutes) == (None if share is None else pytest.approx(share))
