"""Many who come back at once: few queries, and each client whole, whatever happens to the others meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import connection

from chat import models
from chat.delivery import hub
from chat.delivery.hub import Hub
from chat.delivery.rooms import source
from chat.domain.events import Event, Kind
from chat.domain.people import Person
from chat.domain.positions import START, Position
from chat.domain.rooms import Room, find
from chat.errors import Unavailable
from chat.storage import history, log, recoveries
from chat.storage.database import in_database, reads_long

ANN = Person(id="user-1", name="Ann")
ROOMS = [find(f"back {number}") for number in range(10)]
MISSED = 20  # entries of each room
CLIENTS = 200
WHOLE = [*range(1, MISSED + 1)]


def fill(count: int = MISSED) -> None:
    log.append([log.Draft(room=room, text="missed", person=ANN) for _ in range(count) for room in ROOMS])


async def come_back(room: Room, after: Position = START, person: Person | None = None) -> list[Event]:
    """The events that a client hears up to the end of those it missed, or to where it starts over."""
    heard: list[Event] = []
    async with asyncio.timeout(20), Hub.here().listen([room], {room: after}, person) as listener:
        while not heard or ((heard[-1].offset or 0) < MISSED and heard[-1].kind is not Kind.START_OVER):
            heard.append(await anext(listener))
    return heard


def offsets(heard: list[Event]) -> list[int | None]:
    return [event.offset for event in heard]


@pytest.fixture(autouse=True)
async def missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "WATCH_INTERVAL", 3600)
    await in_database(fill)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each function was called in the database for listeners, by its name."""
    calls: Counter[str] = Counter()

    async def count(function: Callable[..., Any], *args: Any) -> Any:
        calls[function.__name__] += 1
        return await in_database(function, *args)

    monkeypatch.setattr(source, "in_database", count)
    return calls


@pytest.fixture
def during_the_read(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """`during_the_read(function)`: calls `function` once, when the rooms have been read and permissions haven't."""

    def at(function: Callable[[], Any]) -> None:
        read, recover_all, pending = recoveries._read, recoveries.recover_all, [function]

        def read_and_wait(requests: Any) -> Any:
            logs = read(requests)
            if pending:
                pending.pop()()
            return logs

        monkeypatch.setattr(recoveries, "_read", read_and_wait)
        monkeypatch.setattr(recoveries, "recover_all", reads_long(lambda requests: recover_all(requests)))

    return at


@pytest.mark.parametrize("restricted", [False, True])
async def test_queries_of_returning_clients_do_not_grow_with_their_number(
    calls: Counter[str], restricted: bool
) -> None:
    await in_database(models.Room.objects.update, restricted=restricted)
    clients = [Person(id=f"guest-{number}", name="?") for number in range(CLIENTS)]
    heard = await asyncio.gather(
        *(come_back(ROOMS[number % 10], Position(number % 7), client) for number, client in enumerate(clients))
    )
    assert [offsets(one) for one in heard] == [WHOLE[number % 7 :] for number in range(CLIENTS)]
    assert set(calls) == {"heads", "recover_all", *(["problems_of"] if restricted else [])}
    assert calls.total() <= 3 * (1 + restricted) * len(ROOMS), calls


async def test_clients_that_missed_the_same_hear_the_same_objects() -> None:
    heard = await asyncio.gather(*(come_back(ROOMS[0], Position(number)) for number in range(5)))
    assert len({id(event) for one in heard for event in one}) == MISSED


async def test_client_at_the_position_of_the_hub_reads_nothing(calls: Counter[str]) -> None:
    room = ROOMS[0]
    end = (await in_database(history.heads, [room]))[room].position
    async with Hub.here().listen([room]):
        calls.clear()
        async with Hub.here().listen([room], {room: end}) as listener:
            await in_database(log.append, [log.Draft(room=room, text="new", person=ANN)])
            await Hub.here().catch_up(room)
            assert (await asyncio.wait_for(anext(listener), 5)).offset == MISSED + 1
    assert calls == {"recover_all": 1}, "that of the hub"


async def test_subscriber_to_many_rooms_recovers_them_by_few_queries(calls: Counter[str]) -> None:
    after = dict.fromkeys(ROOMS, Position(MISSED - 2))
    async with asyncio.timeout(20), Hub.here().listen(ROOMS, after) as listener:
        heard = [await anext(listener) for _ in range(2 * len(ROOMS))]
    assert {(event.room, event.offset) for event in heard} == {(room, WHOLE[k]) for room in ROOMS for k in (-1, -2)}
    assert calls == {"heads": 1, "recover_all": 1}


async def test_clients_that_go_while_their_read_is_under_way_hinder_no_other(during_the_read) -> None:
    loop = asyncio.get_running_loop()
    coming = [asyncio.create_task(come_back(ROOMS[number % 10])) for number in range(40)]
    during_the_read(lambda: [loop.call_soon_threadsafe(task.cancel) for task in coming[::2]])
    heard = await asyncio.gather(*coming, return_exceptions=True)
    assert [offsets(one) for one in heard[1::2]] == [WHOLE] * 20  # type: ignore[arg-type]
    assert all(isinstance(one, asyncio.CancelledError) for one in heard[::2])


async def test_clients_of_a_room_that_goes_back_during_the_read_are_whole_or_start_over(during_the_read) -> None:
    def go_back() -> None:
        models.Message.objects.filter(room__name=ROOMS[0].name, offset__gt=5).delete()
        models.Room.objects.filter(name=ROOMS[0].name).update(last_offset=5)

    end = (await in_database(history.heads, [ROOMS[0]]))[ROOMS[0]].position
    during_the_read(go_back)
    heard = await asyncio.gather(*(come_back(room) for room in ROOMS for _ in range(3)))
    assert all(offsets(one) == WHOLE or one[-1].kind is Kind.START_OVER for one in heard)
    assert [offsets(one) for one in heard[3:]] == [WHOLE] * 27, "other rooms don't notice"
    (told,) = await come_back(ROOMS[0], end)
    assert told.kind is Kind.START_OVER


async def test_client_that_is_removed_during_the_read_alone_hears_nothing(during_the_read) -> None:
    banned, other = (Person(id=f"guest-{number * 16}", name="?") for number in "ab")

    def ban() -> None:
        models.Ban.objects.create(room=models.Room.objects.get(name=ROOMS[0].name), person_id=banned.id)

    await in_database(models.Room.objects.update, restricted=True)
    during_the_read(ban)
    heard = await asyncio.gather(
        come_back(ROOMS[0], person=banned), come_back(ROOMS[0], person=other), return_exceptions=True
    )
    assert [isinstance(heard[0], Exception), offsets(heard[1])] == [True, WHOLE]  # type: ignore[arg-type]


async def test_failed_read_refuses_those_who_wait_for_it_and_the_next_are_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*_: object) -> None:
        raise Unavailable("away")

    async with Hub.here().listen(ROOMS):
        with monkeypatch.context() as patch:
            patch.setattr(source, "in_database", fail)
            refused = await asyncio.gather(*(come_back(room) for room in ROOMS), return_exceptions=True)
        assert {type(one) for one in refused} == {Unavailable}
        assert [offsets(one) for one in await asyncio.gather(*map(come_back, ROOMS))] == [WHOLE] * len(ROOMS)


async def test_connection_that_is_cut_during_the_read_is_not_noticed(during_the_read) -> None:
    def cut() -> None:
        """As where the server ends the session, or a network device forgets it."""
        if isinstance(connection.connection, psycopg.Connection):
            connection.connection.pgconn.finish()

    await in_database(models.Room.objects.update, restricted=True)
    during_the_read(cut)
    guest = Person(id="guest-1", name="?")
    heard = await asyncio.gather(*(come_back(room, person=guest) for room in ROOMS))
    assert [offsets(one) for one in heard] == [WHOLE] * len(ROOMS)
