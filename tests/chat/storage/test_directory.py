"""The directory of rooms, on a real database: their order, the search, and what is read for it."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import models
from chat.domain.people import of_user
from chat.domain.rooms import find
from chat.models import Role
from chat.storage import directory, moderation, statements
from tests.chat.storage.test_log import BEN, say

pytestmark = pytest.mark.django_db


def names(**asked: object) -> list[str]:
    return [one.room.name for one in directory.listed(**{"size": 50, **asked})]


def age(**minutes: int) -> None:
    """Has rooms be active so many minutes ago."""
    for name, ago in minutes.items():
        at = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=ago)
        models.Room.objects.filter(name=name).update(active_at=at)


class TestOrder:
    def test_rooms_come_by_their_last_entry(self) -> None:
        for name in ("a", "b", "c", "a"):
            say(room=find(name))
        assert names() == ["a", "c", "b"]
        age(a=5, b=2, c=9)
        assert names() == ["b", "a", "c"]
        say(room=find("c"))
        assert names() == ["c", "b", "a"]

    def test_pages_have_each_room_once_within_a_minute_and_over_several(self) -> None:
        expected = [f"room {number}" for number in range(20)]
        for name in reversed(expected):
            say(room=find(name))
        for number, name in enumerate(expected):
            age(**{name: number // 5})
        found, last = [], None
        while page := directory.listed(size=3, after=last):
            found += [one.room.name for one in page]
            last = page[-1].place
        assert found == expected

    def test_room_where_nothing_was_said_is_not_listed(self) -> None:
        statements.take_offsets({find("silent"): 0})
        assert names() == []

    def test_refused_draft_makes_no_room_more_active(self) -> None:
        for name in ("a", "b"):
            say(room=find(name))
        age(a=5, b=2)
        statements.take_offsets({find("a"): 0})
        assert names() == ["b", "a"]

    def test_minute_of_a_room_is_written_once_a_minute(self) -> None:
        say(room=find("a"))
        first = models.Room.objects.get().active_at
        assert (first.second, first.microsecond) == (0, 0)
        models.Room.objects.update(active_at=first + timedelta(minutes=5))  # by an instance whose clock is ahead
        say(room=find("a"))
        assert models.Room.objects.get().active_at == first + timedelta(minutes=5)


class TestPermission:
    def test_private_rooms_are_listed_to_their_members_only(self) -> None:
        ann, ben = (of_user(get_user_model().objects.create(username=name)) for name in ("ann", "ben"))
        say(room=find("open"))
        moderation.create(find("closed"), private=True, by=ann)
        moderation.create(find("closed too"), private=True, by=ben)
        assert names() == ["open"]
        assert names(person=None) == ["open"]
        assert names(person=ann) == ["closed", "open"]
        assert names(person=ben) == ["closed too", "open"]
        moderation.set_role(find("closed"), "ben", Role.MEMBER, by=ann)
        assert names(person=ben) == ["closed", "closed too", "open"]
        assert names(person=ben, size=2) == ["closed", "closed too"]
        moderation.set_private(find("closed"), False, by=ann)
        assert names() == ["closed", "open"]


class TestSearch:
    @pytest.mark.parametrize(
        ("matching", "found"),
        [
            ("", ["50% off", "a_b", "Straße", "ÉCOLE", "Café", "room2", "Room1"]),
            ("room", ["room2", "Room1"]),
            ("ROOM1", ["Room1"]),
            ("oo", ["room2", "Room1"]),
            ("café", ["Café"]),
            ("CAFÉ", ["Café"]),
            ("cafe\u0301", ["Café"]),
            ("école", ["ÉCOLE"]),
            ("STRASSE", ["Straße"]),
            ("%", ["50% off"]),
            ("_", ["a_b"]),
            ("\\", []),
            ("0% O", ["50% off"]),
            ("nothing", []),
            ("\0", []),
            ("\ud800", []),
            ("'; DROP TABLE chat_room; --", []),
            ("x" * 5000, []),
        ],
    )
    def test_search_finds_parts_of_names_in_any_case(self, matching: str, found: list[str]) -> None:
        for name in ("Room1", "room2", "Café", "ÉCOLE", "Straße", "a_b", "50% off"):
            say(room=find(name))
        assert names(matching=matching) == found

    def test_room_of_an_older_release_is_found_once_somebody_posts(self) -> None:
        say(room=find("Café"))
        models.Room.objects.update(search_name="")
        assert names(matching="café") == []
        say(room=find("Café"))
        assert names(matching="café") == ["Café"]


class TestCost:
    def test_page_takes_one_query(self) -> None:
        for number in range(30):
            say(room=find(f"room {number}"))
        for asked in ({}, {"matching": "room"}, {"person": BEN}):
            with CaptureQueriesContext(connection) as captured:
                assert len(names(size=20, **asked)) == 20
            assert len(captured) == 1

    def test_page_walks_the_index_of_public_rooms(self) -> None:
        models.Room.objects.bulk_create(
            models.Room(name=f"room {number}", last_offset=1, is_private=bool(number % 2)) for number in range(20_000)
        )
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("ANALYZE chat_room")
            with CaptureQueriesContext(connection) as captured:
                names()
            explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
            cursor.execute(f"{explain} {captured.captured_queries[0]['sql']}")
            assert "public_room_by_activity" in str(cursor.fetchall())
