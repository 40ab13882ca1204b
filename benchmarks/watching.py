"""The cost of a process's watch where much is said on the whole site: a look at so many rooms that have changed.

    python -m benchmarks.watching --database-pid POSTMASTER

prints one line of JSON for the PostgreSQL of DATABASE_URL. It imports the site from the path of modules.
"""

import argparse
import json
import os
import time

import django
import psutil
from django.db import connection

ROOMS = """
    INSERT INTO chat_room (name, last_offset, pruned_to) SELECT 'watched-' || n, 0, 0 FROM generate_series(1, %s) n
"""
MESSAGES = """
    INSERT INTO chat_message
    (room_id, "offset", text, person_id, person_name, sender, client_id, sent_at, process, thread)
    SELECT id, %s, 'hello', 'guest-1', 'bench', '', NULL, now(), 1, 'MainThread'
    FROM chat_room WHERE name LIKE 'watched-%%'
"""


def main() -> None:
    args = options()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
    django.setup()
    print(json.dumps(measure(args.rooms, args.looks, args.database_pid)))


def measure(rooms: int, looks: int, database: int) -> dict[str, float]:
    """Microseconds of CPU for each changed room: of the process that looks, and of the database."""
    from chat.storage.changes import ChangeLook

    with connection.cursor() as cursor:
        cursor.execute(ROOMS, [rooms])
        look = ChangeLook()
        look.look()
        used = stored = 0.0
        for number in range(looks + 1):
            cursor.execute(MESSAGES, [number + 1])
            before = (time.process_time(), database_cpu(database))
            found = look.look()
            if len(found.ends) != rooms:
                raise RuntimeError(f"{len(found.ends)} of {rooms} rooms were seen to have changed.")
            if number:  # the first is for what is only done once
                used += time.process_time() - before[0]
                stored += database_cpu(database) - before[1]
    return {
        "µs to look at a changed room": round(used / looks / rooms * 1e6, 2),
        "µs of the database's": round(stored / looks / rooms * 1e6, 2),
    }


def database_cpu(pid: int) -> float:
    """Seconds of the server's processes that are there."""
    server = psutil.Process(pid)
    times = [process.cpu_times() for process in (server, *server.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--database-pid", type=int, required=True)
    add("--rooms", type=int, default=10_000, help="that have changed since the look before")
    add("--looks", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
