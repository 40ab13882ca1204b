"""Percentiles of times."""

from collections.abc import Sequence


def milliseconds(ordered: Sequence[int], share: float) -> float | None:
    """The percentile at `share` (0 to 1) of nanoseconds in ascending order. None if there are none."""
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1e6, 2)
