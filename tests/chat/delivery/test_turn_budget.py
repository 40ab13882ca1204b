"""The limit of work in one turn of the event loop, of renderings say, and the order of waiting tasks."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from chat.delivery.rendering_budget import RenderingBudget
from tests.turns import Turns


@pytest.fixture
async def turns(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Turns]:
    monkeypatch.setattr(RenderingBudget, "per_turn", 3)
    turns = Turns()
    yield turns
    turns.stop()


async def test_budget_allows_the_limit_of_renderings_in_each_turn(turns: Turns) -> None:
    budget = RenderingBudget()
    for _ in range(2):
        assert [budget.spend() for _ in range(5)] == [True, True, True, False, False]
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_budget_serves_waiting_tasks_in_order_and_within_the_limit_per_turn(turns: Turns) -> None:
    budget, order, by_turn = RenderingBudget(), [], Counter[int]()

    async def render(number: int) -> None:
        await budget.wait()
        order.append(number)
        by_turn[turns.now] += 1

    await asyncio.wait_for(asyncio.gather(*(render(number) for number in range(20))), 5)
    assert order == [*range(20)]
    assert max(by_turn.values()) == 3
    assert len(by_turn) == 7
    assert not budget._waiting


async def test_cancelled_task_uses_no_rendering_of_the_budget(turns: Turns) -> None:
    budget = RenderingBudget()
    waiting = [asyncio.create_task(budget.wait()) for _ in range(9)]
    await asyncio.sleep(0)
    for task in waiting[3:7]:
        task.cancel()
    await asyncio.wait_for(asyncio.wait([*waiting[:3], *waiting[7:]]), 5)
    await asyncio.sleep(0)
    assert not budget._waiting


async def test_idle_budget_schedules_nothing(turns: Turns) -> None:
    budget = RenderingBudget()
    await budget.wait()
    for _ in range(3):
        await asyncio.sleep(0)
    assert budget._renewal is None


async def test_rendering_that_costs_more_than_a_turn_is_the_last_of_its_turn(turns: Turns) -> None:
    budget = RenderingBudget()
    assert [budget.spend(), budget.spend(5), budget.spend()] == [True, True, False]


async def test_waiting_tasks_share_the_budget_by_their_costs(turns: Turns) -> None:
    budget, by_turn = RenderingBudget(), Counter[int]()

    async def render(cost: int) -> None:
        await budget.wait(cost)
        by_turn[turns.now] += cost

    await asyncio.wait_for(asyncio.gather(*(render(2) for _ in range(8))), 5)
    assert max(by_turn.values()) == 4  # the second takes more than is left, and is the last
    assert len(by_turn) == 4
