"""Looks for changes on a real database: each change is seen, whatever the order of keys and commits."""

import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from chat import models
from chat.domain.logs import Changes
from chat.domain.rooms import find
from chat.storage import changes, history
from chat.storage.changes import ChangeLook
from tests.chat.storage.test_log import OTHER, ROOM, fill, say

pytestmark = pytest.mark.django_db


def ends(look: ChangeLook) -> dict[str, int]:
    found = look.look()
    assert not found.everything
    return {group: end.offset for group, end in found.ends.items()}


@pytest.fixture
def look() -> ChangeLook:
    """One that has looked, at a log of ten."""
    fill(10)
    look = ChangeLook()
    look.look()
    return look


class TestLook:
    def test_first_look_may_have_missed_everything(self) -> None:
        fill(3)
        assert ChangeLook().look() == Changes({}, everything=True)

    def test_look_finds_the_rooms_with_new_entries_and_their_ends(self, look: ChangeLook) -> None:
        assert ends(look) == {}
        say(room=ROOM)
        fill(3, OTHER)
        found = look.look()
        assert found.ends == {room.group: history.heads([room])[room].position for room in (ROOM, OTHER)}

    def test_look_finds_nothing_once_a_change_was_found(self, look: ChangeLook) -> None:
        say()
        assert ends(look) == {ROOM.group: 11}
        assert ends(look) == {}

    def test_look_into_an_empty_database_finds_the_first_entry(self) -> None:
        look = ChangeLook()
        look.look()
        say()
        assert ends(look) == {ROOM.group: 1}

    def test_entry_in_a_gap_is_found_once_it_is_there(self, look: ChangeLook) -> None:
        """Keys as after transactions that were rolled back, or are under way."""
        pk = models.Message.objects.order_by("id").last().pk
        for offset in (11, 12, 13, 14):
            say()
            models.Message.objects.filter(offset=offset).update(id=pk + 10 * offset)
        assert ends(look) == {ROOM.group: 14}
        assert ends(look) == {}
        say(room=OTHER)
        models.Message.objects.filter(room__name=OTHER.name).update(id=pk + 125)
        assert ends(look) == {OTHER.group: 1}

    def test_gaps_beyond_the_maximum_are_given_up_the_oldest_first(
        self, look: ChangeLook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(changes, "GAPS_MAX", 2)
        pk = models.Message.objects.order_by("id").last().pk
        for offset in (11, 12, 13, 14):
            say()
            models.Message.objects.filter(offset=offset).update(id=pk + 10 * offset)
        look.look()
        for number, key in enumerate([pk + 105, pk + 115, pk + 125, pk + 135], start=1):
            room = find(f"gap {number}")
            say(room=room)
            models.Message.objects.filter(room__name=room.name).update(id=key)
        assert ends(look) == {find(f"gap {number}").group: 1 for number in (3, 4)}

    def test_look_reads_entries_by_their_keys_only(self, look: ChangeLook) -> None:
        say()
        with CaptureQueriesContext(connection) as captured:
            look.look()
        (query,) = captured.captured_queries
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {'QUERY PLAN' if connection.vendor == 'sqlite' else ''} {query['sql']}")
            plan = [str(row[-1]).strip() for row in cursor.fetchall()]
        scans = [step for step in plan if "SCAN chat_" in step or "SCAN message" in step or "Seq Scan on chat_" in step]
        assert (len(plan) > 5, scans) == (True, [])

    def test_row_without_a_uid_is_found_by_its_primary_key(self, look: ChangeLook) -> None:
        say()
        models.Message.objects.filter(offset=11).update(uid=None)
        assert look.look().ends == {ROOM.group: history.heads([ROOM])[ROOM].position}

    def test_look_is_one_statement_that_grows_with_what_has_changed(self, look: ChangeLook) -> None:
        with CaptureQueriesContext(connection) as captured:
            look.look()
        assert len(captured) == 1


class TestLogThatWentBack:
    def go_back(self, to: int, *said_since: str) -> None:
        models.Message.objects.filter(room__name=ROOM.name, offset__gt=to).delete()
        models.Room.objects.filter(name=ROOM.name).update(last_offset=to)
        for text in said_since:
            say(text)

    @pytest.mark.parametrize("said_since", [[], ["new"], ["new"] * 20])
    def test_everything_may_have_changed_where_the_newest_entry_is_gone(
        self, look: ChangeLook, said_since: list[str]
    ) -> None:
        say()
        look.look()
        self.go_back(3, *said_since)
        assert look.look().everything

    def test_everything_may_have_changed_where_the_newest_key_was_given_again(self, look: ChangeLook) -> None:
        say()
        look.look()
        pk = models.Message.objects.get(offset=11).pk
        self.go_back(10, "another")
        models.Message.objects.filter(offset=11).update(id=pk)
        assert look.look().everything

    def test_look_goes_on_after_the_log_went_back(self, look: ChangeLook) -> None:
        self.go_back(3)
        assert look.look().everything
        say(room=OTHER)
        assert ends(look) == {OTHER.group: 1}


@pytest.mark.django_db(transaction=True)
class TestOrderOfCommits:
    """An entry whose transaction ends after that of an entry with a higher key."""

    @pytest.fixture
    def commit(self) -> Iterator[Callable[[], None]]:
        """An entry of OTHER has been stored in another transaction, which ends when this is called."""
        stored, may_commit = threading.Event(), threading.Event()

        def store() -> None:
            try:
                with transaction.atomic():
                    say(room=OTHER)
                    stored.set()
                    assert may_commit.wait(10)
            finally:
                connection.close()

        def commit() -> None:
            may_commit.set()
            thread.join(10)

        thread = threading.Thread(target=store)
        thread.start()
        assert stored.wait(10)
        yield commit
        commit()

    @pytest.mark.parametrize("first", [True, False], ids=["first look", "later look"])
    def test_entry_with_a_lower_key_is_found_when_its_transaction_ends(
        self, look: ChangeLook, commit: Callable[[], None], first: bool
    ) -> None:
        if connection.vendor == "postgresql":  # SQLite has one writer at a time
            say()
            if first:
                look = ChangeLook()
                look.look()
            else:
                assert ends(look) == {ROOM.group: 11}
            assert ends(look) == {}
        commit()
        assert ends(look) == {OTHER.group: 1}

    def test_gap_is_given_up_after_its_lifetime(
        self, look: ChangeLook, commit: Callable[[], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if connection.vendor == "postgresql":
            say()
            look.look()
            monkeypatch.setattr(changes, "GAP_LIFETIME", 0)
            look.look()
            commit()
            assert ends(look) == {}
        commit()
        say()
        assert ROOM.group in ends(look)
