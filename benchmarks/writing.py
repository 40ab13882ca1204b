"""How many messages a process stores in a second, in one room or in many, beside a loop of bare inserts:

    python -m benchmarks.writing

prints one line of JSON for the database of DATABASE_URL. The loop commits each row, as durably as the site does.
It imports the site from the path of modules, and nothing of this folder.
Posting is all of `posting.post`: checks, offsets, one transaction for all who wait, and publishing through REDIS_URL.
"""

import argparse
import asyncio
import json
import os
import time
from collections.abc import Iterator
from statistics import median

import django
import uvloop
from django.db import connection

BARE = "bare inserts"
POSTERS = ((1, 1), (12, 1), (12, 12), (60, 1), (60, 60))  # at once, each waiting for an answer; and their rooms
TEXT = "hello from the bench"


def main() -> None:
    args = options()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
    django.setup()
    rates: dict[str, list[float]] = {}
    for name, rate in (one for number in range(args.rounds + 1) for one in measure(number, args.messages)):
        rates.setdefault(name, []).append(rate)
    # The first round is for whatever is only done once.
    print(json.dumps({name: round(median(found[1:])) for name, found in rates.items()}))


def measure(number: int, messages: int) -> Iterator[tuple[str, float]]:
    """Each name, and how many were stored in a second."""
    yield BARE, insert(f"bare {number}", messages)
    for posters, rooms in POSTERS:
        yield f"posts, {posters} in {rooms}", uvloop.run(post(posters, rooms, messages))


def insert(room: str, messages: int) -> float:
    from django.utils import timezone

    from chat import models

    place = models.Room.objects.create(name=room).pk
    statement = """
        INSERT INTO chat_message
        (room_id, "offset", text, person_id, person_name, sender, client_id, sent_at, process, thread)
        VALUES (%s, %s, %s, 'guest-1', 'bench', '', NULL, %s, 1, 'MainThread')
    """
    with connection.cursor() as cursor:
        started = time.perf_counter()
        for offset in range(1, messages + 1):
            sent_at = connection.ops.adapt_datetimefield_value(timezone.now())
            cursor.execute(statement, [place, offset, TEXT, sent_at])
        return messages / (time.perf_counter() - started)


async def post(posters: int, rooms: int, messages: int) -> float:
    from chat.actions import posting
    from chat.domain import people
    from chat.domain.rooms import Room

    places = [Room(f"bench-{number}") for number in range(rooms)]
    person = people.new_guest("bench")

    async def one(number: int) -> None:
        for _ in range(each):
            await posting.post(room=places[number % rooms], message=TEXT, person=person)

    each = max(1, messages // posters)
    await posting.post(room=places[0], message=TEXT, person=person)  # connects to Redis
    started = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(posters)))
    return posters * each / (time.perf_counter() - started)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--messages", type=int, default=600, help="of one measurement")
    add("--rounds", type=int, default=5, help="of the loop and the posters in turn; the result has medians")
    return parser.parse_args()


if __name__ == "__main__":
    main()
