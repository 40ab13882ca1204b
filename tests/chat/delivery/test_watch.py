"""The watch: rooms that change are followed at once, all others are compared by and by, and idle rooms cost nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from unittest import mock

import pytest
from django.db import OperationalError

from chat import models
from chat.actions import posting
from chat.delivery import hub, watch
from chat.delivery.followed import Followed
from chat.delivery.hub import Hub
from chat.delivery.queued_listener import QueuedListener
from chat.delivery.rooms.source import RoomSource
from chat.delivery.watch import Watch
from chat.domain.events import Event, Kind
from chat.domain.logs import Head
from chat.domain.people import Person
from chat.domain.rooms import Room, find
from chat.errors import Unavailable
from chat.storage import history, log, recoveries
from chat.storage.database import in_database

ANN = Person(id="user-1", name="Ann")
ROOMS = [find(f"watched {number}") for number in range(120)]
QUIET, ACTIVE = ROOMS[0], ROOMS[1]


async def store(*rooms: Room, text: str = "hi") -> list[Event]:
    """Says something in another process, of which the layer brings nothing."""
    drafts = [log.Draft(room=room, text=text, person=ANN) for room in rooms]
    return [entry.event for entry in await in_database(log.append, drafts)]


def room_feeds() -> Followed:
    return Hub.here()._follow(RoomSource.here())


def new_watch() -> Watch:
    return Watch(RoomSource.here(), room_feeds().feeds, room_feeds().unsettled)


def set_back(room: Room, to: int) -> None:
    """Sets one room back by hand. The newest entry of all rooms may still be there."""
    models.Message.objects.filter(room__name=room.name, offset__gt=to).delete()
    models.Room.objects.filter(name=room.name).update(last_offset=to)


async def hear(listener: QueuedListener) -> Event:
    async with asyncio.timeout(5):
        return await anext(listener)


@pytest.fixture
async def listeners(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[dict[Room, QueuedListener]]:
    """A listener in each room, by its room. Nobody looks but the test."""
    monkeypatch.setattr(hub, "WATCH_INTERVAL", 3600)
    await store(*ROOMS)
    async with AsyncExitStack() as stack:
        yield {room: await stack.enter_async_context(Hub.here().listen([room])) for room in ROOMS}


@pytest.fixture
async def looks(listeners: dict[Room, QueuedListener]) -> Watch:
    """One that has looked already."""
    looks = new_watch()
    await looks.look()
    return looks


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The names of the rooms that were asked for their ends, query by query."""
    queries: list[list[str]] = []

    def heads(rooms: list[Room], heads=history.heads) -> dict[Room, Head]:
        queries.append([room.name for room in rooms])
        return heads(rooms)

    monkeypatch.setattr(history, "heads", heads)
    return queries


async def test_first_look_compares_all_rooms(listeners, compared: list[list[str]]) -> None:
    await new_watch().look()
    assert sorted(compared[0]) == sorted(room.name for room in ROOMS)


async def test_looks_hear_of_rooms_that_have_changed(listeners, looks: Watch) -> None:
    for _ in range(3):
        changed = [ROOMS[5], ROOMS[50], ROOMS[110]]
        events = await store(*changed)
        await looks.look()
        assert [await hear(listeners[room]) for room in changed] == events


async def test_looks_pass_over_rooms_that_nobody_listens_to(listeners, looks: Watch, compared: list[list[str]]) -> None:
    elsewhere = [find(f"elsewhere {number}") for number in range(50)]
    await store(*elsewhere)
    await looks.look()
    assert not {room.name for room in elsewhere} & {name for names in compared for name in names}


async def test_look_compares_a_part_of_the_idle_rooms_and_a_round_all_of_them(
    listeners, looks: Watch, compared: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "ROUND_PART_MIN", 40)
    looks._round.clear()
    for _ in range(6):
        await looks.look()
    assert [len(names) for names in compared] == [40] * 6
    assert [{name for names in part for name in names} for part in (compared[:3], compared[3:])] == [
        {room.name for room in ROOMS}
    ] * 2


@pytest.mark.parametrize(
    ("rooms", "part"), [(0, 0), (10, 10), (50, 50), (6_000, 100), (40_000, 667), (1_000_000, watch.ROUND_PART_MAX)]
)
def test_part_of_a_round_grows_with_the_rooms_up_to_a_maximum(rooms: int, part: int) -> None:
    feeds = {str(number): object() for number in range(rooms)}
    assert len(Watch(mock.Mock(), feeds, set())._next_of_round()) == part  # type: ignore[arg-type]


async def test_look_compares_a_room_that_was_active_lately(listeners, looks: Watch, compared: list[list[str]]) -> None:
    (event,) = await store(ACTIVE)
    await looks.look()
    assert await hear(listeners[ACTIVE]) == event
    await store(QUIET)  # so the newest entry of all is not that of the room that is set back
    await looks.look()
    await in_database(set_back, ACTIVE, 1)
    await looks.look()
    assert (await hear(listeners[ACTIVE])).kind is Kind.START_OVER


async def test_room_set_back_alone_starts_over_within_a_round(listeners, looks: Watch) -> None:
    await store(QUIET)
    await looks.look()
    await in_database(set_back, ROOMS[77], 0)
    for _ in range(3):
        await looks.look()
    told = await hear(listeners[ROOMS[77]])
    assert (told.kind, told.offset) == (Kind.START_OVER, 0)


async def test_all_rooms_start_over_at_once_where_the_newest_entry_is_gone(listeners, looks: Watch) -> None:
    def set_all_back() -> None:
        models.Message.objects.all().delete()
        models.Room.objects.update(last_offset=0)

    await in_database(set_all_back)
    await looks.look()
    assert {(await hear(listener)).kind for listener in listeners.values()} == {Kind.START_OVER}


async def test_room_starts_over_at_the_next_look_where_an_entry_heard_since_the_last_is_gone(
    listeners, looks: Watch
) -> None:
    """As after a fail-over to a database that lacks no more than that."""
    await posting.post(room=QUIET, message="gone", person=ANN)
    assert (await hear(listeners[QUIET])).message == "gone"
    await in_database(set_back, QUIET, 1)

    await looks.look()

    assert (await hear(listeners[QUIET])).kind is Kind.START_OVER


async def test_room_that_became_restricted_without_an_entry_is_noticed_within_a_round(listeners, looks: Watch) -> None:
    await in_database(models.Room.objects.filter(name=QUIET.name).update, restricted=True)
    for _ in range(3):
        await looks.look()
    assert Hub.here()._feeds[QUIET.group].restricted


async def test_room_whose_read_failed_is_read_at_the_next_look(
    listeners, looks: Watch, monkeypatch: pytest.MonkeyPatch, eventually
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("it is away")

    monkeypatch.setattr(Watch, "_next_of_round", lambda _: [])
    monkeypatch.setattr(watch, "ACTIVE_MAX", 0)
    with monkeypatch.context() as patch:
        patch.setattr(recoveries, "recover_all", fail)
        (event,) = await store(QUIET)
        await looks.look()
        feed = Hub.here()._feeds[QUIET.group]
        await eventually(lambda: feed in room_feeds().unsettled)
    await looks.look()
    assert await hear(listeners[QUIET]) == event


async def test_rooms_that_could_not_be_compared_are_compared_at_the_next_look(
    listeners, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("it is away")

    looks = new_watch()
    monkeypatch.setattr(Watch, "_next_of_round", lambda _: [])
    (event,) = await store(QUIET)
    with monkeypatch.context() as patch:
        patch.setattr(history, "heads", fail)
        with pytest.raises(Unavailable):
            await looks.look()
    await looks.look()
    assert await hear(listeners[QUIET]) == event


async def test_entry_stored_while_a_new_room_is_located_is_heard(
    listeners, looks: Watch, monkeypatch: pytest.MonkeyPatch, eventually
) -> None:
    """The look sees it before the feed knows where it is, in a log that ended before."""
    monkeypatch.setattr(Watch, "_next_of_round", lambda _: [])
    monkeypatch.setattr(watch, "ACTIVE_MAX", 0)
    room = find("new here")
    located, may_answer = asyncio.Event(), asyncio.Event()
    locate = hub.Feed.locate

    async def locate_slowly(feed: hub.Feed) -> object:
        if feed.position is None:
            head = (await in_database(history.heads, [room]))[room]
            located.set()
            await may_answer.wait()
            feed.position = head.position
        return await locate(feed)

    monkeypatch.setattr(hub.Feed, "locate", locate_slowly)

    async def listen() -> Event:
        async with Hub.here().listen([room]) as listener:
            return await hear(listener)

    listening = asyncio.create_task(listen())
    await located.wait()
    (event,) = await store(room)
    await looks.look()
    may_answer.set()
    await asyncio.sleep(0)
    await looks.look()
    assert await listening == event
