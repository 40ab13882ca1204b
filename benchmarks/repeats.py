"""Several results of the same measurement, as one."""

from collections.abc import Sequence
from statistics import median
from typing import Any

Result = dict[str, Any]
SUMMED = {
    "lost",
    "doubled",
    "disordered",
    "closed",
    "turned_away",
    "posts_lost",
    "posts_doubled",
    "posts_disordered",
}  # what must not happen even once


def merged(results: Sequence[Result]) -> Result:
    """Medians of numbers, sums of what must not happen, and the first of anything else. A `problem` wins over all."""
    for result in results:
        if "problem" in result:
            return result
    return {key: _merged(key, [result[key] for result in results]) for key in results[0]}


def _merged(key: str, values: list[Any]) -> Any:
    if key in SUMMED:
        return sum(values)
    if key == "errors":
        return [error for errors in values for error in errors][:1]
    numbers = [value for value in values if isinstance(value, (int, float))]
    if None in values and numbers:
        return None  # not reached every time
    return round(median(numbers), 2) if numbers else values[0]
