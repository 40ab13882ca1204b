"""How much of one kind of work may be done in one turn of the event loop, so that all else there gets its turn."""

import asyncio
from collections import deque
from typing import ClassVar

from chat.per_loop import PerLoop


class TurnBudget(PerLoop):
    """Base of a budget that is shared by all in an event loop who do the same kind of work: `per_turn` pieces of it."""

    per_turn: ClassVar[int]

    def __init__(self) -> None:
        self._left = self.per_turn
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()  # with what each costs
        self._renewal: asyncio.Handle | None = None

    def spend(self, cost: int = 1) -> bool:
        """Whether this turn of the loop has room for one more; then it counts as `cost` pieces.

        One that costs more than is left goes all the same, and is the last of its turn.
        """
        if self._left <= 0:
            return False
        self._left -= cost
        self._renew_next_turn()
        return True

    async def wait(self, cost: int = 1) -> None:
        """Until there is room for one more; it counts as `cost`. First come, first served."""
        if not self.spend(cost):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append((turn, cost))
            await turn

    def _renew_next_turn(self) -> None:
        if self._renewal is None:
            self._renewal = asyncio.get_running_loop().call_soon(self._renew)

    def _renew(self) -> None:
        self._renewal = None
        self._left = self.per_turn
        while self._left > 0 and self._waiting:
            turn, cost = self._waiting.popleft()
            if not turn.done():  # else nobody waits for it any more
                turn.set_result(None)
                self._left -= cost
        if self._left < self.per_turn:
            self._renew_next_turn()
