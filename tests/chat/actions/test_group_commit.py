"""Storing together what is posted at the same moment, on a real database."""

import asyncio
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DataError, OperationalError

from chat.actions import posting
from chat.actions.group_commit import TOGETHER_MAX, GroupCommit
from chat.delivery.hub import Hub
from chat.delivery.layer import Layer
from chat.delivery.publisher import Publisher
from chat.domain.people import Person
from chat.domain.rooms import Room, find
from chat.errors import ChatError, NotAMember, Unavailable
from chat.storage import log, moderation
from chat.storage.database import in_database
from chat.storage.log import Entry
from tests.doors import BrowserDoor
from tests.recovering import entries_after

ROOM, OTHER = find("commit"), find("cömmït")  # two rooms of one lane, where there are two
ANN = Person(id="user-1", name="Ann")


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many drafts each commit had, one after the other."""
    sizes: list[int] = []
    append = log.append

    def counting(drafts: list[log.Draft]) -> list[Entry]:
        sizes.append(len(drafts))
        return append(drafts)

    monkeypatch.setattr(log, "append", counting)
    return sizes


async def post(text: str, room: Room = ROOM, client_id: str | None = None) -> Entry:
    return await posting.post(room=room, message=text, person=ANN, client_id=client_id)


async def texts(room: Room = ROOM) -> list[str]:
    return [event.message for event in await in_database(entries_after, room)]


async def test_lone_draft_commits_at_once(commits: list[int]) -> None:
    for text in ("one", "two"):
        await post(text)
    assert commits == [1, 1]
    assert await texts() == ["one", "two"]


async def test_drafts_that_arrive_during_a_commit_are_stored_together_in_order(commits: list[int]) -> None:
    said = [str(number) for number in range(TOGETHER_MAX + 10)]
    entries = await asyncio.gather(*(post(text) for text in said))
    assert commits == [TOGETHER_MAX, 10]
    assert await texts() == said
    assert [(entry.event.offset, entry.event.message) for entry in entries] == list(enumerate(said, 1))


async def test_drafts_of_several_rooms_in_one_commit_get_offsets_per_room(commits: list[int]) -> None:
    entries = await asyncio.gather(*(post(str(number), [ROOM, OTHER][number % 2]) for number in range(6)))
    assert commits == [6]
    assert [entry.event.offset for entry in entries] == [1, 1, 2, 2, 3, 3]
    assert (await texts(ROOM), await texts(OTHER)) == (["0", "2", "4"], ["1", "3", "5"])


async def test_retry_within_a_commit_leaves_no_hole_in_the_offsets() -> None:
    first = await post("first", client_id="a")
    entries = await asyncio.gather(
        post("new"), post("again", client_id="a"), post("twice", client_id="b"), post("twice", client_id="b"), post("z")
    )
    assert [entry.repeated for entry in entries] == [False, True, False, True, False]
    assert entries[1].event == first.event
    assert entries[3].event == entries[2].event
    assert await texts() == ["first", "new", "twice", "z"]
    assert [event.offset for event in await in_database(entries_after, ROOM)] == [1, 2, 3, 4]


async def test_drafts_stored_together_are_delivered_in_order() -> None:
    async with BrowserDoor.open(ROOM.name) as door:
        said = [str(number) for number in range(50)]
        await asyncio.gather(*(post(text) for text in said))
        assert [(await door.hear()).text for _ in said] == said


async def test_post_that_is_cancelled_during_its_commit_is_still_delivered() -> None:
    async with BrowserDoor.open(ROOM.name) as door:
        posting = [asyncio.create_task(post(text)) for text in ("gone", "stays")]
        await asyncio.sleep(0)
        posting[0].cancel()
        assert (await posting[1]).event.offset == 2
        assert [(await door.hear()).text for _ in range(2)] == ["gone", "stays"]


async def test_failing_database_fails_the_drafts_of_its_commit_and_not_later_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(drafts: Any) -> Any:
        raise OperationalError("away")

    with monkeypatch.context() as patched:
        patched.setattr(log, "append", broken)
        failed = await asyncio.gather(post("one"), post("two"), return_exceptions=True)
    assert [type(error) for error in failed] == [Unavailable, Unavailable]
    assert (await post("three")).event.offset == 1


async def test_draft_that_can_not_be_stored_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    append = log.append

    def picky(drafts: list[log.Draft]) -> list[Entry | ChatError]:
        if any(draft.text == "poison" for draft in drafts):
            raise DataError("out of range")
        return append(drafts)

    monkeypatch.setattr(log, "append", picky)
    posts = [post("one"), post("poison"), post("two", OTHER), post("three")]
    one, poison, two, three = await asyncio.gather(*posts, return_exceptions=True)
    assert isinstance(poison, DataError)
    assert [entry.event.offset for entry in (one, two, three) if isinstance(entry, Entry)] == [1, 1, 2]


async def test_drafts_past_the_limit_of_waiting_ones_are_refused(
    monkeypatch: pytest.MonkeyPatch, eventually: Callable
) -> None:
    monkeypatch.setattr("chat.actions.group_commit.WAITING_MAX", 3)
    answers = await asyncio.gather(*(post(str(number)) for number in range(5)), return_exceptions=True)
    assert [isinstance(answer, Unavailable) for answer in answers] == [False, False, False, True, True]
    assert await texts() == ["0", "1", "2"]


async def test_posters_are_answered_when_publishing_fails(
    monkeypatch: pytest.MonkeyPatch, written_log: io.StringIO
) -> None:
    def broken(*args: Any) -> Any:
        raise KeyError("a mistake")

    monkeypatch.setattr(Hub, "hear", broken)
    monkeypatch.setattr(Layer, "send", broken)
    entries = await asyncio.wait_for(asyncio.gather(post("one"), post("two")), 5)
    assert [entry.event.offset for entry in entries] == [1, 2]
    assert (await asyncio.wait_for(post("three"), 5)).event.offset == 3
    assert "KeyError: 'a mistake'" in written_log.getvalue()


async def test_entry_whose_publishing_failed_is_delivered_by_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> Any:
        raise KeyError("a mistake")

    async with BrowserDoor.open(ROOM.name) as door:
        with monkeypatch.context() as patched:
            patched.setattr(Hub, "hear", broken)
            patched.setattr(Layer, "send", broken)
            await post("unpublished")
        assert (await door.hear()).text == "unpublished"


async def test_commits_do_not_wait_for_the_layer_and_publish_in_order(
    monkeypatch: pytest.MonkeyPatch, eventually: Callable
) -> None:
    sent: list[str] = []
    answers = asyncio.Event()

    async def hanging(self: Layer, *addressed: Any) -> None:
        await answers.wait()
        sent.extend(message["message"] for _, message in addressed)

    monkeypatch.setattr(Layer, "send", hanging)
    monkeypatch.setattr("chat.delivery.publisher.WAITING_MAX", 20)
    Publisher._instances.clear()
    async with asyncio.timeout(5):
        for number in range(40):
            await post(str(number))
    assert await texts() == [str(number) for number in range(40)]
    (outbox,) = Publisher.here()._outboxes.values()
    assert len(outbox._waiting) == 20

    answers.set()
    await eventually(lambda: outbox._sending is None)
    assert sent == ["0", *(str(number) for number in range(20, 40))]


async def test_group_commit_keeps_no_task_and_no_draft_once_all_are_stored(eventually: Callable) -> None:
    await asyncio.gather(*(post(str(number)) for number in range(5)))
    commit = GroupCommit.here()
    await eventually(lambda: all(queue._working is None for queue in commit._queues))
    assert not any(queue._waiting for queue in commit._queues)


async def test_draft_without_permission_is_refused_and_others_of_its_commit_are_stored() -> None:
    await in_database(moderation.create, ROOM, private=True, by=None)
    posts = [post("a secret"), *(post(str(number), OTHER) for number in range(3)), post("another secret")]
    refused, *stored, refused_too = await asyncio.gather(*posts, return_exceptions=True)
    assert isinstance(refused, NotAMember)
    assert isinstance(refused_too, NotAMember)
    assert [one.event.offset for one in stored if isinstance(one, Entry)] == [1, 2, 3]
    assert (await texts(OTHER), len(await texts())) == (["0", "1", "2"], 1)
