"""The recovery table: after any interruption a listener hears each missed message once and in order.

Each case is tried at each door, while somebody else in the room goes on talking.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from unittest import mock

import pytest
from channels.layers import get_channel_layer
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError, transaction
from pytest_django import Settings

from chat import models
from chat.actions import posting
from chat.delivery import availability, hub
from chat.delivery.hub import Hub
from chat.domain.events import Event, Kind
from chat.domain.group_events import to_group
from chat.domain.people import SESSION_KEY, Person, new_guest
from chat.domain.recoveries import Recovery, RecoveryRequest
from chat.domain.rooms import Room, find
from chat.errors import ChatError, NotAMember
from chat.storage import changes, history, log, pages, pruning, recoveries
from chat.storage.database import in_database, reads_long
from tests.doors import DOORS, BrowserDoor, Door, EventsDoor, GraphQLDoor, Heard
from tests.recovering import entries_after

ANN = Person(id="user-1", name="Ann")
MOMENTS = ["before", "during", "after"]  # a recovery is read


class Talk:
    """A room in which somebody talks all the time: through this process, and through another one, of whose messages
    the layer brings every second one.
    """

    def __init__(self, name: str = "recovery") -> None:
        self.room = find(name)
        self._turn = asyncio.Lock()
        self._ended = False

    async def go_on(self) -> None:
        while not self._ended:
            async with self._turn:
                await posting.post(room=self.room, message="here", person=ANN)
                await self.tell(*(await self.store("there, and brought"))[-1:])
                await self.store("there, and lost")
            await asyncio.sleep(0.01)

    @asynccontextmanager
    async def silence(self) -> AsyncIterator[int]:
        """Nobody else talks for the length of the block, and everybody has heard everything. Gives the last offset."""
        async with self._turn:
            await posting.post(room=self.room, message="silence, please", person=ANN)
            yield await self.last()

    async def end(self) -> None:
        self._ended = True
        async with self._turn:
            await posting.post(room=self.room, message="the end", person=ANN)

    async def store(self, *texts: str) -> list[Event]:
        """Says `texts` in another process; nobody is told."""
        return [await in_database(self.store_one, text) for text in texts]

    def store_one(self, text: str) -> Event:
        return log.append([log.Draft(room=self.room, text=text, person=ANN)])[0].event

    async def tell(self, *events: Event) -> None:
        """Hands `events` to the hub, as the layer does."""
        for event in events:
            Hub.here().hear(event)

    async def prune(self, keep: int) -> None:
        await in_database(pruning.prune, keep=keep)

    async def last(self) -> int:
        return (await in_database(history.heads, [self.room]))[self.room].position.offset

    async def since(self, after: int) -> list[tuple[int | None, str]]:
        return [(event.offset, event.message) for event in await in_database(entries_after, self.room, after)]


async def hear_until(door: Door, enough: Callable[[list[Heard]], bool]) -> list[Heard]:
    """The events that `door` hears until `enough` of them; fails after ten seconds."""
    heard: list[Heard] = []
    async with asyncio.timeout(10):
        while not (heard and enough(heard)):
            heard.append(await door.hear())
    return heard


def the_end(heard: list[Heard]) -> bool:
    return heard[-1].text == "the end"


async def hears_the_rest(door: Door, talk: Talk, after: int) -> list[Heard]:
    """Ends the talk. Fails unless `door` hears everything after the offset `after`, each once, in order.

    Returns what it heard, with what isn't stored.
    """
    await talk.end()
    stored = await talk.since(after)
    heard = await hear_until(door, the_end)
    assert {one.kind for one in heard} == {"message"}
    assert [(one.offset, one.text) for one in heard if one.offset is not None] == stored
    return heard


async def starts_over(door: Door, talk: Talk) -> None:
    """Fails unless `door` is told to start over, and hears everything from there on."""
    told = await door.hear()
    assert (told.kind, told.room) == ("start_over", talk.room.name)
    assert "start over" in told.text
    await hears_the_rest(door, talk, told.offset or 0)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "WATCH_INTERVAL", 0.1)
    monkeypatch.setattr(availability, "RETRY_INTERVAL", 0.05)


@pytest.fixture(params=[*DOORS, EventsDoor], ids=lambda door: door.__name__)
def door(request: pytest.FixtureRequest) -> type[Door]:
    return request.param


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    """A talk in which five messages or more have been said, and which goes on."""
    talk = Talk()
    await talk.store("one", "two", "three", "four", "five")
    going_on = asyncio.create_task(talk.go_on())
    yield talk
    await talk.end()
    await going_on


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], Any]], None]:
    """`meanwhile("during", function)` calls `function` once, at a moment of the first recovery that is read.

    It is called in the lane of long reads, so that until it returns no other recovery is read.
    """

    def at(moment: str, function: Callable[[], Any]) -> None:
        recover_all, read, pending = recoveries.recover_all, recoveries._read, [function]

        def happens(when: str) -> None:
            if when == moment and pending:
                pending.pop()()

        def read_and_wait(*args: Any) -> Any:
            logs = read(*args)
            happens("during")  # before permissions are asked
            return logs

        def recover_slowly(requests: list[RecoveryRequest]) -> list[Recovery | ChatError]:
            if not any(request.person for request in requests):
                return recover_all(requests)  # for a feed
            happens("before")
            with mock.patch.object(recoveries, "_read", read_and_wait):
                found = recover_all(requests)
            happens("after")
            return found

        monkeypatch.setattr(recoveries, "recover_all", reads_long(recover_slowly))

    return at


class TestRecoveryFromAPosition:
    async def test_recovery_from_0_gives_everything(self, door, talk) -> None:
        async with door.open("recovery", 0) as ear:
            await hears_the_rest(ear, talk, 0)

    async def test_recovery_gives_everything_after_the_position(self, door, talk) -> None:
        async with door.open("recovery", 3) as ear:
            await hears_the_rest(ear, talk, 3)

    async def test_recovery_from_the_current_offset_gives_new_messages_only(self, door, talk) -> None:
        async with talk.silence() as last, door.open("recovery", last) as ear:
            await talk.store("new")
            assert (await ear.hear()).offset == last + 1
        # The talk goes on without this one.

    async def test_recovery_far_ahead_of_the_current_offset_starts_over(self, door, talk) -> None:
        async with door.open("recovery", 2**31 - 1) as ear:
            await starts_over(ear, talk)

    async def test_recovery_one_ahead_of_the_current_offset_starts_over(self, door, talk) -> None:
        async with AsyncExitStack() as stack:
            async with talk.silence() as last:
                ear = await stack.enter_async_context(door.open("recovery", last + 1))
                assert (await ear.hear()).offset == last
            await hears_the_rest(ear, talk, last)

    async def test_recovery_in_a_room_that_does_not_exist_starts_over(self, door) -> None:
        talk = Talk("a room of nobody's")
        async with door.open(talk.room.name, 5) as ear:
            await starts_over(ear, talk)

    async def test_recovery_from_0_in_a_new_room_gives_its_first_message(self, door) -> None:
        talk = Talk("a new room")
        async with door.open(talk.room.name, 0) as ear:
            assert [one.offset for one in await hears_the_rest(ear, talk, 0)] == [1]

    async def test_recovery_from_the_last_pruned_offset_gives_what_was_kept(self, door, talk) -> None:
        async with talk.silence() as last:
            await talk.prune(keep=3)
        async with door.open("recovery", last - 3) as ear:
            await hears_the_rest(ear, talk, last - 3)

    async def test_recovery_starts_over_when_missed_messages_were_pruned(self, door, talk) -> None:
        async with talk.silence() as last:
            await talk.prune(keep=3)
        async with door.open("recovery", last - 4) as ear:
            await starts_over(ear, talk)

    async def test_recovery_from_the_end_of_a_pruned_room_gives_new_messages(self, door, talk) -> None:
        async with talk.silence() as last:
            await talk.prune(keep=0)
        async with door.open("recovery", last) as ear:
            await hears_the_rest(ear, talk, last)

    async def test_recovery_from_0_in_a_pruned_room_starts_over(self, door, talk) -> None:
        await talk.prune(keep=0)
        async with door.open("recovery", 0) as ear:
            await starts_over(ear, talk)

    async def test_recovery_of_as_many_messages_as_the_limit_gives_all(self, door, talk, settings: Settings) -> None:
        async with AsyncExitStack() as stack:
            async with talk.silence() as last:
                settings.CHAT_RECOVERY_MAX = last - 2
                ear = await stack.enter_async_context(door.open("recovery", 2))
                first = await ear.hear()
            assert (first.kind, first.offset) == ("message", 3)
            await hears_the_rest(ear, talk, 3)

    async def test_recovery_of_one_message_past_the_limit_starts_over(self, door, talk, settings: Settings) -> None:
        async with AsyncExitStack() as stack:
            async with talk.silence() as last:
                settings.CHAT_RECOVERY_MAX = last - 3
                ear = await stack.enter_async_context(door.open("recovery", 2))
                told = await ear.hear()
            assert (told.kind, told.offset) == ("start_over", last)
            await hears_the_rest(ear, talk, last)

    async def test_recovery_gives_500_messages_by_default_and_starts_over_beyond(self, door) -> None:
        talk = Talk("five hundred")
        await in_database(lambda: [talk.store_one(str(number)) for number in range(501)])
        async with door.open(talk.room.name, 1) as ear, door.open(talk.room.name, 0) as too_far:
            assert (await too_far.hear()).kind == "start_over"
            assert len(await hears_the_rest(ear, talk, 1)) == 501

    async def test_listener_without_a_position_hears_no_old_messages(self, door, talk) -> None:
        async with door.open("recovery") as ear:
            first = await ear.hear()
            assert (first.offset or 0) > 5
            await hears_the_rest(ear, talk, first.offset)

    async def test_repeated_recoveries_give_each_message_once_altogether(self, door, talk) -> None:
        position = 0
        for _ in range(5):
            async with door.open("recovery", position) as ear:
                for offset in range(position + 1, position + 4):
                    heard = await ear.hear()
                    assert (heard.kind, heard.offset) == ("message", offset)
                position += 3
        async with door.open("recovery", position) as ear:
            await hears_the_rest(ear, talk, position)

    async def test_recovery_during_the_recovery_of_a_lost_connection_gives_everything(
        self, door, talk, meanwhile
    ) -> None:
        recovering, go_on = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        async def wait() -> None:
            recovering.set()
            await go_on.wait()

        meanwhile("during", lambda: asyncio.run_coroutine_threadsafe(wait(), loop).result(5))
        cut = asyncio.create_task(open_and_hear(door, 0))
        await recovering.wait()
        cut.cancel()
        again = asyncio.create_task(open_and_hear(door, 1))
        await asyncio.sleep(0)
        go_on.set()
        assert (await again).offset == 2
        async with door.open("recovery", 2) as ear:
            await hears_the_rest(ear, talk, 2)
        await asyncio.wait([cut])


async def open_and_hear(door: type[Door], after: int) -> Heard:
    async with door.open("recovery", after) as ear:
        return await ear.hear()


class TestRecoveryOfAMessage:
    @pytest.mark.parametrize("moment", MOMENTS)
    async def test_message_stored_around_the_read_and_delivered_is_heard_once(
        self, door, talk, meanwhile, moment: str
    ) -> None:
        loop = asyncio.get_running_loop()

        def say() -> None:
            event = talk.store_one(moment)
            asyncio.run_coroutine_threadsafe(talk.tell(event), loop).result(5)

        meanwhile(moment, say)
        async with door.open("recovery", 3) as ear:
            await ear.hear()
            heard = await hears_the_rest(ear, talk, 4)
        assert [one.text for one in heard].count(moment) == 1

    @pytest.mark.parametrize("moment", MOMENTS)
    async def test_message_stored_around_the_read_and_never_delivered_is_heard_once(
        self, door, talk, meanwhile, moment: str
    ) -> None:
        meanwhile(moment, lambda: talk.store_one(moment))
        async with door.open("recovery", 3) as ear:
            await ear.hear()
            heard = await hears_the_rest(ear, talk, 4)
        assert [one.text for one in heard].count(moment) == 1

    @pytest.mark.parametrize("moment", MOMENTS)
    async def test_recovery_around_which_the_log_is_pruned_is_complete_or_starts_over(
        self, door, talk, meanwhile, moment: str
    ) -> None:
        meanwhile(moment, lambda: prune_to(talk.room, 4))
        async with door.open("recovery", 3) as ear:
            first = await ear.hear()
            if moment != "before":
                await hears_the_rest_although_it_is_gone(ear, talk, 3, first)
            else:
                assert first.kind == "start_over"
                await hears_the_rest(ear, talk, first.offset)

    async def test_message_delivered_twice_is_heard_once(self, door, talk) -> None:
        async with door.open("recovery", 3) as ear:
            await ear.hear()
            for event in await talk.store("a", "b"):
                await talk.tell(event, event)
                await talk.tell(event)
            await hears_the_rest(ear, talk, 4)

    async def test_messages_delivered_out_of_order_are_heard_in_order(self, door, talk) -> None:
        async with door.open("recovery", 3) as ear:
            await ear.hear()
            for _ in range(5):
                first, second = await talk.store("first", "second")
                await talk.tell(second, first)
            await hears_the_rest(ear, talk, 4)

    async def test_messages_delivered_late_into_a_hole_are_heard_in_their_place(self, door, talk) -> None:
        async with door.open("recovery", 3) as ear:
            await ear.hear()
            first, second, third = await talk.store("first", "second", "third")
            await talk.tell(third)
            heard = await hear_until(ear, lambda heard: heard[-1].text == "third")
            await talk.tell(first, second)
            await hears_the_rest(ear, talk, heard[-1].offset)

    async def test_messages_delivered_backwards_are_heard_forwards(self, door, talk) -> None:
        async with door.open("recovery", 3) as ear:
            await ear.hear()
            await talk.tell(*reversed(await talk.store(*"abcdefgh")))
            await hears_the_rest(ear, talk, 4)

    async def test_old_messages_delivered_again_are_not_heard_again(self, door, talk) -> None:
        old = await in_database(entries_after, talk.room)
        async with door.open("recovery", 3) as ear:
            await ear.hear()
            await talk.tell(*old)
            await hears_the_rest(ear, talk, 4)

    async def test_message_never_delivered_is_heard_after_a_quiet_spell(self, door, talk) -> None:
        async with talk.silence() as last, door.open("recovery", last - 1) as ear:
            assert (await ear.hear()).offset == last
            await talk.store("brought by nobody")
            assert (await ear.hear()).text == "brought by nobody"

    async def test_message_stored_while_reads_fail_is_heard_once_they_work(self, door, talk, eventually) -> None:
        async with door.open("recovery", 3) as ear:
            await ear.hear()
            for module, function in [(recoveries, "recover_all"), (history, "heads"), (changes, "_read")]:
                with mock.patch.object(module, function, side_effect=OperationalError("it is away")) as away:
                    await talk.store("lost, so that it is read")
                    await eventually(lambda away=away: away.called)
            await hears_the_rest(ear, talk, 4)

    async def test_messages_of_this_process_are_heard_in_order_among_those_of_another(self, door, talk) -> None:
        async with door.open("recovery", 3) as ear:
            await ear.hear()
            said = [posting.post(room=talk.room, message=str(number), person=ANN) for number in range(10)]
            await asyncio.gather(*said, talk.store(*"abcdefgh"))
            await hears_the_rest(ear, talk, 4)

    async def test_message_is_heard_once_by_live_and_by_recovering_listeners(self, door, talk) -> None:
        async with door.open("recovery", 0) as first, BrowserDoor.open("recovery", 4) as second:
            await first.hear()
            await talk.store("lost", "lost too")
            async with door.open("recovery", 2) as third:
                await hears_the_rest(first, talk, 1)
                await hears_the_rest_once_more(second, talk, 4)
                await hears_the_rest_once_more(third, talk, 2)


async def hears_the_rest_once_more(door: Door, talk: Talk, after: int) -> None:
    """As `hears_the_rest`, of a talk that has ended already."""
    with mock.patch.object(talk, "end", mock.AsyncMock()):
        await hears_the_rest(door, talk, after)


@transaction.atomic
def prune_to(room: Room, offset: int) -> None:
    """Prunes up to `offset`, whatever is said meanwhile: what the room's feed has not heard yet is kept."""
    last = models.Room.objects.select_for_update().get(name=room.name).last_offset
    pruning.prune(keep=last - offset)


async def hears_the_rest_although_it_is_gone(door: Door, talk: Talk, after: int, first: Heard) -> None:
    """The rest had been read, and then it was pruned."""
    await talk.end()
    heard = [first, *await hear_until(door, the_end)]
    assert {one.kind for one in heard} == {"message"}
    assert [one.offset for one in heard] == [*range(after + 1, await talk.last() + 1)]


def set_back(room: Room, to: int) -> None:
    """Sets the log back like a restored backup: entries after `to` are gone, and their offsets are given again."""
    if to == 0:
        models.Room.objects.filter(name=room.name).delete()
    else:
        models.Message.objects.filter(room__name=room.name, offset__gt=to).delete()
        models.Room.objects.filter(name=room.name).update(last_offset=to)


class TestLogThatWentBack:
    """Ten messages, then the log goes back to the third, or there is no such room any more."""

    @pytest.fixture
    async def log_of_ten(self) -> Talk:
        talk = Talk("set back")
        await talk.store(*"abcdefghij")
        return talk

    @pytest.mark.parametrize("to", [0, 1, 3, 9])
    async def test_log_that_went_back_starts_listeners_over_at_once_where_the_next_message_is_stored(
        self, door, log_of_ten: Talk, to: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hub, "WATCH_INTERVAL", 3600)
        async with door.open("set back", 8) as ear, BrowserDoor.open("set back") as poster:
            assert [(await ear.hear()).offset for _ in range(2)] == [9, 10]
            await in_database(set_back, log_of_ten.room, to)
            await poster.post("said after it", "mine")
            for one in (ear, poster):
                told = await one.hear()
                before = await in_database(history.find, log_of_ten.room, to) if to else None
                assert (told.kind, told.offset, told.id) == ("start_over", to, before and before.id)
                heard = await one.hear()
                assert (heard.offset, heard.text, heard.client_id) == (to + 1, "said after it", "mine")

    @pytest.mark.parametrize("said_since", [0, 4, 7, 20], ids=["shorter", "still shorter", "as long", "longer"])
    async def test_log_that_went_back_is_noticed_by_the_watch(self, door, log_of_ten: Talk, said_since: int) -> None:
        async with door.open("set back", 8) as ear:
            assert [(await ear.hear()).offset for _ in range(2)] == [9, 10]

            def go_back_and_on() -> None:
                set_back(log_of_ten.room, 3)
                for number in range(said_since):
                    log_of_ten.store_one(f"since {number}")

            await in_database(go_back_and_on)
            told = await ear.hear()
            assert (told.kind, told.offset) == ("start_over", 3 + said_since)
            await log_of_ten.store("on")
            assert (await ear.hear()).text == "on"

    async def test_log_that_went_back_and_grew_again_is_noticed_at_the_next_message(
        self, door, log_of_ten: Talk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hub, "WATCH_INTERVAL", 3600)
        async with door.open("set back", 8) as ear:
            assert [(await ear.hear()).offset for _ in range(2)] == [9, 10]
            await in_database(set_back, log_of_ten.room, 3)
            await log_of_ten.store(*"1234567")
            await posting.post(room=log_of_ten.room, message="the eleventh again", person=ANN)
            told, heard = await ear.hear(), await ear.hear()
            assert (told.kind, told.offset) == ("start_over", 10)
            assert (heard.offset, heard.text) == (11, "the eleventh again")

    @pytest.mark.parametrize("somebody_listens", [True, False])
    @pytest.mark.parametrize("said_since", [0, 4, 7, 20])
    async def test_recovery_with_an_id_starts_over_when_the_log_went_back(
        self, door, log_of_ten: Talk, said_since: int, somebody_listens: bool
    ) -> None:
        last = await in_database(history.find, log_of_ten.room, 10)
        async with AsyncExitStack() as stack:
            if somebody_listens:
                await stack.enter_async_context(BrowserDoor.open("set back"))
            await in_database(set_back, log_of_ten.room, 3)
            await log_of_ten.store(*[f"since {number}" for number in range(said_since)])
            ear = await stack.enter_async_context(door.open("set back", 10, last.id))
            told = await ear.hear()
            assert (told.kind, told.offset) == ("start_over", 3 + said_since)
            await log_of_ten.store("on")
            assert (await ear.hear()).text == "on"

    async def test_recovery_from_before_the_point_the_log_went_back_to_is_complete(
        self, door, log_of_ten: Talk
    ) -> None:
        second = await in_database(history.find, log_of_ten.room, 2)
        await in_database(set_back, log_of_ten.room, 3)
        await log_of_ten.store("new fourth")
        async with door.open("set back", 2, second.id) as ear:
            assert [(await ear.hear()).text for _ in range(2)] == ["c", "new fourth"]

    async def test_retry_of_a_message_lost_when_the_log_went_back_is_stored_anew(self, door, log_of_ten: Talk) -> None:
        async with door.open("set back", 10) as ear:
            await ear.post("hi", "mine")
            assert (await ear.hear()).offset == 11
            await in_database(set_back, log_of_ten.room, 3)
            await ear.post("hi", "mine")
            heard = [await ear.hear(), await ear.hear()]
            assert [(one.kind, one.offset) for one in heard] == [("start_over", 3), ("message", 4)]

    async def test_log_that_went_back_ends_listeners_without_permission_there(self, log_of_ten: Talk) -> None:
        def close() -> None:
            set_back(log_of_ten.room, 3)
            models.Room.objects.filter(name="set back").update(is_private=True, restricted=True)
            log.append([log.Draft(room=log_of_ten.room, text="among members", person=ANN, trusted=True)])

        async with Hub.here().listen([log_of_ten.room], person=new_guest()) as listener:
            await in_database(close)
            async with asyncio.timeout(5):
                assert (await anext(listener)).kind is Kind.START_OVER
                with pytest.raises(NotAMember):
                    await anext(listener)


@pytest.mark.parametrize("id", ["0", "x" * 5000, "é", "a\0b"])
async def test_recovery_from_a_position_with_a_wrong_id_starts_over(door, talk, id: str) -> None:
    async with door.open("recovery", 3, id) as ear:
        await starts_over(ear, talk)


async def test_recovery_from_a_position_with_its_id_gives_everything_after_it(door, talk) -> None:
    third = await in_database(history.find, talk.room, 3)
    async with door.open("recovery", 3, third.id) as ear:
        await hears_the_rest(ear, talk, 3)


class TestEntryOfANewerRelease:
    """An entry of a kind or change unknown to this release is passed over, and the position moves on."""

    CASES = [{"kind": "poll"}, {"kind": "notice", "change": "frozen"}, {"kind": "start_over"}, {"kind": "greeting"}]

    def store_unknown(self, talk: Talk, fields: dict) -> Event:
        event = talk.store_one("of a newer release")
        models.Message.objects.filter(room__name=talk.room.name, offset=event.offset).update(**fields)
        return event

    @pytest.mark.parametrize("fields", CASES)
    async def test_entry_of_an_unknown_kind_is_passed_over_in_recovery(self, door, fields: dict) -> None:
        talk = Talk("newer")
        await talk.store("one")
        await in_database(self.store_unknown, talk, fields)
        await talk.store("three")
        async with door.open("newer", 0) as ear:
            assert [(await ear.hear()).offset for _ in range(2)] == [1, 3]
            await talk.store("four")
            assert (await ear.hear()).offset == 4

    @pytest.mark.parametrize("fields", CASES)
    @pytest.mark.parametrize("brought", [True, False])
    async def test_entry_of_an_unknown_kind_is_passed_over_live(
        self, door, fields: dict, brought: bool, foreign_send
    ) -> None:
        talk = Talk("newer")
        await talk.store("one")
        async with door.open("newer", 0) as ear:
            assert (await ear.hear()).offset == 1
            event = await in_database(self.store_unknown, talk, fields)
            if brought:
                sent = to_group(event) | {"kind": fields["kind"], "access": fields.get("change")}
                await foreign_send("newer", **{key: sent[key] for key in sent if key not in {"type", "room_id"}})
            await posting.post(room=talk.room, message="three", person=ANN)
            heard = await ear.hear()
            assert (heard.offset, heard.text) == (3, "three")

    @pytest.mark.parametrize("fields", CASES)
    async def test_entry_of_an_unknown_kind_is_passed_over_in_history(self, fields: dict) -> None:
        talk = Talk("newer")
        await talk.store("one")
        await in_database(self.store_unknown, talk, fields)
        await talk.store("three")
        page = await in_database(pages.page, talk.room, person=None, size=2, from_end=True)
        assert ([event.offset for event in page.events], page.has_earlier) == ([1, 3], False)


async def test_recovery_limit_is_checked_on_the_first_page_only(door, settings: Settings, meanwhile) -> None:
    settings.CHAT_RECOVERY_MAX = 250
    talk = Talk("much")
    await in_database(lambda: [talk.store_one(str(number)) for number in range(240)])
    meanwhile("after", lambda: [talk.store_one(f"meanwhile {number}") for number in range(100)])
    async with door.open("much", 0) as ear:
        assert [(await ear.hear()).offset for _ in range(340)] == [*range(1, 341)]


class TestLiveEvent:
    async def test_live_event_is_heard_between_two_stored_ones(self, door, talk, foreign_send) -> None:
        async with AsyncExitStack() as stack:
            async with talk.silence() as last:
                ear = await stack.enter_async_context(door.open("recovery", last - 1))
                assert (await ear.hear()).offset == last
                await posting.post(room=talk.room, message="before", person=ANN)
                await foreign_send("recovery", message="from a worker")
                assert [(await ear.hear()).text for _ in range(2)] == ["before", "from a worker"]
                await posting.post(room=talk.room, message="after", person=ANN)
                assert (await ear.hear()).text == "after"
            await hears_the_rest(ear, talk, last + 2)

    @pytest.mark.parametrize(
        "keys",
        [
            {},
            {
                "id": "7",
                "user": "ann",
                "user_id": "user-1",
                "sent_at": "2030-01-01T00:00:00+00:00",
            },  # an older instance
            *({"offset": offset} for offset in [None, 0, -1, "7", 1.5, True, [7], {}]),
        ],
    )
    async def test_live_event_with_missing_or_malformed_keys_is_heard_and_loses_no_message(
        self, door, talk, foreign_send, keys: dict
    ) -> None:
        async with door.open("recovery", 3) as ear:
            await ear.hear()
            await foreign_send("recovery", message="from elsewhere", **keys)
            seen = await hear_until(ear, lambda heard: heard[-1].text == "from elsewhere")
            assert seen[-1].offset is None
            assert [one.offset for one in seen[:-1]] == [*range(5, 4 + len(seen))]
            await hears_the_rest(ear, talk, 3 + len(seen))

    @pytest.mark.parametrize("offset", [1_000_000, 2**63 - 1, 2**64 - 1])
    async def test_live_event_with_an_offset_far_ahead_loses_no_message(
        self, door, talk, foreign_send, offset: int
    ) -> None:
        async with door.open("recovery", 3) as ear:
            await ear.hear()
            await foreign_send("recovery", message="far ahead", offset=offset)
            await hears_the_rest(ear, talk, 4)


class TestRecoveryOfTwoRooms:
    async def test_subscription_recovers_two_rooms_at_once(self, talk, graphql_door) -> None:
        other = Talk("öther")
        await other.store(*"abcdef")
        async with graphql_door.open_all({"recovery": 2, "öther": 4}) as ear:
            heard = await hear_until_the_end_of(ear, talk, other)
        for one, after in [(talk, 2), (other, 4)]:
            found = [(each.offset, each.text) for each in heard if each.room == one.room.name]
            assert found == await one.since(after)

    async def test_subscription_to_two_rooms_starts_over_in_one_and_recovers_the_other(
        self, talk, graphql_door
    ) -> None:
        other = Talk("öther")
        await other.store(*"abcdef")
        async with graphql_door.open_all({"recovery": 2, "öther": 40}) as ear:
            heard = await hear_until(ear, lambda heard: "start_over" in [one.kind for one in heard])
            heard += await hear_until_the_end_of(ear, talk, other)
        assert [(one.room, one.offset) for one in heard if one.kind == "start_over"] == [("öther", 6)]
        found = [(one.offset, one.text) for one in heard if one.room == "recovery"]
        assert found == await talk.since(2)

    async def test_subscription_to_two_rooms_recovers_one_and_is_live_only_in_the_other(
        self, talk, graphql_door
    ) -> None:
        other = Talk("öther")
        await other.store(*"abcdef")
        async with graphql_door.open_all({"recovery": 2, "öther": None}) as ear:
            await ear.hear()  # so they are joined
            heard = await hear_until_the_end_of(ear, talk, other)
        assert [(one.offset, one.text) for one in heard if one.room == "öther"] == [(7, "the end")]

    async def test_recoveries_of_two_rooms_at_two_sockets_do_not_mix(self, talk, door) -> None:
        other = Talk("öther")
        await other.store(*"abcdef")
        async with door.open("recovery", 2) as one, door.open("öther", 4) as another:
            await hears_the_rest(one, talk, 2)
            await hears_the_rest(another, other, 4)

    async def test_position_in_a_room_that_is_not_joined_recovers_nothing(self, talk) -> None:
        other = Talk("öther")
        await other.store(*"abcdef")
        query = """subscription ($positions: [RoomPosition!]) {
            joinChatRooms(rooms: [{roomName: "recovery"}], user: "foo", positions: $positions) {
                roomName message offset id clientId kind
            }
        }"""
        door = DOORS[-1]
        with mock.patch("tests.doors.JOIN_CHAT_ROOMS", query):
            async with door.open_all({"recovery": 3, "öther": 0}) as ear:
                await hears_the_rest(ear, talk, 3)


@pytest.fixture(params=DOORS[1:], ids=lambda door: door.__name__)
def graphql_door(request: pytest.FixtureRequest) -> type[GraphQLDoor]:
    return request.param


async def hear_until_the_end_of(door: Door, *talks: Talk) -> list[Heard]:
    for talk in talks:
        await talk.end()
    return await hear_until(door, lambda heard: [one.text for one in heard].count("the end") == len(talks))


class TestRetry:
    """The same client id again is stored once. A retry through the browser's socket gets an echo, since its sender has
    not heard that it arrived; even when recovery brings the message as well.
    """

    async def test_retry_on_the_same_connection_is_stored_once(self, door, talk) -> None:
        async with door.open("recovery", 3) as ear, door.open("recovery", 3) as witness:
            first = await said_and_heard(ear, "mine")
            await ear.post("hi, again", "mine")
            if door is BrowserDoor:
                assert await heard_of(ear, "mine") == first
            heard = await hears_the_rest(witness, talk, 3)
        assert of_client(heard) == [first]

    @pytest.mark.parametrize("before", [0, 1], ids=["at it", "before it"])
    async def test_retry_on_another_connection_is_echoed(self, door, talk, before: int) -> None:
        async with door.open("recovery", 3) as ear:
            first = await said_and_heard(ear, "mine")
        async with BrowserDoor.open("recovery", first.offset - before) as ear:
            await ear.post("hi, again", "mine")
            assert await heard_of(ear, "mine") == first
        async with door.open("recovery", 3) as witness:
            assert of_client(await hears_the_rest(witness, talk, 3)) == [first]

    async def test_retry_through_another_door_is_stored_once(self, door, talk) -> None:
        async with BrowserDoor.open("recovery", 3) as browser:
            first = await said_and_heard(browser, "mine")
        async with door.open("recovery", first.offset) as ear, door.open("recovery", 3) as witness:
            await ear.post("hi", "mine")
            await said_and_heard(ear, "another")
            assert of_client(await hears_the_rest(witness, talk, 3)) == [first]

    async def test_concurrent_retries_are_stored_once(self, door, talk) -> None:
        async with door.open("recovery", 3) as witness, AsyncExitStack() as stack:
            ears = [await stack.enter_async_context(BrowserDoor.open("recovery")) for _ in range(5)]
            for ear in ears:
                await ear.post("hi", "mine")
            assert len({await heard_of(ear, "mine") for ear in ears}) == 1
            assert len(of_client(await hears_the_rest(witness, talk, 3))) == 1

    async def test_same_client_id_in_another_room_is_another_message(self, door, talk) -> None:
        async with door.open("recovery", 3) as ear, door.open("öther", 0) as other:
            await said_and_heard(ear, "mine")
            assert (await said_and_heard(other, "mine")).offset == 1

    async def test_same_client_id_of_another_person_is_another_message(self, door, talk, guest_headers) -> None:
        async with (
            door.open("recovery", 3, headers=await guest_headers("ann")) as ann,
            door.open("recovery", 3, headers=await guest_headers("ben")) as ben,
        ):
            await said_and_heard(ann, "mine")
            await ben.post("hi", "mine")
            heard = await hear_until(ben, lambda heard: len(of_client(heard)) == 2)
        assert len({one.offset for one in of_client(heard)}) == 2

    async def test_retry_of_a_guest_over_another_connection_is_stored_once(self, door, talk, guest_headers) -> None:
        headers = await guest_headers("ann")
        async with door.open("recovery", 3, headers=headers) as ear:
            first = await said_and_heard(ear, "mine")
        async with door.open("recovery", first.offset, headers=headers) as ear:
            await ear.post("hi", "mine")
            await said_and_heard(ear, "another")
        async with door.open("recovery", 3) as witness:
            assert of_client(await hears_the_rest(witness, talk, 3)) == [first]


async def heard_of(door: Door, client_id: str) -> Heard:
    return (await hear_until(door, lambda heard: heard[-1].client_id == client_id))[-1]


async def said_and_heard(door: Door, client_id: str) -> Heard:
    await door.post("hi", client_id)
    return await heard_of(door, client_id)


def of_client(heard: list[Heard]) -> list[Heard]:
    return [one for one in heard if one.client_id == "mine"]


@pytest.fixture
def guest_headers() -> Callable:
    """`await guest_headers("ann")`: the headers of a guest who has a session."""

    def make(name: str) -> list[tuple[bytes, bytes]]:
        session = SessionStore()
        session[SESSION_KEY] = {"id": f"guest-{name}", "name": name}
        session.save()
        return [(b"cookie", f"sessionid={session.session_key}".encode())]

    async def headers(name: str) -> list[tuple[bytes, bytes]]:
        return await in_database(make, name)

    return headers


class TestWithoutRedis:
    @pytest.fixture
    def away(self, settings: Settings) -> None:
        layer = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": ["unix:///no.sock"]}}
        settings.CHANNEL_LAYERS = {"default": layer}

    async def test_message_without_redis_is_heard_in_this_process_at_once(
        self, away, door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hub, "WATCH_INTERVAL", 3600)
        talk = Talk()
        await talk.store("one", "two")
        async with door.open("recovery", 1) as ear:
            await ear.hear()
            for text in "abc":
                await posting.post(room=talk.room, message=text, person=ANN)
                async with asyncio.timeout(1):
                    assert (await ear.hear()).text == text

    async def test_message_of_another_process_without_redis_is_heard_within_two_seconds(self, away, door, talk) -> None:
        async with door.open("recovery", 3) as ear:
            await ear.hear()
            await talk.store("from another process")
            async with asyncio.timeout(2):
                heard = await hear_until(ear, lambda heard: heard[-1].text == "from another process")
            await hears_the_rest(ear, talk, heard[-1].offset)

    async def test_recovery_works_without_redis(self, away, door, talk) -> None:
        async with door.open("recovery", 0) as ear:
            await hears_the_rest(ear, talk, 0)

    async def test_listener_goes_on_without_reconnecting_once_redis_is_back(
        self, away, door, talk, settings: Settings, eventually
    ) -> None:
        async with door.open("recovery", 3) as ear:
            await ear.hear()
            settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
            await eventually(lambda: talk.room.group in get_channel_layer().groups)
            await hears_the_rest(ear, talk, 4)
