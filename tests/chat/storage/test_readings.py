"""Readings, on a real database: marks, involvement, and whose readings go."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import models
from chat.domain.people import Person, of_user
from chat.domain.rooms import find
from chat.models import Involvement
from chat.storage import readings
from chat.storage.readings import Mark
from tests.chat.storage.test_log import ANN, BEN, OTHER, ROOM, fill

pytestmark = pytest.mark.django_db
GUEST = Person(id="guest-0123456789abcdef", name="Quiet Otter 42")


def offset(person: Person = BEN) -> int:
    return models.Reading.objects.get(person_id=person.id, room_name=ROOM.name).read_offset


class TestMarks:
    @pytest.mark.parametrize(
        ("marks", "read"),
        [
            ([3], 3),
            ([3, 2], 3),
            ([2, 3], 3),
            ([0], 0),
            ([5], 5),
            ([6], 5),
            ([2**63 - 1], 5),
            ([1, 4, 2], 4),
        ],
    )
    def test_mark_moves_forwards_only_and_not_beyond_the_end(self, marks: list[int], read: int) -> None:
        fill(5)
        for mark in marks:
            assert readings.mark_read([Mark(ROOM, BEN, mark)]) == [None]
        assert offset() == read

    def test_marks_of_one_person_and_room_in_one_call_count_as_the_furthest(self) -> None:
        fill(5)
        readings.mark_read([Mark(ROOM, BEN, 2), Mark(ROOM, ANN, 5), Mark(ROOM, BEN, 4), Mark(ROOM, BEN, 3)])
        assert (offset(), offset(ANN)) == (4, 5)

    def test_mark_in_a_room_where_nothing_was_said_is_at_its_beginning(self) -> None:
        readings.mark_read([Mark(ROOM, BEN, 7)])
        assert offset() == 0

    def test_hundreds_of_marks_take_two_statements(self) -> None:
        fill(1)
        marks = [Mark(ROOM, Person(id=f"user-{number}", name="?"), 1) for number in range(200)]
        for _ in range(2):
            with CaptureQueriesContext(connection) as captured:
                readings.mark_read(marks)
            assert len(captured) == 2
        assert models.Reading.objects.filter(read_offset=1).count() == 200

    def test_entering_again_leaves_the_mark_where_it_is(self) -> None:
        fill(2)
        readings.enter([Mark(ROOM, BEN)])
        fill(2)
        readings.enter([Mark(ROOM, BEN)])
        assert offset() == 2

    @pytest.mark.parametrize(("unread", "read"), [(3, 2), (1, 0), (0, 0), (5, 4), (9, 4)])
    def test_marking_unread_goes_back_to_before_the_message(self, unread: int, read: int) -> None:
        fill(4)
        readings.mark_read([Mark(ROOM, BEN, 4)])
        readings.mark_unread(ROOM, BEN, unread)
        assert offset() == read

    def test_marking_unread_goes_no_further_than_what_was_read(self) -> None:
        fill(4)
        readings.mark_read([Mark(ROOM, BEN, 1)])
        readings.mark_unread(ROOM, BEN, 4)
        assert offset() == 1

    def test_marking_unread_makes_the_room_ones_own(self) -> None:
        fill(4)
        readings.mark_unread(ROOM, BEN, 3)
        assert offset() == 2


def test_involvement_is_set_and_makes_the_room_ones_own() -> None:
    fill(2)
    for involvement in Involvement:
        readings.set_involvement(ROOM, BEN, involvement)
        assert models.Reading.objects.get().involvement == involvement
    assert offset() == 2


def test_leaving_deletes_the_reading_of_this_room_alone() -> None:
    readings.enter([Mark(ROOM, BEN), Mark(OTHER, BEN), Mark(ROOM, ANN)])
    readings.leave(ROOM, BEN)
    readings.leave(ROOM, BEN)
    assert set(models.Reading.objects.values_list("person_id", "room_name")) == {
        (BEN.id, OTHER.name),
        (ANN.id, ROOM.name),
    }


def test_digest_differs_after_each_change() -> None:
    fill(4)
    seen = [readings.digests([BEN.id])]
    assert seen == [{}]
    for change in (
        lambda: readings.enter([Mark(ROOM, BEN, 1)]),
        lambda: readings.mark_read([Mark(ROOM, BEN, 3)]),
        lambda: readings.mark_unread(ROOM, BEN, 2),
        lambda: readings.set_involvement(ROOM, BEN, Involvement.NOTHING),
        lambda: readings.enter([Mark(OTHER, BEN)]),
        lambda: readings.leave(OTHER, BEN),
    ):
        change()
        seen.append(readings.digests([BEN.id]))
        assert seen[-1] != seen[-2]


def test_readings_of_guests_go_when_they_have_opened_no_room_for_long() -> None:
    old = timezone.now() - timedelta(days=30)
    lively = Person(id="guest-fedcba9876543210", name="?")
    readings.enter([Mark(room, person) for room in (ROOM, OTHER) for person in (GUEST, lively, BEN)])
    models.Reading.objects.update(entered_at=old)
    readings.enter([Mark(find("another"), lively)])
    assert readings.prune_guests(timezone.now() - timedelta(days=14)) == 2
    assert set(models.Reading.objects.values_list("person_id", flat=True)) == {lively.id, BEN.id}


def test_readings_of_an_account_go_with_it() -> None:
    user = get_user_model().objects.create(username="cem")
    readings.enter([Mark(ROOM, of_user(user)), Mark(ROOM, BEN)])
    user.delete()
    assert [one.person_id for one in models.Reading.objects.all()] == [BEN.id]
