"""Following one's own rooms: what is counted as it is said, what is read anew, and what is told no more."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from chat import models
from chat.actions import editing, posting, reading
from chat.actions import moderation as acting
from chat.delivery import hub
from chat.delivery.hub import Hub
from chat.delivery.rooms import followers, own_rooms
from chat.delivery.rooms.followers import Followers
from chat.delivery.rooms.own_rooms import Change
from chat.domain.people import Person, of_user
from chat.domain.rooms import Room, find
from chat.errors import NotAMember, Unavailable
from chat.models import Involvement, Role
from chat.storage import log, moderation, readings
from chat.storage import own_rooms as stored
from chat.storage.database import in_database
from chat.storage.readings import Mark

ANN = Person(id="guest-aaaaaaaaaaaaaaaa", name="Ann")
BEN = Person(id="guest-bbbbbbbbbbbbbbbb", name="Ben")
ROOM, OTHER = find("own room"), find("another")


@pytest.fixture(autouse=True)
async def two_rooms(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_rooms, "INTERVAL", 0.05)
    monkeypatch.setattr(own_rooms, "SPREAD", 0.0)
    await in_database(readings.enter, [Mark(ROOM, BEN), Mark(OTHER, BEN)])


class Following:
    """The changes of their rooms that a person was told of so far."""

    def __init__(self, changes: AsyncGenerator[Sequence[Change], None]) -> None:
        self.changes = changes
        self.unread: dict[str, int | None] = {}
        self.mentions: dict[str, int] = {}
        self.tellings = 0

    async def take(self) -> None:
        async with asyncio.timeout(5):
            some = await anext(self.changes)
        self.tellings += 1
        self.unread |= {room.name: own.unread if own else None for room, own in some}
        self.mentions |= {room.name: own.mentions_unread for room, own in some if own}

    async def until(self, **unread: int | None) -> None:
        """Waits until these rooms have so much that is unread, or are gone (None)."""
        wanted = {name.replace("_", " "): count for name, count in unread.items()}
        while {name: self.unread.get(name, -1) for name in wanted} != wanted:
            await self.take()


@pytest.fixture
async def follow() -> Any:
    """`await follow(person)`: follows the person's rooms until the test ends."""
    opened = []

    async def start(person: Person = BEN, **options: Any) -> Following:
        following = Following(own_rooms.follow(person, **options))
        opened.append(following)
        await following.take()
        return following

    yield start
    for following in opened:
        await following.changes.aclose()
    assert not Hub.here()._feeds
    assert not Followers.here()._by_person


async def say(text: str = "hi", room: Room = ROOM, person: Person = ANN) -> int:
    entry = await posting.post(room=room, message=text, person=person)
    assert entry.event.offset is not None
    return entry.event.offset


async def test_messages_of_others_are_counted_without_asking_the_database(
    follow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ben = await follow()
    assert ben.unread == {ROOM.name: 0, OTHER.name: 0}
    monkeypatch.setattr(own_rooms.Counts, "ask", None)
    await say()
    await say("mine", person=BEN)
    await say()
    await say(room=OTHER)
    await ben.until(own_room=2, another=1)


async def test_many_messages_are_told_together(follow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_rooms, "INTERVAL", 0.5)
    ben = await follow()
    for _ in range(40):
        await say()
    await ben.until(own_room=40)
    assert ben.tellings <= 4


async def test_count_ends_at_unread_max(follow: Any) -> None:
    ben = await follow()
    drafts = [log.Draft(room=ROOM, text=str(number), person=ANN) for number in range(stored.UNREAD_MAX - 1)]
    await in_database(log.append, drafts)
    await say()
    await ben.until(own_room=stored.UNREAD_MAX)
    await say()
    await say(room=OTHER)
    await ben.until(another=1)
    assert ben.unread[ROOM.name] == stored.UNREAD_MAX


async def test_reading_on_one_device_is_told_to_the_others(follow: Any) -> None:
    devices = [await follow(), await follow()]
    offset = await say()
    for device in devices:
        await device.until(own_room=1)
    await reading.mark_read(ROOM, offset, person=BEN)
    for device in devices:
        await device.until(own_room=0)
    await reading.mark_unread(ROOM, offset, person=BEN)
    for device in devices:
        await device.until(own_room=1)
    await reading.mark_all_read(person=BEN)
    for device in devices:
        await device.until(own_room=0)


async def test_what_one_person_reads_is_not_told_to_another(follow: Any) -> None:
    await in_database(readings.enter, [Mark(ROOM, ANN)])
    ann, ben = await follow(ANN), await follow()
    offset = await say(person=Person(id="guest-cccccccccccccccc", name="Cem"))
    await ann.until(own_room=1)
    await ben.until(own_room=1)
    await reading.mark_read(ROOM, offset, person=BEN)
    await ben.until(own_room=0)
    assert ann.unread == {ROOM.name: 1}


async def test_mentions_are_counted_as_they_are_said_and_as_they_are_read(follow: Any) -> None:
    await say("here I am", person=BEN)
    ben = await follow()
    for number, text in enumerate(["@Ben", "nobody", "@Ben and @Ben"], start=1):
        offset = await say(text)
        await ben.until(own_room=number)
    stored_now = await in_database(stored.by_pair, [(ROOM, BEN)])
    assert (ben.mentions[ROOM.name], stored_now[ROOM, BEN].mentions_unread) == (2, 2)
    await reading.mark_read(ROOM, offset - 1, person=BEN)
    await ben.until(own_room=1)
    assert ben.mentions[ROOM.name] == 1


async def test_deleted_message_is_unread_no_more(follow: Any) -> None:
    ben = await follow()
    await say("1")
    offset = await say("2")
    await ben.until(own_room=2)
    await acting.carry_out(moderation.delete_message, ROOM, offset, by=ANN)
    await ben.until(own_room=1)


async def test_messages_that_come_while_a_room_is_read_anew_are_counted_once(
    follow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ben = await follow()
    offset = await say()
    await ben.until(own_room=1)
    read, go_on = asyncio.Event(), asyncio.Event()

    async def slow(function: Any, *args: Any) -> Any:
        found = await in_database(function, *args)
        read.set()
        await go_on.wait()
        return found

    monkeypatch.setattr(own_rooms, "in_database", slow)
    await say("before it is read")
    await acting.carry_out(moderation.delete_message, ROOM, offset, by=ANN)
    await read.wait()
    await say("after it was read")
    await say("and again")
    go_on.set()
    await ben.until(own_room=3)


async def test_room_that_is_entered_muted_or_left_elsewhere_is_told(follow: Any, eventually: Any) -> None:
    new = find("new")
    ben = await follow()
    await reading.mark_read(new, 0, person=BEN)
    await ben.until(new=0)
    await say(room=new)
    await ben.until(new=1)
    await reading.set_involvement(new, Involvement.NOTHING, person=BEN)
    await say(room=new)
    await ben.until(new=2)
    await reading.leave(new, person=BEN)
    await ben.until(new=None)
    await eventually(lambda: Hub.here().audience(new) == 0)


async def test_room_of_the_connection_is_not_counted_but_what_is_read_there_is_told(follow: Any) -> None:
    ben = await follow(except_for=ROOM)
    offset = await say()
    await say(room=OTHER)
    await ben.until(another=1)
    assert ben.unread[ROOM.name] == 0
    assert Hub.here().audience(ROOM) == 0
    await reading.mark_unread(ROOM, offset, person=BEN)
    await ben.until(own_room=1)
    await reading.mark_read(ROOM, offset, person=BEN)
    await ben.until(own_room=0)


class TestPrivateRooms:
    """A person who may not be in a room any more is told that it is gone, and nothing that comes after."""

    @pytest.fixture
    async def members(self, transactional_db: None) -> tuple[Person, Person]:
        users = get_user_model().objects
        ann, ben = [of_user(await in_database(users.create, username=name)) for name in ("ann", "ben")]
        await acting.carry_out(moderation.create, find("closed"), private=True, by=ann)
        return ann, ben

    async def test_member_is_told_of_a_room_when_added_and_when_removed(
        self, follow: Any, members: Any, eventually: Any
    ) -> None:
        ann, ben = members
        following = await follow(ben)
        assert following.unread == {}
        await acting.carry_out(moderation.set_role, find("closed"), "ben", Role.MEMBER, by=ann)
        await following.until(closed=0)
        await say(room=find("closed"), person=ann)
        await following.until(closed=1)
        await acting.carry_out(moderation.remove_member, find("closed"), "ben", by=ann)
        await following.until(closed=None)
        await say("secret", room=find("closed"), person=ann)
        await eventually(lambda: Hub.here().audience(find("closed")) == 0)
        assert following.unread["closed"] is None

    async def test_banned_person_and_those_outside_a_closed_room_hear_no_more(
        self, follow: Any, members: Any, eventually: Any
    ) -> None:
        ann, _ = members
        room = find("opened")
        await acting.carry_out(moderation.create, room, private=False, by=ann)
        cem = Person(id="guest-cccccccccccccccc", name="Cem")
        await in_database(readings.enter, [Mark(room, BEN), Mark(room, cem)])
        banned, outside = await follow(BEN), await follow(cem)
        await say(room=room, person=ann)
        await banned.until(opened=1)
        await outside.until(opened=1)
        await acting.carry_out(moderation.ban, room, BEN.id, by=ann)
        await banned.until(opened=None)
        await acting.carry_out(moderation.set_private, room, True, by=ann)
        await outside.until(opened=None)
        await say("secret", room=room, person=ann)
        await eventually(lambda: Hub.here().audience(room) == 0)
        assert (banned.unread["opened"], outside.unread["opened"]) == (None, None)

    async def test_what_is_said_before_a_lost_ear_has_left_is_not_told(self, members: Any) -> None:
        ann, ben = members
        await acting.carry_out(moderation.set_role, find("closed"), "ben", Role.MEMBER, by=ann)
        follower = own_rooms.Follower(ben, None)
        await follower.start()
        follower.take()
        (ear,) = follower._ears.values()
        ear.end(NotAMember("You are not a member."))
        await say("secret", room=find("closed"), person=ann)
        assert follower.take() == [(find("closed"), None)]
        await follower.close()

    async def test_person_removed_while_they_join_hears_nothing(
        self, follow: Any, members: Any, monkeypatch: pytest.MonkeyPatch, eventually: Any
    ) -> None:
        ann, ben = members
        await acting.carry_out(moderation.set_role, find("closed"), "ben", Role.MEMBER, by=ann)

        async def late(function: Any, *args: Any, **kwargs: Any) -> Any:
            found = await in_database(function, *args, **kwargs)
            if function is stored.own_rooms:
                await in_database(moderation.remove_member, find("closed"), "ben", by=ann)
            return found

        monkeypatch.setattr(own_rooms, "in_database", late)
        following = await follow(ben)
        await following.until(closed=None)
        await eventually(lambda: Hub.here().audience(find("closed")) == 0)


async def test_log_that_goes_back_is_counted_anew(follow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "WATCH_INTERVAL", 0.05)
    ben = await follow()
    for _ in range(5):
        await say()
    await ben.until(own_room=5)

    def set_back() -> None:
        models.Message.objects.filter(offset__gt=2).delete()
        models.Room.objects.update(last_offset=2)

    await in_database(set_back)
    await ben.until(own_room=2)
    await say()
    await ben.until(own_room=3)


async def test_what_no_control_message_told_is_found_by_comparing(follow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followers, "COMPARE_INTERVAL", 0.05)
    ben = await follow()
    offset = await say()
    await say(room=OTHER)
    await ben.until(own_room=1, another=1)
    await asyncio.sleep(0.2)  # the first comparison is of nothing
    await in_database(readings.mark_read, [Mark(ROOM, BEN, offset)])  # by another process
    await ben.until(own_room=0)
    await in_database(readings.leave, OTHER, BEN)
    await ben.until(another=None)
    await in_database(readings.enter, [Mark(find("new"), BEN)])
    await ben.until(new=0)


async def test_counts_go_on_after_an_outage_of_the_database(follow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_rooms, "RETRY_INTERVAL", 0.05)
    ben = await follow()
    offset = await say()
    await ben.until(own_room=1)
    failures = iter([True, True])

    async def failing(function: Any, *args: Any) -> Any:
        if next(failures, False):
            raise Unavailable("The database does not answer.")
        return await in_database(function, *args)

    monkeypatch.setattr(own_rooms, "in_database", failing)
    await reading.mark_read(ROOM, offset, person=BEN)
    await ben.until(own_room=0)


async def test_no_more_than_rooms_max_are_followed(follow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_rooms, "ROOMS_MAX", 1)
    await say(room=OTHER)
    ben = await follow()
    assert ben.unread == {OTHER.name: 1}
    await reading.mark_read(find("new"), 0, person=BEN)
    await say(room=OTHER)
    await ben.until(another=2)
    assert set(ben.unread) == {OTHER.name}


@pytest.mark.parametrize("about", [{}, {"changed": 1}, {"changed": [[1]]}, {"changed": [[None, None, None]]}])
async def test_control_message_of_another_version_is_passed_over(follow: Any, about: dict[str, Any]) -> None:
    ben = await follow()
    await hub.send_control(followers.SUBJECT, about)
    await say()
    await ben.until(own_room=1)


class TestMentions:
    async def test_mentions_are_told_live_and_taken_back_by_edits(self, follow: Any) -> None:
        ann = of_user(await in_database(lambda: get_user_model().objects.create(username="ann")))
        following = await follow(BEN)
        told: dict[str, int] = {}

        async def until(count: int) -> None:
            while told.get(ROOM.name) != count:
                async with asyncio.timeout(5):
                    some = await anext(following.changes)
                told.update({room.name: own.mentions_unread for room, own in some if own})

        await posting.post(room=ROOM, message="hi", person=BEN)  # a guest who has spoken can be called
        entry = await posting.post(room=ROOM, message="@ben", person=ann)
        assert entry.event.mentions == (BEN,)
        await until(1)
        await editing.edit(room=ROOM, offset=entry.event.offset, message="nobody", person=ann)
        await until(0)
        await editing.edit(room=ROOM, offset=entry.event.offset, message="@Ben after all", person=ann)
        await until(1)
        await reading.mark_read(ROOM, entry.event.offset, person=BEN)
        await until(0)
