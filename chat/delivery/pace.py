"""Something that is done soon after it is asked for, but no more than once an interval."""

import math


class Pace:
    """When it is due, in seconds on the event loop's clock; infinity while nobody has asked."""

    __slots__ = ("_interval", "_last", "due")

    def __init__(self, interval: float) -> None:
        """`interval` is in seconds."""
        self._interval = interval
        self._last = -math.inf
        self.due = math.inf

    def request(self, at: float) -> None:
        """Has it done at `at`, or as soon after that as the interval allows."""
        self.due = min(self.due, max(at, self._last + self._interval))

    def hurry(self, at: float) -> None:
        """Has it done at `at`, whatever the interval says."""
        self.due = min(self.due, at)

    def take(self, now: float) -> bool:
        """Whether it is due; then it counts as done."""
        if now < self.due:
            return False
        self._last, self.due = now, math.inf
        return True
