import asyncio
import contextlib

import pytest

from chat.actions import greetings
from chat.delivery.hub import Hub
from chat.domain import people
from chat.domain.events import Kind
from chat.domain.rooms import find
from chat.errors import InvalidName

ROOM = find("greetings")
ANN = people.new_guest()


async def greet(*names: str) -> list[str]:
    return [(await greetings.greet(room=ROOM, name=name, person=ANN)).message for name in names]


async def heard(listener, count: int) -> list[str]:
    async with asyncio.timeout(5):
        return [(await anext(listener)).message for _ in range(count)]


async def test_greet_sends_the_room_a_greeting_with_the_name() -> None:
    async with Hub.here().listen([ROOM]) as listener:
        (own,) = [await greetings.greet(room=ROOM, name="foo", person=ANN)]
        async with asyncio.timeout(5):
            event = await anext(listener)
    assert event == own
    assert (event.message, event.kind, event.person) == ("Hello my name is foo!", Kind.GREETING, ANN)


async def test_greet_merges_a_thousand_greetings_into_few_for_the_room_and_returns_each_its_own() -> None:
    names = [f"n{number}" for number in range(1000)]
    async with Hub.here().listen([ROOM]) as listener:
        assert await greet(*names) == [f"Hello my name is {name}!" for name in names]
        single = await heard(listener, greetings.GREETINGS_PER_PERIOD)
        assert single == [f"Hello my name is n{number}!" for number in range(greetings.GREETINGS_PER_PERIOD)]
        (merged,) = await heard(listener, 1)
        first = greetings.GREETINGS_PER_PERIOD
        assert merged.startswith(f"Hello our names are n{first}, n{first + 1}, n{first + 2} and ")


@pytest.mark.parametrize(
    ("late", "line"),
    [
        (["a"], "Hello my name is a!"),
        (["a", "b"], "Hello our names are a and b!"),
        (["a", "b", "c"], "Hello our names are a, b and c!"),
        (["a", "b", "c", "d", "e"], "Hello our names are a, b, c and 2 more!"),
    ],
)
async def test_greet_merges_the_names_past_the_limit_of_a_period(late: list[str], line: str) -> None:
    async with Hub.here().listen([ROOM]) as listener:
        await greet(*"wxyz", *late)
        assert (await heard(listener, 5))[-1] == line


@pytest.mark.parametrize(
    ("audience", "greetings_alone", "seconds"),
    [(0, 4, 1), (1, 4, 1), (250, 4, 1), (251, 3, 1), (500, 2, 1), (501, 1, 1), (1000, 1, 1), (3000, 1, 3)],
)
def test_pace_bounds_deliveries_by_the_audience(
    monkeypatch: pytest.MonkeyPatch, audience: int, greetings_alone: int, seconds: float
) -> None:
    monkeypatch.setattr(greetings, "PERIOD", 1.0)
    assert greetings.pace(audience) == (greetings_alone, seconds)


async def test_greet_merges_from_the_second_on_in_a_room_with_many_listeners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greetings, "DELIVERIES_PER_PERIOD", 5)
    async with contextlib.AsyncExitStack() as stack:
        listeners = [await stack.enter_async_context(Hub.here().listen([ROOM])) for _ in range(5)]
        assert await greet("a", "b", "c") == [f"Hello my name is {name}!" for name in "abc"]
        for listener in listeners:
            assert await heard(listener, 2) == ["Hello my name is a!", "Hello our names are b and c!"]


async def test_greet_starts_afresh_and_keeps_nothing_after_a_quiet_period(eventually) -> None:
    await greet(*"uvwxyz")
    crowds = greetings.Crowds.here().by_room
    await eventually(lambda: not crowds)
    async with Hub.here().listen([ROOM]) as listener:
        await greet("a")
        assert await heard(listener, 1) == ["Hello my name is a!"]


USER = people.Person(id="user-1", name="ann")


@pytest.mark.parametrize(
    ("name", "person"), [("", USER), (" ", USER), ("a\nb", USER), (None, USER), ("x" * 101, USER), ("x" * 41, ANN)]
)
def test_clean_name_rejects_invalid_names(name: object, person: people.Person) -> None:
    with pytest.raises(InvalidName):
        greetings.clean_name(name, person)


@pytest.mark.parametrize(("name", "person"), [("foo", ANN), ("x" * 40, ANN), ("x" * 100, USER)])
def test_clean_name_allows_users_longer_names_than_guests(name: str, person: people.Person) -> None:
    assert greetings.clean_name(name, person) == name
