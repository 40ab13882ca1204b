"""How long the site's questions take in a database of a million messages, and which of them read whole tables:

    python -m benchmarks.large_database --database PostgreSQL --messages 1000000

prints a line of JSON for each: milliseconds (the median, of which so many of its own CPU, and the least), statements,
and tables or indexes that a statement reads from end to end, by EXPLAIN. Half of the messages are in one room; the
person who asks has 50 rooms.
"""

import argparse
import contextlib
import json
import os
import re
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import django

from benchmarks import databases
from benchmarks.databases import Database

ROOMS = 200  # that have messages; the first one has half of them
SMALL_ROOMS = 20_000  # that have one each
PEOPLE = 500  # with OWN_ROOMS each
OWN_ROOMS = 50
TIMES_MAX = 40  # that each is asked
BIG = r"(chat_message\w*|chat_mention|chat_reading|chat_room|message|room|reading|entry|last|mention)"
SCANS = {"sqlite": re.compile(rf"SCAN {BIG}\b"), "postgresql": re.compile(rf"Seq Scan on {BIG}\b")}
STATEMENTS = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")

# Numbers from 1 to so many, on both databases. Texts, people and times are made of them.
NUMBERS = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {count})"
NOW = "2026-01-01 00:00:00"
AGO_OF_SQLITE = f"datetime('{NOW}', '-' || n || ' minutes')"
FILL = [
    """INSERT INTO auth_user (id, username, password, first_name, last_name, email, is_active, is_staff, is_superuser,
           date_joined)
       SELECT n, 'user' || n, '', '', '', '', {true}, {false}, {false}, '{now}' FROM number""",
    """INSERT INTO chat_room (id, name, last_offset, pruned_to, is_private, restricted, search_name, active_at)
       SELECT n, 'room ' || n, CASE WHEN n = 1 THEN {half} ELSE {each} END, 0, {false}, {false}, 'room ' || n, {ago}
       FROM number""",
    """INSERT INTO chat_room (id, name, last_offset, pruned_to, is_private, restricted, search_name, active_at)
       SELECT n + 1000, 'other ' || n, 1, 0, {false}, {false}, 'other ' || n, {ago} FROM number""",
]
# Of 200 entries, one edits the one before it, and three are reactions; of 20, one is a reply.
MESSAGES = """INSERT INTO chat_message
       (room_id, "offset", text, person_id, person_name, sender, sent_at, process, thread, kind, target, reply_to,
           original_text, reactions)
    SELECT {room}, n, {text}, 'user-' || (1 + n % 500), 'user' || (1 + n % 500), '',
        '{now}', 1, 't',
        CASE WHEN n % 200 = 199 THEN 'edit' WHEN n % 50 = 49 THEN 'reaction' ELSE 'message' END,
        CASE WHEN n % 200 = 199 THEN n - 1 WHEN n % 50 = 49 THEN n - 2 END,
        CASE WHEN n % 20 = 3 AND n > 20 THEN n - 20 END,
        CASE WHEN n % 200 = 198 THEN 'the first text' END,
        CASE WHEN n % 50 = 47 THEN CAST('{reactions}' AS {json}) END
    FROM {source}"""
REACTIONS = '[{"emoji": "👍", "count": 1, "people": [{"id": "user-1", "name": "user1"}]}]'
MORE = [
    """INSERT INTO chat_messagereaction (room_id, "offset", emoji, person_id, person_name, at)
       SELECT room_id, "offset", '👍', 'user-1', 'user1', '{now}' FROM chat_message WHERE reactions IS NOT NULL""",
    """INSERT INTO chat_mention (room_id, "offset", person_id, caller_id)
       SELECT room_id, "offset", 'user-' || (1 + "offset" / 100 % 500), person_id FROM chat_message
       WHERE kind = 'message' AND "offset" % 100 = 5""",
    "INSERT INTO chat_roommember (room_id, user_id, role) VALUES (1, 1, 'owner')",
]
READINGS = """INSERT INTO chat_reading (person_id, room_name, read_offset, involvement, entered_at, changes)
    SELECT 'user-' || (1 + n % {people}), 'room ' || (1 + n / {people}), 5, 'all', '{now}', 0 FROM number"""


def fill(messages: int, text: str = "'a text that is neither long nor short'") -> None:
    """Fills the empty database; `text` is what a message says, in SQL, by its number `n` in the room `{room}`."""
    from django.core.management import call_command
    from django.db import connection, transaction

    call_command("migrate", verbosity=0)
    is_postgresql = connection.vendor == "postgresql"
    given = {
        "now": NOW,
        "ago": f"timestamp '{NOW}' - n * interval '1 minute'" if is_postgresql else AGO_OF_SQLITE,
        "half": messages // 2,
        "each": messages // 2 // (ROOMS - 1),
        "people": PEOPLE,
        "reactions": REACTIONS,
        "json": "jsonb" if is_postgresql else "text",
        "true": "true",
        "false": "false",
    }
    with transaction.atomic(), connection.cursor() as cursor:

        def run(statement: str, count: int = 0, **more: Any) -> None:
            """With the numbers from 1 to `count`, if any."""
            begin = NUMBERS.format(count=count) if count else ""
            cursor.execute(f"{begin} {statement.format(**given, **more)}")

        for statement, count in zip(FILL, [PEOPLE, ROOMS, SMALL_ROOMS], strict=True):
            run(statement, count)
        run(MESSAGES, messages // 2, room=1, text=text.format(room=1), source="number")
        numbers = "(SELECT id AS room_of, n FROM chat_room, number WHERE id BETWEEN 2 AND 1000) AS one"
        each = {"room": "room_of", "text": text.format(room="room_of")}
        run(MESSAGES, messages // 2 // (ROOMS - 1), source=numbers, **each)
        run(
            MESSAGES,
            room="id",
            text=text.format(room="id"),
            source="(SELECT id, 1 AS n FROM chat_room WHERE id > 1000) AS one",
        )
        run(READINGS, PEOPLE * OWN_ROOMS - 1)
        for statement in MORE:
            run(statement)
        for table in ("auth_user", "chat_room") if is_postgresql else ():
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT MAX(id) FROM {table}))")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def questions(messages: int) -> Iterator[tuple[str, Callable[[int], Any]]]:
    """Each by a function of the number of the time that it is asked."""
    from chat.domain.people import Person
    from chat.domain.positions import Position
    from chat.domain.reactions import ReactionRequest
    from chat.domain.recoveries import RecoveryRequest
    from chat.domain.rooms import Room
    from chat.storage import (
        directory,
        edits,
        history,
        log,
        mentions,
        moderation,
        own_rooms,
        pages,
        reactions,
        readings,
        recoveries,
    )
    from chat.storage.drafts import Draft

    owner, ben = Person(id="user-1", name="user1"), Person(id="user-8", name="user8")
    ann, big, rooms = Person(id="user-7", name="user7"), Room("room 1"), [Room(f"room {n}") for n in range(1, 51)]
    middle = messages // 4 // 1000 * 1000
    missed = RecoveryRequest(log=big, after=Position(messages // 2 - 400), size=400, person=ann)
    own = [
        middle + 506 - 500 + 500 * n for n in range(TIMES_MAX + 1)
    ]  # offsets of what ann said: one more than 5 in 500
    yield "unread counts of 20 rooms", lambda _: own_rooms.by_pair([(room, ann) for room in rooms[:20]])
    yield "own rooms, a page of 50", lambda _: own_rooms.own_rooms(ann, size=50)
    yield "last messages of 50 rooms", lambda _: history.last_messages(rooms, person=ann)
    yield "rooms that were read elsewhere, of 200 people", lambda _: readings.digests([f"user-{n}" for n in range(200)])
    yield "reading a room", lambda n: readings.mark_read([readings.Mark(big, ann, 100 + n)])
    yield "marking unread", lambda n: readings.mark_unread(big, ann, middle - n)
    yield "directory, a page of 50", lambda _: directory.listed(person=ann, size=50)
    yield "directory, matching", lambda _: directory.listed(person=ann, size=50, matching="room 19")
    yield "jump to the middle", lambda n: pages.around(big, middle + n, person=ann)
    yield "last page", lambda _: pages.page(big, person=ann, size=50, from_end=True)
    yield "page after the middle", lambda _: pages.page(big, person=ann, size=50, after=middle, from_end=False)
    yield "recovery of 400", lambda _: recoveries.recover_all([missed])
    yield "reaction to an old message", lambda n: reactions.react(big, middle, [ReactionRequest(ann, "🎉", n % 2 == 0)])
    yield "edit of an old message", lambda n: edits.edit_message(big, own[0], f"another text {n}", by=ann)
    yield "edit that mentions", lambda n: edits.edit_message(big, own[1], f"@user8 {n}", by=ann)
    yield "versions of an old message", lambda _: edits.versions(big, own[0], by=owner)
    yield "deletion of an old message", lambda n: moderation.delete_message(big, own[n], by=owner)
    yield "completion of a name", lambda _: mentions.candidates(big, "user4", by=ann)
    yield "looking up who is mentioned", lambda _: mentions.resolve(big, "@user8 and @user9 and @nobody", by=ann)
    calling = partial(Draft, room=big, person=ann, mentions=(ben,))
    yield "post that mentions", lambda n: log.append([calling(text=f"@user8 {n}")])
    yield "reply to an old message", lambda n: log.append([Draft(room=big, text="hi", person=ann, reply_to=middle)])


def measure(ask: Callable[[int], Any], times: int) -> dict[str, Any]:
    from django.db import connection

    statements: list[tuple[str, Any]] = []

    def take(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(take):
        ask(0)
    taken, used = [], []
    for number in range(1, times + 1):
        began, began_using = time.perf_counter(), time.thread_time()
        ask(number)
        taken.append((time.perf_counter() - began) * 1000)
        used.append((time.thread_time() - began_using) * 1000)
    scans = sorted({scan for sql, params in statements for scan in scans_of(sql, params)})
    return {
        "median ms": round(statistics.median(taken), 2),
        "of its own CPU": round(statistics.median(used), 2),
        "least ms": round(min(taken), 2),
        "statements": len(statements),
        "reads from end to end": scans,
    }


def scans_of(sql: str, params: Any) -> list[str]:
    from django.db import connection

    if not sql.lstrip().upper().startswith(STATEMENTS):
        return []
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}", params)
        lines = [str(row[-1]) for row in cursor.fetchall()]
    return [line.strip() for line in lines if SCANS[connection.vendor].search(line)]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--database", choices=["SQLite", "PostgreSQL"], default="SQLite")
    add("--messages", type=int, default=1_000_000, help="100,000 or more")
    add("--times", type=int, default=15, help=f"that each is asked, {TIMES_MAX} at most")
    return parser.parse_args()


def main() -> None:
    args = options()
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        address = stack.enter_context(databases.running(Database(args.database), directory))
        os.environ |= {"DATABASE_URL": address.url, "SECRET_KEY": "x" * 50, "DEBUG": "true"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
        django.setup()
        from django.db import connections

        from chat import models

        stack.callback(connections.close_all)
        fill(args.messages)
        print(json.dumps({"database": args.database, "entries": models.Message.objects.count()}), flush=True)
        for name, ask in questions(args.messages):
            print(json.dumps({"question": name, **measure(ask, args.times)}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
