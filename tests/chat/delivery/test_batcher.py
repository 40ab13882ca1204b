"""Questions that are gathered: few queries, each caller gets its own answer or error, and nobody else's."""

import asyncio
from collections.abc import Iterable, Sequence

import pytest

from chat.delivery import batcher
from chat.delivery.batcher import Batcher
from chat.errors import Unavailable


class Database:
    """Answers questions by their squares while it is `open`; negative ones by an error in the place of the answer."""

    def __init__(self) -> None:
        self.queries: list[list[int]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.away = False

    async def query(self, numbers: list[int]) -> Sequence[int | Exception]:
        self.queries.append(numbers)
        away = self.away
        await self.open.wait()
        if away:
            raise Unavailable("away")
        return [ValueError(number) if number < 0 else number * number for number in numbers]


@pytest.fixture
async def database() -> Database:
    return Database()


def ask(batches: Batcher[int, int], *numbers: int) -> list[asyncio.Task[int]]:
    return [asyncio.create_task(batches.ask(number)) for number in numbers]


async def under_way(database: Database, count: int = 1) -> None:
    async with asyncio.timeout(5):
        while len(database.queries) < count:
            await asyncio.sleep(0)


async def test_questions_of_one_turn_go_into_one_query(database: Database) -> None:
    batches = Batcher(database.query)
    assert await asyncio.gather(*ask(batches, *range(100))) == [number * number for number in range(100)]
    assert database.queries == [[*range(100)]]


async def test_questions_asked_during_a_query_go_together_into_the_next(database: Database) -> None:
    batches = Batcher(database.query)
    database.open.clear()
    (first,) = ask(batches, 1)
    await under_way(database)
    later = ask(batches, 2, 3)
    await asyncio.sleep(0)
    later += ask(batches, 4)
    await asyncio.sleep(0)
    database.open.set()
    assert await asyncio.gather(first, *later) == [1, 4, 9, 16]
    assert database.queries == [[1], [2, 3, 4]]


async def test_query_has_no_more_than_the_maximum_of_questions(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batcher, "QUESTIONS_MAX", 2)
    await asyncio.gather(*ask(Batcher(database.query), 1, 2, 3, 4, 5))
    assert database.queries == [[1, 2], [3, 4], [5]]


async def test_questions_that_are_not_selected_keep_their_order_for_the_next_query(database: Database) -> None:
    def alike(numbers: Sequence[int]) -> Iterable[int]:
        return [number for number, one in enumerate(numbers) if one % 2 == numbers[0] % 2]

    await asyncio.gather(*ask(Batcher(database.query, alike), 1, 2, 3, 4, 5, 6))
    assert database.queries == [[1, 3, 5], [2, 4, 6]]


async def test_error_in_the_place_of_an_answer_is_raised_where_it_was_asked(database: Database) -> None:
    answers = await asyncio.gather(*ask(Batcher(database.query), 1, -2, 3), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["1", "-2", "9"]
    assert isinstance(answers[1], ValueError)


async def test_failed_query_fails_its_own_questions_only(database: Database) -> None:
    batches = Batcher(database.query)
    database.open.clear()
    database.away = True
    failing = ask(batches, 1, 2)
    await under_way(database)
    later = ask(batches, 3)
    await asyncio.sleep(0)
    database.away = False
    database.open.set()
    assert [type(answer) for answer in await asyncio.gather(*failing, return_exceptions=True)] == [Unavailable] * 2
    assert await later[0] == 9


async def test_cancelled_caller_is_left_out_and_hinders_no_other(database: Database) -> None:
    batches = Batcher(database.query)
    database.open.clear()
    asked = ask(batches, 1, 2)
    await under_way(database)
    waiting = ask(batches, 3, 4)
    await asyncio.sleep(0)
    asked[0].cancel()
    waiting[0].cancel()
    await asyncio.sleep(0)
    database.open.set()
    assert [await asked[1], await waiting[1]] == [4, 16]
    assert database.queries == [[1, 2], [4]]
    assert asked[0].cancelled()
    assert waiting[0].cancelled()


async def test_query_goes_on_for_others_when_the_caller_that_began_it_is_cancelled(database: Database) -> None:
    batches = Batcher(database.query)
    first, second = ask(batches, 1, 2)
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 4


async def test_batcher_that_has_answered_all_leaves_no_task_behind(database: Database) -> None:
    before = asyncio.all_tasks()
    batches = Batcher(database.query)
    await asyncio.gather(*ask(batches, 1, 2, 3))
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    assert await batches.ask(4) == 16


async def test_callers_go_on_in_several_turns_of_the_loop(database: Database) -> None:
    """Each may have much to do with its answer, and what else goes on gets its turn in between."""
    turns: list[int] = []
    turn = 0

    async def count() -> None:
        nonlocal turn
        while True:
            await asyncio.sleep(0)
            turn += 1

    async def go_on(number: int) -> None:
        await batches.ask(number)
        turns.append(turn)

    batches = Batcher(database.query)
    counting = asyncio.create_task(count())
    await asyncio.gather(*(go_on(number) for number in range(10 * batcher.ANSWERS_PER_TURN)))
    counting.cancel()
    assert max(turns.count(one) for one in turns) <= batcher.ANSWERS_PER_TURN
