"""The people who are looking at a page of the site, through any process.

Pages say so over their sockets. Nothing is told to other processes by itself: the one that has something to push asks
all, and those answer through which somebody is looking. So a process that was killed has no pages any more, and while
nothing is pushed, it costs nothing. A process that can't be asked, since Redis is away, counts as having none: better
one notification too many than none.
"""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any

from chat.delivery import hub
from chat.delivery.control import on_control
from chat.delivery.detached_tasks import DetachedTasks
from chat.delivery.hub import Hub
from chat.domain.rooms import Room
from chat.per_loop import PerLoop

SUBJECT = "looking"  # of the control messages
ANSWER_TIME = 0.5  # seconds that other processes have to answer
PEOPLE_PER_QUESTION = 1000


class VisiblePages(PerLoop):
    """The visible pages of one event loop, by the ids of the people who look at them."""

    def __init__(self) -> None:
        self._pages: Counter[str] = Counter()
        self._answers: dict[str, set[str]] = {}  # by questions of this process

    def show(self, person_id: str) -> None:
        """A page more is visible."""
        self._pages[person_id] += 1

    def hide(self, person_id: str) -> None:
        """A page less."""
        self._pages[person_id] -= 1
        if self._pages[person_id] <= 0:
            del self._pages[person_id]

    def among(self, person_ids: Collection[str]) -> list[str]:
        """Those of these people who are looking at a page through this process."""
        return [id for id in person_ids if id in self._pages]

    async def looking(self, person_ids: Collection[str], *, room: Room) -> set[str]:
        """Those of these people who are looking at a page through any process.

        A process that listens to nothing hears no answers; so it listens to `room` meanwhile.
        """
        found = set(self.among(person_ids))
        others = [id for id in person_ids if id not in found]
        if not others:
            return found
        question = secrets.token_hex(8)
        answers = self._answers[question] = set()
        try:
            async with _listening(room):
                for some in _in_parts(others):
                    await hub.send_control(SUBJECT, {"question": question, "people": some})
                await asyncio.sleep(ANSWER_TIME)
        finally:
            del self._answers[question]
        return found | answers

    def answered(self, question: str, person_ids: Collection[str]) -> None:
        if question in self._answers:
            self._answers[question].update(person_ids)


def _in_parts(person_ids: list[str]) -> list[list[str]]:
    return [person_ids[first : first + PEOPLE_PER_QUESTION] for first in range(0, len(person_ids), PEOPLE_PER_QUESTION)]


@contextlib.asynccontextmanager
async def _listening(room: Room) -> AsyncIterator[None]:
    if Hub.here().is_listening:
        yield
        return
    async with Hub.here().listen([room]):
        yield


@on_control(SUBJECT)
def on_looking(about: Mapping[str, Any]) -> None:
    pages, question = VisiblePages.here(), str(about["question"])
    if "looking" in about:
        pages.answered(question, [str(id) for id in about["looking"]])
    elif here := pages.among([str(id) for id in about["people"]]):
        DetachedTasks.here().start(hub.send_control(SUBJECT, {"question": question, "looking": here}))
