"""Presence and typing, as one process knows them and as several tell each other, through a real Valkey."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import pytest
from channels.layers import get_channel_layer

from chat.actions import moderation as actions
from chat.actions import posting
from chat.delivery.hub import Hub
from chat.delivery.listener import Listener
from chat.delivery.rooms import onlookers, peers, people_here, presence_messages, presences, room_presence
from chat.delivery.rooms.look import look
from chat.delivery.rooms.source import presences as presences_of
from chat.domain.events import Event
from chat.domain.people import Person, of_user
from chat.domain.presence import PEOPLE_MAX, LiveKind, LiveState, Presence, Typing
from chat.domain.rooms import Room, find
from chat.errors import Banned
from chat.storage import moderation
from chat.storage.database import in_database

ROOM = find("porch")
ANN, BEN, CEM = (Person(id=f"guest-{name}", name=name) for name in ("Ann", "Ben", "Cem"))
BOTH = frozenset(LiveKind)

Eventually = Callable[[Callable[[], Any]], Awaitable[None]]


class Ear(Listener):
    """A listener that keeps what it is told."""

    def __init__(self, person: Person, room: Room = ROOM, live_kinds: Iterable[LiveKind] = BOTH) -> None:
        super().__init__([room], None, person)
        self.live_kinds = frozenset(live_kinds)
        self.states: list[LiveState] = []
        self.error: Exception | None = None

    def take(self, event: Event) -> None:
        pass

    def show(self, state: LiveState) -> None:
        if self.error is None:
            self.states.append(state)

    def stop(self, error: Exception) -> None:
        self.error = error

    @property
    def present(self) -> tuple[int, list[str], bool]:
        """Count, names and completeness by the last state; nobody where there was none."""
        told = [state for state in self.states if isinstance(state, Presence)]
        return (told[-1].count, [one.name for one in told[-1].people], told[-1].complete) if told else (0, [], False)

    @property
    def typing(self) -> list[str]:
        told = [state for state in self.states if isinstance(state, Typing)]
        return [person.name for person in told[-1].people] if told else []


@contextlib.asynccontextmanager
async def here(hub: Hub, person: Person, *args: Any, **kwargs: Any) -> AsyncIterator[Ear]:
    """`person` is in the room, through the process of that hub."""
    ear = Ear(person, *args, **kwargs)
    await hub.join(ear)
    ear.go_live()
    try:
        yield ear
    finally:
        await hub.leave(ear)


@pytest.fixture
async def processes(eventually: Eventually) -> AsyncIterator[tuple[Hub, Hub]]:
    """Two processes of the site. In the end nothing is left of anybody's presence."""
    found = Hub.here(), Hub()
    yield found
    await eventually(lambda: not any(len(presences_of(one)) for one in found))
    await eventually(lambda: not get_channel_layer()._get_layer().groups)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Things follow each other sooner, so that a test ends soon."""
    monkeypatch.setattr(onlookers, "INTERVAL", 0.1)
    monkeypatch.setattr(presence_messages, "INTERVAL", 0.1)
    monkeypatch.setattr(people_here, "LINGER", 0.2)
    monkeypatch.setattr(presence_messages, "CONFIRM_AFTER", 0.3)


async def test_people_are_told_with_all_processes_together(processes: tuple[Hub, Hub], eventually: Eventually) -> None:
    one, other = processes
    async with here(one, ANN) as ann:
        await eventually(lambda: ann.present == (1, ["Ann"], True))
        async with here(other, BEN) as ben:
            for ear in (ann, ben):
                await eventually(lambda ear=ear: ear.present == (2, ["Ann", "Ben"], True))
        await eventually(lambda: ann.present == (1, ["Ann"], True))


async def test_person_with_several_tabs_in_several_processes_counts_once(
    processes: tuple[Hub, Hub], eventually: Eventually
) -> None:
    one, other = processes
    async with here(one, ANN), here(one, ANN), here(other, BEN) as ben:
        async with here(other, ANN):
            await eventually(lambda: ben.present == (2, ["Ann", "Ben"], True))
        await asyncio.sleep(0.5)
        assert ben.present == (2, ["Ann", "Ben"], True)


async def test_listener_that_leaves_while_it_joins_is_not_here() -> None:
    listener = Ear(ANN)
    joining = asyncio.create_task(Hub.here().join(listener))
    await asyncio.sleep(0)  # it waits for the layer, or for the database
    await Hub.here().leave(listener)
    await joining
    assert not listener.arrived
    assert len(presences_of(Hub.here())) == 0


async def test_person_who_comes_back_within_seconds_never_left(
    processes: tuple[Hub, Hub], eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_here, "LINGER", 1.0)
    async with here(processes[0], ANN) as ann:
        async with here(processes[0], BEN):
            await eventually(lambda: ann.present[0] == 2)
        async with here(processes[0], BEN):
            await asyncio.sleep(1.2)
        assert [state.count for state in ann.states if isinstance(state, Presence)][-1:] == [2]
        await eventually(lambda: ann.present[0] == 1)


async def test_process_in_which_nobody_asks_tells_of_its_people_and_keeps_nothing_of_others(
    processes: tuple[Hub, Hub], eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_presence, "ANNOUNCE_AFTER", 0.1)
    one, other = processes
    async with here(other, BEN, live_kinds=()) as ben:
        async with here(one, ANN) as ann:
            await eventually(lambda: ann.present == (2, ["Ann", "Ben"], True))
            assert presences_of(other)._rooms[ROOM.presence_group]._onlookers is None
            assert ROOM.presence_group not in other._groups
            async with here(other, CEM, live_kinds=()):
                await eventually(lambda: ann.present == (3, ["Ann", "Ben", "Cem"], True))
            await eventually(lambda: ann.present == (2, ["Ann", "Ben"], True))
            assert sorted(person.name for person in presences_of(one).people(ROOM)) == ["Ann", "Ben"]
            assert presences_of(other).people(ROOM) == [BEN]
            assert presences_of(one).people(find("another")) == []
        assert ben.states == []


async def test_process_in_which_nobody_asks_tells_those_that_ask_already(
    processes: tuple[Hub, Hub], eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_presence, "ANNOUNCE_AFTER", 0.1)
    one, other = processes
    async with here(one, ANN) as ann:
        await eventually(lambda: ann.present == (1, ["Ann"], True))
        async with here(other, BEN, live_kinds=()):
            await eventually(lambda: ann.present == (2, ["Ann", "Ben"], True))


async def test_look_is_told_who_is_here_and_isnt_here_itself(
    processes: tuple[Hub, Hub], eventually: Eventually
) -> None:
    async with here(processes[1], ANN, live_kinds=()), look(ROOM, LiveKind.PRESENCE, BEN) as looking:
        async with asyncio.timeout(5):
            while (state := await anext(looking)).count != 1:  # type: ignore[union-attr]
                pass
        assert state.people == (ANN,)


async def test_thousands_of_changes_cost_a_listener_a_state_a_second_that_is_one_object_for_all(
    processes: tuple[Hub, Hub], eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onlookers, "INTERVAL", 1.0)
    async with here(processes[0], ANN) as ann, here(processes[0], BEN) as ben:
        await eventually(lambda: ann.present[0] == 2 and ben.present[0] == 2)
        before = len(ann.states)
        began = asyncio.get_running_loop().time()
        crowd = [Ear(Person(id=f"guest-{number}", name=f"Guest {number:04}"), live_kinds=()) for number in range(2000)]
        for ear in crowd:
            await processes[0].join(ear)
        await eventually(lambda: ann.present[0] == 2002)
        took = asyncio.get_running_loop().time() - began
        assert len(ann.states) - before <= took + 1
        assert len(ann.present[1]) == PEOPLE_MAX
        assert ann.states[-1] is ben.states[-1]
        for ear in crowd:
            await processes[0].leave(ear)


async def test_typing_is_told_everywhere_and_ends_with_the_message(
    processes: tuple[Hub, Hub], eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = processes
    async with here(one, ANN) as ann, here(other, BEN) as ben:
        await eventually(lambda: ann.present[0] == ben.present[0] == 2)
        presences_of(other).type(ROOM, BEN, True)
        for ear in (ann, ben):
            await eventually(lambda ear=ear: ear.typing == ["Ben"])
        await posting.post(room=ROOM, message="there", person=BEN)
        for ear in (ann, ben):
            await eventually(lambda ear=ear: ear.typing == [])


@pytest.mark.parametrize("stops", [True, False], ids=["says so", "says nothing"])
async def test_typing_ends_when_the_person_stops_or_is_silent(
    processes: tuple[Hub, Hub], eventually: Eventually, monkeypatch: pytest.MonkeyPatch, stops: bool
) -> None:
    if not stops:
        monkeypatch.setattr(room_presence, "TYPING_LASTS", 0.5)
    one, other = processes
    async with here(one, ANN, live_kinds={LiveKind.TYPING}) as ann, here(other, BEN):
        await eventually(lambda: ROOM.presence_group in other._groups and ROOM.presence_group in one._groups)
        presences_of(other).type(ROOM, BEN, True)
        await eventually(lambda: ann.typing == ["Ben"])
        if stops:
            presences_of(other).type(ROOM, BEN, False)
        await eventually(lambda: ann.typing == [])
        assert len(ann.states) == 2


async def test_person_who_types_through_a_process_without_listeners_is_told(
    processes: tuple[Hub, Hub], eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_presence, "TYPING_LASTS", 0.5)
    one, other = processes
    async with here(one, ANN) as ann:
        await eventually(lambda: ann.present == (1, ["Ann"], True))
        presences_of(other).type(ROOM, BEN, True)
        await eventually(lambda: ann.typing == ["Ben"])
        await eventually(lambda: ann.typing == [])
        assert ann.present == (1, ["Ann"], True)


async def test_banned_person_is_gone_at_once_and_told_nothing_more(
    processes: tuple[Hub, Hub], eventually: Eventually, monkeypatch: pytest.MonkeyPatch, django_user_model: Any
) -> None:
    monkeypatch.setattr(people_here, "LINGER", 60)
    create_user = django_user_model.objects.create_user
    owner, ben = [of_user(await in_database(create_user, name)) for name in ("Ann", "Ben")]
    await in_database(moderation.create, ROOM, private=False, by=owner)
    one, other = processes
    async with here(one, owner) as told, here(other, ben) as banned:
        await eventually(lambda: told.present[0] == banned.present[0] == 2)
        presences_of(other).type(ROOM, ben, True)
        await eventually(lambda: told.typing == banned.typing == ["Ben"])
        await actions.carry_out(moderation.ban, ROOM, ben.id, by=owner)
        await eventually(lambda: isinstance(banned.error, Banned))
        states = len(banned.states)
        await eventually(lambda: told.present == (1, ["Ann"], True) and told.typing == [])
        presences_of(one).type(ROOM, owner, True)
        await eventually(lambda: told.typing == ["Ann"])
        assert len(banned.states) == states
        presences_of(one).type(ROOM, owner, False)
        monkeypatch.setattr(people_here, "LINGER", 0.1)


async def test_missed_message_is_asked_for(
    processes: tuple[Hub, Hub], eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = processes
    async with here(one, ANN) as ann, here(other, BEN):
        await eventually(lambda: ann.present[0] == 2)
        with monkeypatch.context() as deaf:
            deaf.setattr(presences_of(one), "receive", lambda message: None)
            async with here(other, CEM):
                await asyncio.sleep(0.2)  # the change is on its way by now
                deaf.undo()
                await eventually(lambda: ann.present == (3, ["Ann", "Ben", "Cem"], True))


async def test_renamed_person_is_called_by_the_new_name(processes: tuple[Hub, Hub], eventually: Eventually) -> None:
    one, other = processes
    async with here(one, ANN) as ann, here(other, BEN):
        await eventually(lambda: ann.present[0] == 2)
        presences_of(other).rename(Person(id=BEN.id, name="Benno"))
        await eventually(lambda: ann.present == (2, ["Ann", "Benno"], True))


async def test_silent_process_is_struck_off_and_asked_when_it_is_heard_again(
    processes: tuple[Hub, Hub], eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presences, "CHECK_INTERVAL", 0.05)
    monkeypatch.setattr(presences, "HEARTBEAT", 0.1)
    monkeypatch.setattr(peers, "DEAD_AFTER", 0.5)
    one, other = processes
    async with here(one, ANN) as ann, here(other, BEN):
        await eventually(lambda: ann.present[0] == 2)
        with monkeypatch.context() as halted:
            halted.setattr(presences_of(other), "_tell_life", lambda: asyncio.sleep(0))
            await eventually(lambda: ann.present == (1, ["Ann"], True))
        await eventually(lambda: ann.present == (2, ["Ann", "Ben"], True))


async def test_process_that_stops_takes_its_people_off_at_once(
    processes: tuple[Hub, Hub], eventually: Eventually
) -> None:
    one, other = processes
    async with here(one, ANN) as ann, here(other, BEN):
        await eventually(lambda: ann.present[0] == 2)
        await presences_of(other).stop()
        await eventually(lambda: ann.present == (1, ["Ann"], True))
    presences_of(other)._rooms.clear()


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"process": None},
        {"process": "p", "room_id": None},
        {"process": [], "room_id": ROOM.presence_group},
        {"process": "p", "room_id": ROOM.presence_group, "seq": None},
        {"process": "p", "room_id": ROOM.presence_group, "seq": 1, "people": []},
        {"process": "p", "room_id": ROOM.presence_group, "seq": 1, "people": "x"},
        {"process": "p", "room_id": ROOM.presence_group, "typing": {"id": []}},
        {"process": "p", "room_id": ROOM.presence_group, "typing": 1},
        {"process": "p", "room_id": ROOM.presence_group, "ask": 1},
        {"process": "p", "room_id": ROOM.presence_group, "news": "of a later version"},
    ],
)
async def test_message_that_makes_no_sense_is_passed_over(
    processes: tuple[Hub, Hub], eventually: Eventually, message: dict[str, Any]
) -> None:
    one, other = processes
    async with here(one, ANN) as ann:
        await eventually(lambda: ann.present == (1, ["Ann"], True))
        one.receive({"type": "chat.presence", **message})
        async with here(other, BEN):
            await eventually(lambda: ann.present == (2, ["Ann", "Ben"], True))
