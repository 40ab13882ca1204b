"""The promise that is checked beside every measurement: a room's entries in offset order, each once, without holes."""


class Order:
    """Counts what is wrong with the offsets that one listener hears of one room; `after` is the last one it had."""

    def __init__(self, after: int | None = None) -> None:
        self.doubled = 0
        self.disordered = 0
        self._last = after
        self._missing: set[int] = set()

    @property
    def lost(self) -> int:
        """How many offsets before the last one have not come."""
        return len(self._missing)

    def hear(self, offset: int) -> None:
        if self._last is None or offset == self._last + 1:
            self._last = offset
        elif offset > self._last:
            self._missing.update(range(self._last + 1, offset))
            self._last = offset
        elif offset in self._missing:
            self._missing.remove(offset)
            self.disordered += 1
        else:
            self.doubled += 1
