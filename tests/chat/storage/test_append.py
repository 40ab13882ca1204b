"""Appending to rooms' logs: at once where nothing is in the way, after a look where something may be.

Both ways have the same results: each test of the table runs with both.
"""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import DataError, connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat import models
from chat.domain import people
from chat.domain.events import Origin
from chat.domain.people import Person
from chat.domain.rooms import Room, find
from chat.errors import ChatError
from chat.storage import log, moderation, pruning
from chat.storage.log import Draft, Entry
from tests.recovering import entries_after

pytestmark = pytest.mark.django_db(transaction=True)

ROOM, OTHER, PRIVATE = find("open"), find("other"), find("members only")
GUEST, ANOTHER = Person(id="guest-0000000000000001", name="G"), Person(id="guest-0000000000000002", name="H")
PASSER_BY = Person(id="guest-0000000000000003", name="P", lasting=False)

AT_ONCE, AFTER_A_LOOK = "at once", "after a look"


@pytest.fixture(params=[AT_ONCE, AFTER_A_LOOK])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == AFTER_A_LOOK:
        monkeypatch.setattr(log, "_append_at_once", lambda drafts: {})
    return request.param


def draft(room: Room = ROOM, person: Person = GUEST, client_id: str | None = None, **fields: Any) -> Draft:
    return Draft(**{"room": room, "text": "hi", "person": person, "client_id": client_id, **fields})


def outcomes(done: Sequence[Entry | ChatError]) -> list[object]:
    """The offset of each new entry, "again" and the offset of a repeated one, and the code of an error."""
    return [
        one.code if isinstance(one, ChatError) else f"again {one.event.offset}" if one.repeated else one.event.offset
        for one in done
    ]


def stored(room: Room = ROOM) -> list[tuple[int, str]]:
    return [(event.offset or 0, event.message) for event in entries_after(room)]


@pytest.fixture
def member() -> Person:
    user = get_user_model().objects.create(username="member")
    moderation.create(PRIVATE, private=True, by=None)
    moderation.set_role(PRIVATE, "member", models.Role.MEMBER, by=None)
    return people.of_user(user)


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        ([draft()], [1]),
        ([draft(), draft(OTHER), draft(), draft(OTHER)], [1, 1, 2, 2]),
        ([draft(client_id="a"), draft(client_id="b")], [1, 2]),
        ([draft(client_id="a"), draft(client_id="a")], [1, "again 1"]),
        ([draft(client_id="a"), draft(), draft(client_id="a"), draft()], [1, 2, "again 1", 3]),
        ([draft(client_id="a"), draft(client_id="a"), draft(client_id="a")], [1, "again 1", "again 1"]),
        ([draft(client_id="a"), draft(OTHER, client_id="a")], [1, 1]),
        ([draft(client_id="a"), draft(person=ANOTHER, client_id="a")], [1, 2]),
        ([draft(person=PASSER_BY, client_id="a"), draft(person=PASSER_BY, client_id="a")], [1, "again 1"]),
        ([draft(PRIVATE)], ["not_a_member"]),
        ([draft(PRIVATE), draft(), draft(PRIVATE), draft(OTHER)], ["not_a_member", 1, "not_a_member", 1]),
        ([draft(PRIVATE, trusted=True), draft(PRIVATE)], [3, "not_a_member"]),
        ([draft(PRIVATE, client_id="a"), draft(PRIVATE, client_id="a", trusted=True)], ["not_a_member", 3]),
    ],
)
def test_append_decides_for_each_draft_of_a_batch(
    way: str, member: Person, batch: list[Draft], expected: list[object]
) -> None:
    assert outcomes(log.append(batch)) == expected
    assert [offset for offset, _ in stored()] == list(range(1, len(stored()) + 1))


def test_members_and_the_banned_are_told_apart_within_a_batch(way: str, member: Person) -> None:
    moderation.ban(ROOM, GUEST.id, by=None)
    batch = [draft(person=person, room=room) for room in (ROOM, PRIVATE) for person in (GUEST, ANOTHER, member)]
    assert outcomes(log.append(batch)) == ["banned", 2, 3, "not_a_member", "not_a_member", 3]


def test_retry_returns_the_first_message_and_takes_no_offset(way: str) -> None:
    first = log.append([draft(client_id="a", text="first")])[0]
    again = log.append([draft(), draft(client_id="a", text="changed"), draft()])
    assert outcomes(again) == [2, "again 1", 3]
    assert again[1].event == first.event  # type: ignore[union-attr]
    assert [text for _, text in stored()] == ["first", "hi", "hi"]


def test_retry_of_a_deleted_message_returns_it_without_its_text(way: str) -> None:
    log.append([draft(client_id="a", text="first")])
    moderation.delete_message(ROOM, 1, by=None)
    again = log.append([draft(client_id="a", text="first")])[0]
    assert isinstance(again, Entry)
    assert (again.repeated, again.event.offset, again.event.message, again.event.deleted) == (True, 1, "", True)


def test_retry_of_a_pruned_message_is_new(way: str) -> None:
    log.append([draft(client_id="a"), draft()])
    pruning.prune(keep=1)
    assert outcomes(log.append([draft(client_id="a")])) == [3]


def test_retry_by_somebody_who_was_banned_is_refused(way: str) -> None:
    log.append([draft(client_id="a")])
    moderation.ban(ROOM, GUEST.id, by=None)
    assert outcomes(log.append([draft(client_id="a")])) == ["banned"]


def test_each_entry_names_the_one_before_it(way: str) -> None:
    batches = [[draft()], [draft(), draft(OTHER), draft()], [draft(OTHER), draft()]]
    events = [entry.event for batch in batches for entry in log.append(batch)]  # type: ignore[union-attr]
    for room in (ROOM, OTHER):
        here = [event for event in events if event.room == room]
        assert [event.previous for event in here] == [None, *[event.id for event in here[:-1]]]
        assert [event.id for event in here] == [event.id for event in entries_after(room)]


def test_first_entry_after_all_were_pruned_names_none_before_it(way: str) -> None:
    log.append([draft(), draft()])
    pruning.prune(keep=0)
    (entry,) = log.append([draft()])
    assert isinstance(entry, Entry)
    assert (entry.event.offset, entry.event.previous) == (3, None)


@pytest.mark.parametrize(
    "name",
    ["a", "B", "Ä", "ä", "z", "ß", "ss", "_", "🦔", "北京", "İ", "é", "'", '"', "\\", "%s", "{x}", "a b", "x" * 100],
)
def test_room_of_any_name_is_stored_beside_others_in_one_batch(way: str, name: str) -> None:
    batch = [draft(find(other)) for other in ("Z", name, "a0", name, "é0")]
    assert outcomes(log.append(batch)) == [1, 1, 1, 2, 1]
    assert set(models.Room.objects.values_list("name", flat=True)) == {"Z", find(name).name, "a0", "é0"}


@pytest.mark.parametrize(
    "text",
    ["'", '"', "\\", "\\u0041", "%s %(a)s", "{rooms}", "🦔", "\t\n", "\u2028\ufeff", "‮", "\\x00", "null", "x" * 4000],
)
def test_text_is_stored_as_it_is(way: str, text: str) -> None:
    person = Person(id="guest-0000000000000001", name=text[:150])
    (entry,) = log.append([draft(text=text, person=person, client_id=text[:100])])
    (event,) = entries_after(ROOM)
    assert isinstance(entry, Entry)
    assert (event.message, event.client_id, event.person and event.person.name) == (text, text[:100], text[:150])
    assert entry.event == event


def test_batch_that_can_not_be_stored_takes_no_offset(way: str) -> None:
    too_large = Origin(process=2**63, thread="MainThread")
    with pytest.raises((DataError, OverflowError)):
        log.append([draft(), draft(origin=too_large)])
    assert outcomes(log.append([draft()])) == [1]


def test_append_within_a_transaction_is_part_of_it(way: str) -> None:
    log.append([draft(client_id="a")])
    with transaction.atomic():
        assert outcomes(log.append([draft(), draft(client_id="a")])) == [2, "again 1"]
        transaction.set_rollback(True)
    assert outcomes(log.append([draft()])) == [2]


DRAFTS = st.tuples(
    st.sampled_from(["Ä", "b", "Z", "closed", "quarrel"]),
    st.sampled_from([GUEST, ANOTHER, PASSER_BY]),
    st.sampled_from([None, None, "1", "2"]),
    st.booleans(),
)


@given(batches=st.lists(st.lists(DRAFTS, min_size=1, max_size=8), min_size=1, max_size=4))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_ways_have_the_same_results(batches: list[list[tuple[str, Person, str | None, bool]]]) -> None:
    def run(append: Callable[[list[Draft]], list[Any]]) -> tuple[list[object], list[list[tuple[object, ...]]]]:
        prefix = uuid4().hex
        names = ("Ä", "b", "Z", "closed", "quarrel")
        moderation.set_private(find(f"{prefix} closed"), True, by=None)
        moderation.ban(find(f"{prefix} quarrel"), GUEST.id, by=None)
        results = [
            outcomes(
                append(
                    [
                        draft(find(f"{prefix} {name}"), person, client_id, trusted=trusted, text=f"{number}")
                        for number, (name, person, client_id, trusted) in enumerate(batch)
                    ]
                )
            )
            for batch in batches
        ]
        rows = [
            [(event.offset, event.message, event.client_id) for event in entries_after(find(f"{prefix} {name}"))]
            for name in names
        ]
        return [*results], rows

    def after_a_look(drafts: list[Draft]) -> list[Any]:
        done = log._append_after_a_look(dict(enumerate(drafts)))
        return [done[number] for number in range(len(drafts))]

    assert run(log.append) == run(after_a_look)


class Other:
    """Another process: a thread with a connection of its own."""

    def __init__(self) -> None:
        self.thread = ThreadPoolExecutor(1)

    def __enter__(self) -> ThreadPoolExecutor:
        return self.thread

    def __exit__(self, *args: object) -> None:
        self.thread.submit(connections.close_all).result()
        self.thread.shutdown()


def append_while_another_holds_the_room(mine: Draft, theirs: Draft) -> tuple[list[Any], list[Any]]:
    """The outcomes of `theirs`, whose transaction has the room, and of `mine`, which waits for that."""
    has_the_room, may_commit = threading.Event(), threading.Event()

    def hold() -> list[Any]:
        with transaction.atomic():
            done = log.append([theirs])
            has_the_room.set()
            assert may_commit.wait(10)
        return done

    with Other() as other, Other() as me:
        they = other.submit(hold)
        assert has_the_room.wait(10)
        i = me.submit(log.append, [mine])
        wait_until_somebody_waits()
        may_commit.set()
        return they.result(10), i.result(10)


def wait_until_somebody_waits() -> None:
    if connection.vendor == "sqlite":
        return  # which keeps no list of those who wait
    for _ in range(1000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits for the room")


def test_entry_names_the_one_that_was_stored_while_it_waited_for_the_room(way: str) -> None:
    log.append([draft()])
    ((theirs,), (mine,)) = append_while_another_holds_the_room(draft(text="mine"), draft(text="theirs"))
    assert (theirs.event.offset, mine.event.offset) == (2, 3)
    assert mine.event.previous == theirs.event.id


def test_retry_waits_for_the_first_try_that_another_instance_is_storing(way: str) -> None:
    again = draft(client_id="a")
    ((theirs,), (mine,)) = append_while_another_holds_the_room(again, again)
    assert outcomes([theirs, mine]) == [1, "again 1"]
    assert stored() == [(1, "hi")]


def test_draft_is_refused_when_its_room_becomes_restricted_while_it_waits(way: str) -> None:
    has_the_room, may_commit = threading.Event(), threading.Event()
    log.append([draft()])

    def close() -> None:
        with transaction.atomic():
            moderation.set_private(ROOM, True, by=None)
            has_the_room.set()
            assert may_commit.wait(10)

    with Other() as other, Other() as me:
        closing = other.submit(close)
        assert has_the_room.wait(10)
        waiting = me.submit(log.append, [draft()])
        wait_until_somebody_waits()
        may_commit.set()
        closing.result(10)
        assert outcomes(waiting.result(10)) == ["not_a_member"]


def test_batches_that_name_the_same_rooms_in_other_orders_wait_for_each_other_without_deadlock(way: str) -> None:
    rooms = [find(name) for name in ("Ä", "a", "B", "ß", "ss", "🦔", "z", "Z")]
    batches = [[draft(room) for room in order] for order in (rooms, rooms[::-1], rooms[4:] + rooms[:4])] * 10
    with ThreadPoolExecutor(4) as threads:

        def run(batch: list[Draft]) -> list[Any]:
            try:
                return outcomes(log.append(batch))
            finally:
                connections.close_all()

        done = [*threads.map(run, batches)]
    drafts = [draft for batch in batches for draft in batch]
    taken = [*zip(drafts, itertools.chain.from_iterable(done), strict=True)]
    for room in rooms:
        assert sorted(offset for draft, offset in taken if draft.room == room) == list(range(1, 31))
