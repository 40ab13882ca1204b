"""A room's log and history on a real database: offsets, retries, and the cost of queries."""

import asyncio
import subprocess
import sys
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.delivery.hub import Hub
from chat.domain.events import Kind
from chat.domain.logs import Head
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.rooms import Room, find
from chat.errors import InvalidPosition
from chat.storage import edits, history, log, moderation, pages, permissions
from tests.recovering import entries_after, recover
from tests.servers import ROOT, environment

ROOM, OTHER = find("log"), find("løg")
ANN, BEN = Person(id="user-1", name="Ann"), Person(id="user-2", name="Ben")
PASSER_BY, ANOTHER = Person(id="guest-1", name="?", lasting=False), Person(id="guest-2", name="?", lasting=False)

pytestmark = pytest.mark.django_db


def say(text: str = "hi", room: Room = ROOM, person: Person = ANN, client_id: str | None = None) -> log.Entry:
    return log.append([log.Draft(room=room, text=text, person=person, client_id=client_id)])[0]


def fill(count: int, room: Room = ROOM) -> None:
    for number in range(1, count + 1):
        say(str(number), room)


def offsets(events: list) -> list[int]:
    return [event.offset for event in events]


class TestOffsets:
    def test_offsets_are_1_2_3_in_each_room(self) -> None:
        rooms = [ROOM, ROOM, OTHER, ROOM, OTHER]
        assert [say(room=room).event.offset for room in rooms] == [1, 2, 1, 3, 2]
        ends = {room: head.position.offset for room, head in history.heads([ROOM, OTHER, find("empty")]).items()}
        assert ends == {ROOM: 3, OTHER: 2, find("empty"): 0}

    def test_offset_of_a_rolled_back_message_is_given_to_the_next(self) -> None:
        say("first")
        with transaction.atomic():
            assert say("never").event.offset == 2
            transaction.set_rollback(True)
        assert say("second").event.offset == 2
        assert [event.message for event in entries_after(ROOM)] == ["first", "second"]

    def test_offset_of_a_message_that_could_not_be_stored_is_given_to_the_next(self) -> None:
        with pytest.raises(IntegrityError):
            say(person=Person(id="user-1", name=None))  # type: ignore[arg-type]
        assert say().event.offset == 1

    def test_append_returns_the_event_that_history_reads(self) -> None:
        entry = say("hi\n🍓", OTHER, BEN, "mine")
        assert not entry.repeated
        assert entries_after(OTHER) == [entry.event]
        assert (entry.event.person, entry.event.client_id, entry.event.room) == (BEN, "mine", OTHER)

    @pytest.mark.django_db(transaction=True)
    async def test_offsets_have_no_hole_when_several_processes_post_at_once(self) -> None:
        code = f"""
import asyncio, django
django.setup()
from chat.actions import posting
from chat.domain import people, rooms
async def main():
    posts = (posting.post(room=rooms.find({ROOM.name!r}), message="hi", person=people.new_guest()) for _ in range(50))
    print(*[entry.event.offset for entry in await asyncio.gather(*posts)])
asyncio.run(main())
"""
        async with Hub.here().listen([ROOM]) as listener:
            command = [sys.executable, "-c", code]
            processes = [
                await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE)
                for _ in range(4)
            ]
            heard = []
            async with asyncio.timeout(60):
                given = [int(offset) for one in processes for offset in (await one.communicate())[0].split()]
                while len(heard) < 200:
                    heard.append((await anext(listener)).offset)
        assert sorted(given) == list(range(1, 201))
        assert heard == list(range(1, 201))


class TestClientIds:
    def test_retry_with_the_same_client_id_returns_the_first_message_and_takes_no_offset(self) -> None:
        first = say("hi", client_id="a")
        again = say("hi, changed", client_id="a")
        assert again == log.Entry(event=first.event, repeated=True)
        assert say().event.offset == 2

    def test_same_client_id_in_another_room_is_another_message(self) -> None:
        assert [say(room=room, client_id="a").repeated for room in (ROOM, OTHER, ROOM)] == [False, False, True]

    def test_same_client_id_of_another_person_is_another_message(self) -> None:
        assert [say(person=person, client_id="a").repeated for person in (ANN, BEN, ANN)] == [False, False, True]

    def test_client_id_of_people_without_a_session_is_recognised_across_connections(self) -> None:
        """They get another id on each connection, and a retry comes over another connection."""
        people = [PASSER_BY, ANOTHER, ANN]
        assert [say(person=person, client_id="a").repeated for person in people] == [False, True, False]

    def test_messages_without_client_id_are_all_stored(self) -> None:
        assert [say().repeated for _ in range(3)] == [False] * 3


def test_names_lists_rooms_with_entries_by_name_in_pages() -> None:
    for name in ["b", "a", "d", "c", "a"]:
        say(room=find(name))
    assert history.names(person=ANN, size=10) == ["a", "b", "c", "d"]
    assert history.names(person=ANN, size=2) == ["a", "b"]
    assert history.names(person=ANN, size=2, after="b") == ["c", "d"]
    assert history.names(person=ANN, size=2, after="bb") == ["c", "d"]
    assert history.names(person=ANN, size=2, after="d") == []


@pytest.mark.parametrize(("given", "offset"), [(0, 0), (7, 7), ("0", 0), ("7", 7), ("007", 7), (2**63 - 1, 2**63 - 1)])
def test_check_offset_accepts_a_number_or_its_digits(given: object, offset: int) -> None:
    assert history.check_offset(given) == offset


@pytest.mark.parametrize(
    "given",
    [None, True, -1, "-1", 1.0, "1.0", "", " 1", "1 ", "+1", "1e3", "x", "²", "٣", 2**63, str(2**63), "9" * 99, []],
)
def test_check_offset_rejects_anything_else(given: object) -> None:
    with pytest.raises(InvalidPosition):
        history.check_offset(given)


def test_rows_written_by_the_previous_release_are_read() -> None:
    """It knows none of the later columns, and goes on writing during an update."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO chat_room (name, last_offset, pruned_to) VALUES (%s, 1, 0) RETURNING id", [ROOM.name]
        )
        cursor.execute(
            """INSERT INTO chat_message
            (room_id, "offset", text, person_id, person_name, sender, sent_at, process, thread)
            VALUES (%s, 1, 'hi', 'user-1', 'Ann', '', %s, 1, 'MainThread')""",
            [cursor.fetchone()[0], connection.ops.adapt_datetimefield_value(timezone.now())],
        )
    (event,) = entries_after(ROOM)
    assert (event.kind, event.message, event.deleted, event.target, event.subject) == (
        Kind.MESSAGE,
        "hi",
        False,
        None,
        None,
    )
    assert history.heads([ROOM]) == {ROOM: Head(Position(1, event.id), restricted=False)}


class TestCost:
    """A thousand messages or a million: each of these is found through an index."""

    @pytest.fixture(autouse=True)
    def messages(self) -> None:
        fill(20)
        fill(5, OTHER)

    @pytest.mark.parametrize(
        "read",
        [
            lambda: recover(ROOM, Position(5), person=ANN),
            lambda: pages.page(ROOM, person=ANN, size=5, from_end=True),
            lambda: pages.page(ROOM, person=ANN, size=5, from_end=True, before=10),
            lambda: pages.page(ROOM, person=ANN, size=5, from_end=False, after=10),
            lambda: pages.page(ROOM, person=ANN, size=5, from_end=False, after=10, before=15),
            lambda: history.names(person=ANN, size=5),
            lambda: history.names(person=ANN, size=5, after="a"),
            lambda: history.heads([ROOM, OTHER]),
            lambda: history.find(ROOM, 5),
            lambda: history.lately_heard(ROOM, 10),
            lambda: permissions.permission(ROOM, ANN),
            lambda: [say(client_id="a") for _ in range(2)],
        ],
        ids=[
            "recover",
            "last page",
            "earlier",
            "later",
            "between",
            "rooms",
            "more rooms",
            "offsets",
            "one message",
            "who was heard",
            "permission",
            "append again",
        ],
    )
    def test_reads_use_an_index_without_scan_or_sort(self, read: Callable[[], object]) -> None:
        with CaptureQueriesContext(connection) as captured:
            read()
        statements = [query["sql"].strip() for query in captured.captured_queries]
        reads = [statement for statement in statements if statement.startswith(("SELECT", "WITH"))]
        assert reads
        for statement in reads:
            plan = plan_of(statement)
            assert not [step for step in plan if is_slow(step)], (statement, plan)

    @pytest.mark.parametrize(("drafts", "rooms"), [(1, 1), (50, 1), (50, 50)])
    def test_append_takes_as_many_statements_however_many_drafts_and_rooms(self, drafts: int, rooms: int) -> None:
        together = [
            log.Draft(room=find(f"cost {number % rooms}"), text="hi", person=ANN, client_id=str(number))
            for number in range(drafts)
        ]
        with CaptureQueriesContext(connection) as captured:
            log.append(together)
        assert verbs(captured) == (["WITH"] if connection.vendor == "postgresql" else ["INSERT", "INSERT"])

    def test_append_finds_the_entry_before_by_its_offset_with_a_plan_from_an_empty_table(self) -> None:
        """PostgreSQL keeps that plan, until it has gathered statistics again."""
        if connection.vendor != "postgresql":
            return  # SQLite plans without statistics
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("TRUNCATE chat_room CASCADE")
        with CaptureQueriesContext(connection) as captured:
            log.append([log.Draft(room=ROOM, text="hi", person=ANN)])
        (statement,) = [query["sql"] for query in captured.captured_queries if "WITH" in query["sql"]]
        plan = plan_of(statement, as_it_is=True)
        assert [step for step in plan if "previous" in step and "one_message_per_offset" in step], plan

    @pytest.mark.parametrize("retries", [1, 50])
    def test_append_takes_as_many_statements_however_many_retries(self, retries: int) -> None:
        rooms = [find(f"cost {number}") for number in range(retries)]
        for room in rooms:
            moderation.create(room, private=True, by=None)
        again = [log.Draft(room=room, text="hi", person=ANN, client_id="a", trusted=True) for room in rooms]
        refused = [log.Draft(room=room, text="hi", person=ANN) for room in rooms]
        new = [log.Draft(room=room, text="hi", person=ANN, trusted=True) for room in rooms]
        log.append(again)
        with CaptureQueriesContext(connection) as captured:
            log.append([*again, *refused, *new])
        locks_and_looks = ["INSERT", "SELECT", "WITH"]
        if connection.vendor == "postgresql":
            assert verbs(captured) == ["WITH", *locks_and_looks, "WITH"]
        else:
            assert verbs(captured) == ["INSERT", *locks_and_looks, "INSERT", "INSERT"]


def verbs(captured: CaptureQueriesContext) -> list[str]:
    """The first word of each statement that was run, but for those of transactions."""
    words = [query["sql"].split()[0].lstrip("(") for query in captured.captured_queries]
    return [word for word in words if word not in {"BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK"}]


def plan_of(statement: str, *, as_it_is: bool = False) -> list[str]:
    """The steps in which the database would run `statement` on a large table, or on the table as it is."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # PostgreSQL reads few rows quickest by scanning and sorting; look for a plan that needs neither.
            for way in [] if as_it_is else ["seqscan", "bitmapscan", "sort"]:
                cursor.execute(f"SET LOCAL enable_{way} = off")
            cursor.execute(f"EXPLAIN {statement}")
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        return [str(row[-1]).strip() for row in cursor.fetchall()]


def is_slow(step: str) -> bool:
    if connection.vendor == "postgresql":
        return "Seq Scan" in step or step.removeprefix("->").strip().startswith("Sort ")
    # "SCAN … USING INDEX" goes along an index and stops at the limit.
    if step.startswith("SCAN identity") or step == "SCAN pair" or "CONSTANT ROW" in step:
        return False  # what the statement itself lists
    return (step.startswith("SCAN") and "INDEX" not in step) or "TEMP B-TREE" in step


def test_those_who_were_heard_lately_are_looked_for_among_so_many_entries_of_any_kind() -> None:
    for person in (PASSER_BY, ANN, BEN, ANN):
        say(person=person)
    assert history.lately_heard(ROOM, 4) == [ANN, BEN, PASSER_BY]
    edits.edit_message(ROOM, 4, "hello", by=ANN)
    assert history.lately_heard(ROOM, 4) == [ANN, BEN]
