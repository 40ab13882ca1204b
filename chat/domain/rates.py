"""How often something may be done: `20/10s`."""

import re
from functools import lru_cache
from typing import NamedTuple


class Rate(NamedTuple):
    """So many at once, and as many again in every `period` (seconds)."""

    amount: int
    period: float

    @property
    def interval(self) -> float:
        return self.period / self.amount


@lru_cache
def parse_rate(text: str) -> Rate:
    """`20/10s` is twenty in ten seconds; m and h are minutes and hours. Raises ValueError."""
    match = re.fullmatch(r"([1-9]\d{0,8})/([1-9]\d{0,5})?([smh])", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no rate: write something like 20/10s, 100/m or 1000/h")
    amount, count, unit = match.groups()
    return Rate(int(amount), int(count or 1) * {"s": 1, "m": 60, "h": 3600}[unit])
