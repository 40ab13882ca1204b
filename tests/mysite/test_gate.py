"""Gates: events that are set nearly always."""

import asyncio

from mysite.gate import Gate


async def test_gate_lets_pass_from_the_beginning() -> None:
    gate = Gate()
    assert gate.is_set()
    async with asyncio.timeout(1):
        await gate.wait()


async def test_gate_holds_all_who_wait_while_it_is_cleared_and_lets_them_pass_once_it_is_set() -> None:
    gate = Gate()
    gate.clear()
    gate.clear()
    assert not gate.is_set()
    waiting = [asyncio.create_task(gate.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting)
    gate.set()
    gate.set()
    assert gate.is_set()
    async with asyncio.timeout(1):
        await asyncio.gather(*waiting)
