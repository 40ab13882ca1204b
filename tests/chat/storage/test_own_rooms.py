"""A person's own rooms, on a real database: their order, what is unread, and what is read for it."""

import json

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import models
from chat.domain.mentions import EVERYBODY
from chat.domain.people import Person, of_user
from chat.domain.rooms import Room, find
from chat.errors import Banned, NotAMember
from chat.models import Involvement, Role
from chat.storage import edits, log, moderation, own_rooms, readings
from chat.storage.readings import Mark
from tests.chat.storage.test_log import ANN, BEN, OTHER, ROOM, fill, say

pytestmark = pytest.mark.django_db
GUEST = Person(id="guest-0123456789abcdef", name="Quiet Otter 42")


def enter(*rooms: Room, person: Person = BEN) -> None:
    readings.enter([Mark(room, person) for room in rooms])


def own(person: Person = BEN, **page: object) -> dict[str, int]:
    """The names of the person's rooms, in their order, and how much is unread in each."""
    return {one.room.name: one.unread for one in own_rooms.own_rooms(person, **{"size": 200, **page})}


def unread(room: Room = ROOM, person: Person = BEN) -> int | None:
    found = own_rooms.by_pair([(room, person)]).get((room, person))
    return found.unread if found else None


class TestUnread:
    def test_what_was_said_before_one_entered_is_read(self) -> None:
        fill(3)
        enter(ROOM)
        assert unread() == 0
        say()
        assert unread() == 1

    def test_room_that_is_none_of_ones_own_has_no_count(self) -> None:
        fill(3)
        assert unread() is None
        assert own() == {}

    def test_room_may_be_entered_before_anything_is_said(self) -> None:
        enter(ROOM)
        assert own() == {ROOM.name: 0}
        say()
        assert own() == {ROOM.name: 1}

    def test_only_messages_of_others_that_are_not_deleted_are_counted(self) -> None:
        ann = of_user(get_user_model().objects.create(username="ann"))
        enter(ROOM)
        fill(3)
        say("mine", person=BEN)
        moderation.delete_message(ROOM, 2, by=None)
        moderation.ban(ROOM, GUEST.id, by=None)
        assert unread() == 2
        assert unread(person=ann) is None

    def test_count_ends_at_unread_max(self) -> None:
        enter(ROOM)
        fill_fast(own_rooms.UNREAD_MAX - 1)
        assert unread() == own_rooms.UNREAD_MAX - 1
        fill_fast(2)
        assert unread() == own_rooms.UNREAD_MAX

    def test_messages_are_counted_among_the_last_entries(self) -> None:
        enter(ROOM)
        say()
        fill_fast(own_rooms.ENTRIES_MAX, kind="notice")
        assert unread() == 0
        say()
        assert unread() == 1

    def test_what_is_pruned_is_not_counted(self) -> None:
        enter(ROOM)
        fill(3)
        models.Message.objects.filter(offset__lte=2).delete()
        assert unread() == 1
        models.Message.objects.all().delete()
        assert own() == {ROOM.name: 0}


class TestOrder:
    def test_rooms_come_by_their_last_entry_and_page_by_page(self) -> None:
        rooms = [find(f"room {number}") for number in range(7)]
        enter(*rooms)
        for number in (3, 1, 4, 0, 5, 2, 6):
            say(room=rooms[number])
        expected = [f"room {number}" for number in (6, 2, 5, 0, 4, 1, 3)]
        assert list(own()) == expected
        found: list[str] = []
        last = None
        while page := own_rooms.own_rooms(BEN, size=3, after=last):
            found += [one.room.name for one in page]
            last = page[-1]
        assert found == expected

    def test_rooms_active_at_the_same_moment_come_by_name_and_each_once(self) -> None:
        rooms = [find(f"room {number}") for number in range(5)]
        enter(*rooms)
        models.Reading.objects.update(entered_at=timezone.now())
        found = [own_rooms.own_rooms(BEN, size=2)]
        while found[-1]:
            found.append(own_rooms.own_rooms(BEN, size=2, after=found[-1][-1]))
        assert [one.room for page in found for one in page] == rooms

    def test_room_where_nothing_is_kept_counts_as_active_when_it_was_entered(self) -> None:
        say(room=OTHER)
        enter(OTHER)
        enter(ROOM)
        assert list(own()) == [ROOM.name, OTHER.name]
        say(room=OTHER)
        assert list(own()) == [OTHER.name, ROOM.name]


class TestPermission:
    def test_room_that_one_may_not_enter_is_not_listed(self) -> None:
        fill(2)
        enter(ROOM, person=GUEST)
        say()
        models.Room.objects.update(is_private=True, restricted=True)
        assert (own(GUEST), unread(person=GUEST)) == ({}, None)
        models.Room.objects.update(is_private=False, restricted=True)
        assert (own(GUEST), unread(person=GUEST)) == ({ROOM.name: 1}, 1)
        models.Room.objects.get().bans.create(person_id=GUEST.id)
        assert (own(GUEST), unread(person=GUEST)) == ({}, None)

    def test_member_has_the_private_room_until_removed(self) -> None:
        ann, ben = (of_user(get_user_model().objects.create(username=name)) for name in ("ann", "ben"))
        moderation.create(ROOM, private=True, by=ann)
        assert own(ann) == {ROOM.name: 0}
        moderation.set_role(ROOM, "ben", Role.MEMBER, by=ann)
        say(person=ann)
        assert own(ben) == {ROOM.name: 1}
        moderation.remove_member(ROOM, "ben", by=ann)
        assert own(ben) == {}
        moderation.set_role(ROOM, "ben", Role.MEMBER, by=ann)
        assert own(ben) == {ROOM.name: 0}
        moderation.ban(ROOM, ben.id, by=ann)
        assert own(ben) == {}
        assert not models.Reading.objects.filter(person_id=ben.id).exists()

    def test_marks_and_involvement_are_refused_where_one_may_not_be(self) -> None:
        say()
        models.Room.objects.update(is_private=True, restricted=True)
        say(room=OTHER)
        (refused, allowed) = readings.mark_read([Mark(ROOM, GUEST, 1), Mark(OTHER, GUEST, 1)])
        assert isinstance(refused, NotAMember)
        assert allowed is None
        with pytest.raises(NotAMember):
            readings.set_involvement(ROOM, GUEST, Involvement.NOTHING)
        models.Room.objects.get(name=OTHER.name).bans.create(person_id=GUEST.id)
        models.Room.objects.update(is_private=False, restricted=True)
        with pytest.raises(Banned):
            readings.mark_unread(OTHER, GUEST, 1)
        assert [reading.room_name for reading in models.Reading.objects.all()] == [OTHER.name]


class TestCost:
    def test_page_of_rooms_takes_one_query(self) -> None:
        rooms = [find(f"room {number}") for number in range(60)]
        enter(*rooms)
        for room in rooms:
            say(room=room)
        for size in (1, 50):
            with CaptureQueriesContext(connection) as captured:
                assert len(own_rooms.own_rooms(BEN, size=size)) == size
            assert len(captured) == 1
        with CaptureQueriesContext(connection) as captured:
            assert len(own_rooms.by_pair([(room, BEN) for room in rooms])) == 60
        assert len(captured) == 1

    def test_post_in_a_room_of_many_readers_writes_no_reading(self) -> None:
        readings.enter([Mark(ROOM, Person(id=f"guest-{number}", name="?")) for number in range(1000)])
        before = list(models.Reading.objects.values_list("pk", "read_offset", "changes"))
        with CaptureQueriesContext(connection) as captured:
            say()
        assert not any("chat_reading" in query["sql"] for query in captured)
        assert list(models.Reading.objects.values_list("pk", "read_offset", "changes")) == before

    def test_count_of_a_long_log_reads_no_more_than_of_a_short_one(self) -> None:
        read = []
        for length in (5_000, 20_000):
            fill_fast(length)
            models.Reading.objects.all().delete()
            readings.mark_unread(ROOM, BEN, 1)
            with CaptureQueriesContext(connection) as captured:
                assert unread() == own_rooms.UNREAD_MAX
            read.append(rows_read(captured.captured_queries[0]["sql"]))
        assert read[0] == pytest.approx(read[1], abs=25)
        assert max(read) < 3 * own_rooms.UNREAD_MAX

    def test_count_among_entries_of_other_kinds_reads_entries_max(self) -> None:
        enter(ROOM)
        fill_fast(20_000, kind="notice")
        with CaptureQueriesContext(connection) as captured:
            assert own() == {ROOM.name: 0}
        assert rows_read(captured.captured_queries[0]["sql"]) < 1.2 * own_rooms.ENTRIES_MAX


def rows_read(statement: str) -> float:
    """How many messages a statement reads. SQLite tells its steps alone; counting one message takes 15 to 20."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE chat_message")  # which autovacuum does in time; what it knew is from other tests
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}")
            ((plan,),) = cursor.fetchall()
            return sum(rows_of(json.loads(plan) if isinstance(plan, str) else plan))
        steps = 0

        def step() -> None:
            nonlocal steps
            steps += 1

        connection.connection.set_progress_handler(step, 20)
        cursor.execute(statement).fetchall()
        connection.connection.set_progress_handler(None, 0)
        return steps


def rows_of(plan: list[dict]) -> list[float]:
    """The rows that each scan of messages in a plan reads, those that its filter drops included."""
    found = []
    for one in plan:
        node = one.get("Plan", one)
        if node.get("Relation Name") == "chat_message":
            assert node["Node Type"] != "Seq Scan", node
            found.append(node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)))
        found += rows_of(node.get("Plans", []))
    return found


def fill_fast(count: int, room: Room = ROOM, kind: str = "message") -> None:
    """Appends entries of Ann's without the log's own code, which stores them one by one."""
    here, _ = models.Room.objects.get_or_create(name=room.name)
    models.Message.objects.bulk_create(
        models.Message(
            room=here,
            offset=here.last_offset + number,
            text=str(number),
            person_id=ANN.id,
            person_name=ANN.name,
            sent_at=timezone.now(),
            process=1,
            thread="t",
            kind=kind,
        )
        for number in range(1, count + 1)
    )
    here.last_offset += count
    here.save()


class TestMentionsUnread:
    def mention(self, text: str, called: Person, by: Person = ANN) -> int:
        (entry,) = log.append([log.Draft(room=ROOM, text=text, person=by, mentions=(called,))])
        return entry.event.offset

    def counts(self) -> tuple[int, int]:
        (found,) = own_rooms.own_rooms(BEN, size=1)
        assert own_rooms.by_pair([(ROOM, BEN)])[ROOM, BEN] == found
        return found.unread, found.mentions_unread

    def test_mentions_of_the_person_and_of_everybody_are_counted_after_what_was_read(self) -> None:
        enter(ROOM)
        self.mention("@ben", BEN)
        self.mention("@room", EVERYBODY)
        self.mention("@ann", ANN, by=GUEST)
        self.mention("@room", EVERYBODY, by=BEN)  # one's own
        say()
        assert self.counts() == (4, 2)
        readings.mark_read([Mark(ROOM, BEN, 1)])
        assert self.counts() == (3, 1)
        readings.mark_read([Mark(ROOM, BEN)])
        assert self.counts() == (0, 0)

    def test_mentions_go_with_edits_and_deletions(self) -> None:
        ann = of_user(get_user_model().objects.create(username="ann"))
        enter(ROOM)
        edited, deleted = self.mention("@ben", BEN, by=ann), self.mention("@ben", BEN, by=ann)
        edits.edit_message(ROOM, edited, "nobody", by=ann)
        assert self.counts() == (2, 1)
        moderation.delete_message(ROOM, deleted, by=ann)
        assert self.counts() == (1, 0)
