"""Feeding the index of search in the background."""

import asyncio

import pytest
from django.db import OperationalError

from chat.actions import posting, search_feeding, searching
from chat.actions.search_feeding import SearchFeeding
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import search_feed
from chat.storage.database import in_database
from tests.chat.storage.test_search import entries

ANN = Person(id="user-1", name="Ann")


@pytest.fixture(autouse=True)
def at_once(transactional_db: None, settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CHAT_SEARCH_INDEXING = True  # type: ignore[attr-defined]
    monkeypatch.setattr(search_feeding, "DELAY", 0.01)
    monkeypatch.setattr(search_feeding, "AGAIN", 0.01)


async def until_indexed(count: int) -> None:
    async with asyncio.timeout(5):
        while await in_database(entries) < count:
            await asyncio.sleep(0.01)


async def test_message_is_indexed_a_while_after_it_was_posted() -> None:
    await posting.post(room=find("feeding"), message="fox", person=ANN)
    await until_indexed(1)


async def test_search_wakes_the_feeding_of_what_other_processes_left() -> None:
    SearchFeeding.here()._is_awake = True  # as if another process had stored it
    await posting.post(room=find("feeding"), message="fox", person=ANN)
    SearchFeeding.here()._is_awake = False
    assert len((await searching.find("fox", person=ANN, size=10)).found) == 1
    await until_indexed(1)


async def test_feeding_goes_on_when_the_database_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    failures, feed = iter(range(2)), search_feed.feed

    def failing() -> float | None:
        if next(failures, None) is not None:
            raise OperationalError("away")
        return feed()

    monkeypatch.setattr(search_feed, "feed", failing)
    await posting.post(room=find("feeding"), message="fox", person=ANN)
    await until_indexed(1)
