"""How long searches take in a database of a million messages, half of which are in one room:

    python -m benchmarks.searching --database PostgreSQL --messages 1000000

prints JSON: how long it took to index them, and for each search the median and the 99th percentile in milliseconds, and
how much was found. Half of the messages are in a private room, of which the member is one and the guest is not.
"""

import argparse
import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import django

from benchmarks import databases, large_database
from benchmarks.databases import Database
from benchmarks.percentiles import milliseconds

# Of n, the number of a message in its room, which is {room}; the first room has the oldest half.
# Words are in three of ten messages, or in one of so many.
TEXT = """'message ' || n || ' w' || (n % 97) || ' x' || (n * 31 % 10007) || ' y' || (n * 17 % 50021)
    || CASE WHEN n % 10 IN (1, 4, 7) THEN ' common' ELSE '' END
    || CASE WHEN n % 10 IN (2, 4, 8) AND {room} = 1 AND n < {old} THEN ' formerly' ELSE '' END
    || CASE WHEN n % 10 IN (3, 4, 9) AND {room} = 1 THEN ' secretly' ELSE '' END
    || CASE WHEN n % 1000 = 3 THEN ' 我们在北京开会' ELSE '' END
    || CASE WHEN n % 100000 = 7 THEN ' rarely' ELSE '' END"""
QUERIES = {
    "a common word": "common",
    "a rare word": "rarely",
    "a word that is nowhere": "nowhere",
    "a word that is common in old messages alone": "formerly",
    "two words": "common w13",
    "two words, one of them rare": "common rarely",
    "two words that are never together": "formerly secretly w13 x1 y1",
    "a phrase": '"w13 x403"',
    "a phrase of common words": '"formerly secretly"',
    "the beginning of common words": "co*",
    "the beginning of words": "x100*",
    "the beginning of words in old messages": "form*",
    "a Chinese word": "北京",
    "a common word from one person": "from:user7 common",
    "a common word in one room": 'in:"room 7" common',
    "a word that is common where one may not read": "secretly",
    "all from one person": "from:user7",
}


def main() -> None:
    args = options()
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        address = stack.enter_context(databases.running(Database(args.database), directory))
        os.environ |= {"DATABASE_URL": address.url, "SECRET_KEY": "x" * 50, "DEBUG": "true"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
        django.setup()
        from django.db import connections

        stack.callback(connections.close_all)
        large_database.fill(args.messages, text=TEXT.replace("{old}", str(args.messages // 4)))
        indexed = index()
        searches = [{"search": name, **result} for name, result in measure(args.times)]
        print(json.dumps({"database": args.database, **indexed, "searches": searches}, ensure_ascii=False))


def index() -> dict[str, Any]:
    """Indexes all messages, and closes the room that has half of them to everybody who asks here."""
    from django.db import connection

    from chat import models
    from chat.storage import search_feed

    began, indexed = time.perf_counter(), models.Message.objects.filter(kind="message").count()
    search_feed.begin()
    while search_feed.feed(1000) == 0:
        pass
    models.SearchProgress.objects.update(high=models.Message.objects.latest("id").pk)  # as it is after a minute
    taken = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("UPDATE chat_room SET is_private = true, restricted = true WHERE name IN ('room 1', 'room 2')")
        cursor.execute("INSERT INTO chat_roommember (room_id, user_id, role) VALUES (1, 8, 'member')")
        cursor.execute("ANALYZE")
    return {"indexed": indexed, "seconds": round(taken, 1)}


def measure(times: int) -> Iterator[tuple[str, dict[str, Any]]]:
    from chat.domain.people import Person
    from chat.domain.search import read
    from chat.storage import search

    member, guest = Person(id="user-8", name="user8"), Person(id="guest-1", name="?")
    for title, person in (("a member", member), ("a guest", guest)):
        for name, text in QUERIES.items():
            taken, after, found = [], None, []
            for number in range(times + 1):
                began = time.perf_counter_ns()
                found = search.find(read(text), person=person, size=50, after=after).found
                if number:  # the first one connects, or plans
                    taken.append(time.perf_counter_ns() - began)
            ordered = sorted(taken)
            yield (
                f"{name}, for {title}",
                {
                    "p50 ms": milliseconds(ordered, 0.5),
                    "p99 ms": milliseconds(ordered, 0.99),
                    "found": len(found),
                },
            )


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--database", choices=["SQLite", "PostgreSQL"], default="SQLite")
    add("--messages", type=int, default=1_000_000, help="100,000 or more")
    add("--times", type=int, default=100, help="that each is asked")
    return parser.parse_args()


if __name__ == "__main__":
    main()
