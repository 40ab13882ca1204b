"""The cost of a page of the history that is full of replies, reactions and mentions, beside that of a plain one:

    python -m benchmarks.history

prints a line of JSON for each door: milliseconds of the process's CPU for a page of 50 messages, and how many times
that of a plain page it is. They are asked for in turn, through all of the site but the server, with a database and a
Redis of their own.
"""

import argparse
import asyncio
import json
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import django
import uvloop

from benchmarks import servers

SIZE = 50  # messages
TEXT = "we could meet at the station at a quarter past nine, if the train is on time"
EMOJIS = "👍 ❤️ 🎉 👀".split()
NODE = """kind offset message user { name } editedAt deleted replyTo { offset message user { name } }
    mentions { id name } reactions { emoji count people { id name } }"""
PAGE = (
    f"query ($room: String!) {{ room(name: $room) {{ messages(last: {SIZE}) {{ edges {{ node {{ {NODE} }} }} }} }} }}"
)


@dataclass(frozen=True)
class Kind:
    """The messages of a room. All but those of a plain one are replies that mention so many people each.

    To every second one, so many people react with so many emoji.
    """

    mentioned: int = 0
    reacting: int = 0
    emojis: int = 0


ROOMS = {"plain": Kind(), "rich": Kind(mentioned=1, reacting=4, emojis=2), "crowded": Kind(2, 10, 4)}


def fill() -> None:
    from django.contrib.auth import get_user_model

    from chat.domain.people import Person
    from chat.domain.reactions import ReactionRequest
    from chat.domain.rooms import Room
    from chat.storage import log, reactions
    from chat.storage.drafts import Draft

    users = [get_user_model().objects.create(username=f"user{number}") for number in range(10)]
    people = [Person(id=f"user-{user.pk}", name=user.username) for user in users]
    for name, kind in ROOMS.items():
        for number in range(SIZE):
            called = tuple(people[(number + more) % 10] for more in range(1, kind.mentioned + 1))
            text = f"{' '.join(f'@{one.name}' for one in called)} {TEXT}".strip()[: len(TEXT)]
            reply_to = number if number and kind.mentioned else None
            draft = Draft(room=Room(name), text=text, person=people[number % 10], reply_to=reply_to, mentions=called)
            log.append([draft])
        for offset in range(1, SIZE + 1, 2) if kind.reacting else ():
            requests = [
                ReactionRequest(person, EMOJIS[number % kind.emojis], True)
                for number, person in enumerate(people[: kind.reacting])
            ]
            reactions.react(Room(name), offset, requests)


class Browser:
    """Asks by `{"before": …}`."""

    name = "browser"

    async def open(self, room: str) -> None:
        from channels.testing import WebsocketCommunicator

        from mysite.asgi import application

        self.socket = WebsocketCommunicator(application, f"/ws/chat/{room}/?with=edits,reactions")
        await self.socket.connect()

    async def ask(self) -> int:
        await self.socket.send_json_to({"before": 10_000})
        return len((await self.socket.receive_json_from(timeout=10))["messages"])

    async def close(self) -> None:
        await self.socket.disconnect()


class GraphQL:
    """Asks by `room { messages }`, over HTTP."""

    name = "GraphQL"

    async def open(self, room: str) -> None:
        self.body = json.dumps({"query": PAGE, "variables": {"room": room}}).encode()

    async def ask(self) -> int:
        from channels.testing import HttpCommunicator

        from mysite.asgi import application

        headers = [(b"content-type", b"application/json")]
        request: Any = HttpCommunicator(application, "POST", "/graphql", self.body, headers)
        answer = json.loads((await request.get_response(timeout=10))["body"])
        return len(answer["data"]["room"]["messages"]["edges"])

    async def close(self) -> None:
        """Nothing is open."""


async def measure(door: type[Browser] | type[GraphQL], times: int) -> dict[str, Any]:
    doors = {room: door() for room in ROOMS}
    used: dict[str, list[float]] = {room: [] for room in doors}
    for room, one in doors.items():
        await one.open(room)
        assert await one.ask() == SIZE
    for _ in range(times):
        for room, one in doors.items():
            began = time.process_time()
            await one.ask()
            used[room].append((time.process_time() - began) * 1000)
    for one in doors.values():
        await one.close()
    found = {room: median(some) for room, some in used.items()}
    ratios = {room: round(found[room] / found["plain"], 2) for room in ROOMS if room != "plain"}
    return {"door": door.name, **{f"{room} ms": round(one, 2) for room, one in found.items()}, "times plain": ratios}


async def measure_all(times: int) -> None:
    for door in (Browser, GraphQL):
        print(json.dumps(await measure(door, times)), flush=True)
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=200, help="that each page is asked for")
    args = parser.parse_args()
    with TemporaryDirectory(prefix="bench-") as directory, servers.ready(servers.SITE, Path(directory)) as variables:
        os.environ |= variables
        os.environ |= {"DJANGO_SETTINGS_MODULE": "mysite.settings", "CHAT_LIMITS": "off"}
        django.setup()
        from django.db import connections

        logging.disable(logging.INFO)  # a line for each request
        fill()
        connections.close_all()
        uvloop.run(measure_all(args.times))


if __name__ == "__main__":
    main()
