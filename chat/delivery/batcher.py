"""Many questions to the database in few queries."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import islice
from typing import Generic, TypeVar

from chat.delivery.detached_tasks import DetachedTasks

QUESTIONS_MAX = 500  # in one query
ANSWERS_PER_TURN = 8  # callers that go on in one turn of the event loop; then others get theirs

Question = TypeVar("Question")
Answer = TypeVar("Answer")


def all_of(questions: Sequence[Question]) -> Iterable[int]:
    return range(len(questions))


class Batcher(Generic[Question, Answer]):
    """Asks in one query what was asked for while the query before was under way.

    A lone question is asked at once, and together with it those of the same turn of the event loop. `query` returns an
    answer for each question, in their order; an exception in the place of an answer is raised where that was asked. If
    `query` itself raises, so does each question that was in it.

    `select` returns the numbers of those among the first QUESTIONS_MAX that go into the next query, and 0 is one of
    them. A question whose caller was cancelled isn't asked. Each caller waits for one question at a time, so no more
    of them wait than there are callers.
    """

    def __init__(
        self,
        query: Callable[[list[Question]], Awaitable[Sequence[Answer | Exception]]],
        select: Callable[[Sequence[Question]], Iterable[int]] = all_of,
    ) -> None:
        self._query = query
        self._select = select
        self._waiting: dict[asyncio.Future[Answer], Question] = {}  # in the order in which they came
        self._working: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Answer:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[answer] = question
        if self._working is None:
            self._working = DetachedTasks.here().start(self._work())
        try:
            return await answer
        finally:
            self._waiting.pop(answer, None)

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._ask_some(self._next())
        finally:
            self._working = None

    def _next(self) -> dict[asyncio.Future[Answer], Question]:
        """Takes the questions of the next query from those that wait."""
        first = list(islice(self._waiting.items(), QUESTIONS_MAX))
        chosen = [first[number] for number in self._select([question for _, question in first])]
        return {answer: self._waiting.pop(answer) for answer, _ in chosen}

    async def _ask_some(self, asked: dict[asyncio.Future[Answer], Question]) -> None:
        try:
            answers = await self._query(list(asked.values()))
        except Exception as error:
            answers = [error] * len(asked)
        for number, (future, answer) in enumerate(zip(asked, answers, strict=True), start=1):
            if number % ANSWERS_PER_TURN == 0:
                await asyncio.sleep(0)
            if future.done():
                continue  # its caller was cancelled
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
