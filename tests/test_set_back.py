"""A database that is set back under three running server processes, with Redis and without."""

import asyncio
import json
from typing import Any

import pytest
import websockets
from django.db import transaction

from chat import models
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import log
from chat.storage.database import in_database
from tests.servers import Server

ROOM = find("set back")
ANN = Person(id="user-1", name="Ann")


class Browser:
    """A browser's socket, which keeps its position."""

    def __init__(self, server: Server, position: str = "") -> None:
        self.server = server
        self.position = position

    async def __aenter__(self) -> "Browser":
        url = f"ws://{self.server.host}/ws/chat/set%20back/{self.position}"
        self.socket = await websockets.connect(url, origin=f"http://{self.server.host}")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()

    async def say(self, text: str) -> None:
        await self.socket.send(json.dumps({"message": text}))

    async def hear(self) -> tuple[Any, ...]:
        async with asyncio.timeout(10):
            frame = json.loads(await self.socket.recv())
        self.position = f"?after={frame['offset']}&id={frame['id'] or ''}"
        return frame["kind"], frame["offset"], frame["message"]


def store(*texts: str) -> None:
    """Says `texts` in a process that nobody hears."""
    log.append([log.Draft(room=ROOM, text=text, person=ANN) for text in texts])


@transaction.atomic
def set_back(to: int, *said_since: str) -> None:
    if to:
        models.Message.objects.filter(room__name=ROOM.name, offset__gt=to).delete()
        models.Room.objects.filter(name=ROOM.name).update(last_offset=to)
    else:
        models.Room.objects.filter(name=ROOM.name).delete()
    if said_since:
        store(*said_since)


@pytest.mark.parametrize("redis_url", [None, "redis://127.0.0.1:1/0"], ids=["with Redis", "without Redis"])
async def test_listeners_of_every_instance_start_over_when_the_log_goes_back(
    start_servers, redis_url: str | None
) -> None:
    environment = {"REDIS_URL": redis_url} if redis_url else {}
    servers = await asyncio.to_thread(start_servers, 3, **environment)
    await in_database(store, "one", "two", "three", "four", "five")
    async with Browser(servers[0]) as one, Browser(servers[1]) as two, Browser(servers[2]) as three:
        browsers = [one, two, three]
        await one.say("six")
        assert [await browser.hear() for browser in browsers] == [("message", 6, "six")] * 3
        left_at = one.position

        await in_database(set_back, 3)
        await two.say("four again")
        for browser in browsers:
            kind, offset, _ = await browser.hear()
            assert kind == "start_over"
            if offset == 3:  # else it was told by looking, and has it in the history
                assert await browser.hear() == ("message", 4, "four again")
            else:
                assert offset == 4

        await in_database(set_back, 2, "three, for the third time", "four too", "five too")
        for browser in browsers:
            assert (await browser.hear())[:2] == ("start_over", 5)

        await in_database(set_back, 0)
        for browser in browsers:
            assert (await browser.hear())[:2] == ("start_over", 0)
        await three.say("the first")
        assert [await browser.hear() for browser in browsers] == [("message", 1, "the first")] * 3

        await in_database(store, *"23456789")
        async with Browser(servers[1], left_at) as back:
            assert (await back.hear())[:2] == ("start_over", 9)
