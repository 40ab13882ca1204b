"""How many messages a process stores in a second, beside a loop of bare inserts into the same table:

    python -m benchmarks.writing

prints one line of JSON for the database of DATABASE_URL. The loop commits each row, as durably as the site does.
Posting is all of `posting.post`: checks, offsets, one transaction for all who wait, and publishing through REDIS_URL.
"""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from statistics import median

import django
import uvloop
from django.db import connection

MESSAGES = 400  # of one measurement
POSTERS = (1, 10, 50)  # who post at once, each waiting for an answer before the next message
ROUNDS = 5  # the loop and the posters in turn; the result has medians
TEXT = "hello from the bench"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
    django.setup()
    rates: dict[str, list[float]] = {}
    for name, rate in (one for number in range(ROUNDS + 1) for one in measure(number)):
        rates.setdefault(name, []).append(rate)
    # The first round is for whatever is only done once.
    print(json.dumps({name: round(median(found[1:])) for name, found in rates.items()}))


def measure(number: int) -> Iterator[tuple[str, float]]:
    """Each name, and how many were stored in a second."""
    yield "bare inserts", insert(f"bare {number}")
    for posters in POSTERS:
        yield f"posts, {posters} at once", uvloop.run(post(posters))


def insert(room: str) -> float:
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
        for offset in range(1, MESSAGES + 1):
            sent_at = connection.ops.adapt_datetimefield_value(timezone.now())
            cursor.execute(statement, [place, offset, TEXT, sent_at])
        return MESSAGES / (time.perf_counter() - started)


async def post(posters: int) -> float:
    from chat.actions import posting
    from chat.domain import people, rooms

    room, person = rooms.find("bench"), people.new_guest("bench")

    async def one() -> None:
        for _ in range(MESSAGES // posters):
            await posting.post(room=room, message=TEXT, person=person)

    await posting.post(room=room, message=TEXT, person=person)  # connects to Redis
    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(posters)))
    return MESSAGES / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
