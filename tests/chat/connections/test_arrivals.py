"""WebSockets that come at once, and how many of them go on in one turn of the event loop."""

import asyncio
from collections import Counter
from typing import Any

from chat.connections.arrivals import ArrivalBudget, Arrivals
from tests.turns import Turns


async def no_message() -> Any:
    raise AssertionError


async def test_websockets_that_come_at_once_are_let_in_a_few_each_turn_in_their_order() -> None:
    turns, let_in = Turns(), list[tuple[int, int]]()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        let_in.append((scope["number"], turns.now))

    arrivals = Arrivals(application)
    count = 10 * ArrivalBudget.per_turn
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(arrivals({"type": "websocket", "number": number}, no_message, no_message))
    turns.stop()
    assert [number for number, _ in let_in] == [*range(count)]
    in_turn = Counter(turn for _, turn in let_in)
    assert max(in_turn.values()) <= 2 * ArrivalBudget.per_turn  # a turn as others count them may lie across two
    assert len(in_turn) >= 5


async def test_requests_over_http_wait_for_no_websockets() -> None:
    answered = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        answered.append(scope["type"])

    arrivals = Arrivals(application)
    waiting = [
        asyncio.ensure_future(arrivals({"type": "websocket"}, no_message, no_message))
        for _ in range(20 * ArrivalBudget.per_turn)
    ]
    await asyncio.sleep(0)
    await arrivals({"type": "http"}, no_message, no_message)
    assert answered[-1] == "http"
    assert not waiting[-1].done()
    await asyncio.gather(*waiting)
