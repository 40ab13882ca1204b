"""Lanes to the database: what waits for what, what runs where, and what happens to calls that hang or are cut off."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from asgiref.sync import async_to_sync
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections

from benchmarks.slow_proxy import SlowProxy
from chat import log_context, models
from chat.domain.people import Person
from chat.domain.rooms import Room, find
from chat.errors import Unavailable
from chat.storage import lanes, log
from chat.storage.database import in_database, reads_long, writes
from chat.storage.lanes import Lane, Lanes, Work
from tests.postgres import postgres

ROOMS = [find(f"lane {number}") for number in range(20)]


class Hook:
    """A function that holds up its lane until it is let go."""

    def __init__(self) -> None:
        self.running, self.may_end = threading.Event(), threading.Event()

    def __call__(self, *args: object) -> str:
        self.running.set()
        assert self.may_end.wait(10)
        return threading.current_thread().name


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()
    yield hook
    hook.may_end.set()


def thread(*args: object) -> str:
    return threading.current_thread().name


@pytest.mark.parametrize(
    ("count", "names"),
    [
        (1, ["write 0", "write 0", "write 0"]),
        (2, ["write 0", "read", "read"]),
        (3, ["write 0", "read", "long read"]),
        (4, ["write 0 write 1", "read", "long read"]),
        (6, ["write 0 write 1 write 2 write 3", "read", "long read"]),
    ],
)
def test_lanes_are_shared_by_kinds_of_work_where_there_are_few(count: int, names: list[str]) -> None:
    lanes = Lanes(count, None)
    assert [" ".join(lane.name for lane in lanes.writers), lanes.reader.name, lanes.long_reader.name] == names


def test_room_is_always_written_in_the_same_lane_and_rooms_are_spread() -> None:
    lanes = Lanes(4, None)
    used = {lanes.lane(Work.WRITE, room) for room in ROOMS}
    assert used == set(lanes.writers)
    assert all(lanes.lane(Work.WRITE, Room(room.name)) is lanes.lane(Work.WRITE, room) for room in ROOMS)


async def test_reads_wait_neither_for_writes_nor_for_long_reads(hook: Hook) -> None:
    @writes
    def write(room: Room) -> str:
        return hook()

    @reads_long
    def read_long() -> str:
        return hook()

    holding = [asyncio.create_task(in_database(write, ROOMS[0])), asyncio.create_task(in_database(read_long))]
    async with asyncio.timeout(5):
        assert await in_database(thread) == "read"
        hook.may_end.set()
        assert {(await one).split()[0] for one in holding} == {"write", "long"}


async def test_calls_of_a_lane_run_one_after_the_other_in_their_order() -> None:
    done: list[int] = []
    await asyncio.gather(*(in_database(done.append, number) for number in range(100)))
    assert done == list(range(100))


async def test_call_whose_caller_is_cancelled_runs_all_the_same(hook: Hook, eventually: Callable) -> None:
    done: list[int] = []
    holding = asyncio.create_task(in_database(hook))
    waiting = asyncio.create_task(in_database(done.append, 1))
    await asyncio.sleep(0)
    waiting.cancel()
    hook.may_end.set()
    await holding
    await eventually(lambda: done == [1])


async def test_call_has_the_logging_context_of_its_caller() -> None:
    log_context.begin()
    log_context.identify("user-7")
    current = await in_database(log_context._current.get)
    assert current is not None
    assert current.person == "user-7"


async def test_lane_refuses_calls_past_its_limit(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "CALLS_MAX", 2)
    calls = [asyncio.create_task(in_database(hook)) for _ in range(4)]
    while not hook.running.is_set():
        await asyncio.sleep(0.01)
    calls += [asyncio.create_task(in_database(hook)) for _ in range(4)]
    await asyncio.sleep(0)
    hook.may_end.set()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert any(isinstance(answer, Unavailable) for answer in answers)
    assert "read" in answers


def test_lanes_work_in_one_event_loop_after_the_other() -> None:
    assert [asyncio.run(in_database(thread)) for _ in range(3)] == ["read"] * 3


def test_result_for_a_closed_loop_is_dropped_and_the_lane_goes_on(hook: Hook) -> None:
    async def leave() -> None:
        task = asyncio.create_task(in_database(hook))
        while not hook.running.is_set():
            await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(leave())
    hook.may_end.set()
    assert asyncio.run(in_database(thread)) == "read"


@pytest.mark.django_db
def test_thread_that_waits_for_the_loop_does_the_work_within_its_transaction() -> None:
    models.Room.objects.create(name="not committed")

    async def look_and_post() -> bool:
        room = find("not committed")
        await in_database(log.append, [log.Draft(room=room, text="hi", person=Person(id="guest-1", name="G"))])
        return await in_database(models.Message.objects.filter(room__name=room.name).exists)

    assert async_to_sync(look_and_post)()
    assert models.Message.objects.count() == 1


async def test_connection_of_a_lane_is_kept_from_call_to_call_and_closed_by_disconnect() -> None:
    def raw() -> Any:
        connection.ensure_connection()
        return connection.connection

    first = await in_database(raw)
    assert await in_database(raw) is first
    await asyncio.to_thread(Lanes.disconnect)
    assert await in_database(raw) is not first


async def test_lane_has_a_connection_of_its_own_with_its_own_options() -> None:
    options = await in_database(lambda: connection.settings_dict["OPTIONS"])
    assert "pool" not in options
    if connection.vendor == "postgresql":

        def shown() -> str:
            with connection.cursor() as cursor:
                cursor.execute("SHOW statement_timeout")
                return cursor.fetchone()[0]

        assert await in_database(shown) == "4s"


async def test_call_that_hangs_is_given_up_and_later_ones_run_in_a_new_thread(hook: Hook) -> None:
    lane = Lane("test", 0.2)
    hanging = asyncio.create_task(lane.call(hook, may_repeat=False))
    waiting = asyncio.create_task(lane.call(threading.get_ident, may_repeat=False))
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable):
            await hanging
        assert hook.running.is_set()
        assert await waiting == await lane.call(threading.get_ident, may_repeat=False)
    hook.may_end.set()
    await asyncio.to_thread(lane.disconnect().wait, 5)


async def test_calls_that_wait_for_long_without_hanging_are_not_given_up() -> None:
    lane = Lane("test", 0.3)
    assert await asyncio.gather(*(lane.call(lambda: time.sleep(0.1), may_repeat=False) for _ in range(8))) == [None] * 8
    await asyncio.to_thread(lane.disconnect().wait, 5)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowProxy]:
    """The way from new lanes to a PostgreSQL of their own."""
    with postgres() as url, SlowProxy(urlsplit(url).path.rpartition("/")[0] + "/.s.PGSQL.5432") as proxy:
        there = {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "postgres", "OPTIONS": {}}
        way = {"HOST": "127.0.0.1", "PORT": proxy.port}
        monkeypatch.setitem(
            connections.settings, DEFAULT_DB_ALIAS, connections[DEFAULT_DB_ALIAS].settings_dict | there | way
        )
        yield proxy


@pytest.fixture
async def lane(proxy: SlowProxy) -> AsyncIterator[Lane]:
    lane = Lane("far", 1.0)
    assert await lane.call(Asked("SELECT 1"), may_repeat=True) == 1
    yield lane
    await asyncio.to_thread(lane.disconnect().wait, 5)


class Asked:
    """A query for one value; `times` is how often it was run."""

    def __init__(self, statement: str) -> None:
        self.statement = statement
        self.times = 0
        self.running = threading.Event()

    def __call__(self) -> Any:
        self.times += 1
        with connection.cursor() as cursor:
            self.running.set()
            cursor.execute(self.statement)
            return cursor.fetchone()[0]


@pytest.mark.parametrize("may_repeat", [True, False])
async def test_connection_that_was_cut_while_idle_fails_no_call(
    lane: Lane, proxy: SlowProxy, may_repeat: bool, eventually: Callable
) -> None:
    proxy.cut()
    await eventually(lambda: not proxy.connections)
    asked = Asked("SELECT 2")
    assert await lane.call(asked, may_repeat=may_repeat) == 2
    assert asked.times == 1


async def test_read_whose_connection_is_cut_is_read_once_more(lane: Lane, proxy: SlowProxy) -> None:
    asked = Asked("SELECT 3 FROM pg_sleep(0.5)")
    answer = asyncio.create_task(lane.call(asked, may_repeat=True))
    await asyncio.to_thread(asked.running.wait, 5)
    proxy.cut()
    assert (await answer, asked.times) == (3, 2)


async def test_write_whose_connection_is_cut_is_not_repeated(lane: Lane, proxy: SlowProxy) -> None:
    asked = Asked("SELECT 3 FROM pg_sleep(0.5)")
    answer = asyncio.create_task(lane.call(asked, may_repeat=False))
    await asyncio.to_thread(asked.running.wait, 5)
    proxy.cut()
    with pytest.raises(OperationalError):
        await answer
    assert asked.times == 1
    assert await lane.call(Asked("SELECT 4"), may_repeat=False) == 4


@pytest.mark.parametrize("may_repeat", [True, False])
async def test_call_on_a_connection_that_passes_nothing_on_is_given_up(
    lane: Lane, proxy: SlowProxy, may_repeat: bool, eventually: Callable
) -> None:
    threads = threading.active_count()
    proxy.black_hole()
    started = time.monotonic()
    asked = [Asked(f"SELECT {number}") for number in range(3)]
    answers = await asyncio.gather(*(lane.call(one, may_repeat=may_repeat) for one in asked), return_exceptions=True)
    assert isinstance(answers[0], Unavailable)
    assert answers[1:] == [1, 2]
    assert time.monotonic() - started < 4
    await eventually(lambda: threading.active_count() <= threads)  # the thread that hung has got loose
    assert asked[0].times == 1 or may_repeat
