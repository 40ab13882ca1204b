"""An instance of the previous release beside one of this one, in the same rooms, as during a deploy."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import websockets
from channels.layers import get_channel_layer
from django.conf import settings

from chat import models
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import log
from chat.storage.database import in_database
from tests.servers import ROOT, Server

PREVIOUS = "57f218c"  # the commit of the release that may run beside this one
ROOM = find("deploy")
LIMITS = {"CHAT_FRAME_MAX": "64000", "CHAT_BODY_MAX": "64000"}  # the previous release takes no empty values


@pytest.fixture
def instances(transactional_db: None, tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """An instance of the previous release and one of this one, on one database and one Valkey."""
    archive = subprocess.run(["git", "archive", PREVIOUS], cwd=ROOT, capture_output=True, check=False)
    assert archive.returncode == 0, f"The previous release, {PREVIOUS}, is not in this clone: git fetch --unshallow"
    subprocess.run(["tar", "-x"], cwd=tmp_path, input=archive.stdout, check=True)
    get_channel_layer()  # which starts the embedded Valkey
    with ExitStack() as stack:
        old, new = (
            stack.enter_context(Server(root=root, REDIS_URL=",".join(settings.REDIS_URLS), DEBUG="true", **LIMITS))
            for root in (tmp_path, ROOT)
        )
        for server in (old, new):
            server.wait_until_it_answers()
        yield old, new


def browser(server: Server, query: str = "") -> websockets.connect:
    return websockets.connect(f"ws://{server.host}/ws/chat/deploy/{query}", origin=f"http://{server.host}")


async def hear(socket: websockets.ClientConnection) -> dict:
    async with asyncio.timeout(5):
        return json.loads(await socket.recv())


def store_unknown() -> None:
    """Stores an entry of an unknown kind, as an instance of a later release may."""
    draft = log.Draft(room=ROOM, text="of a newer release", person=Person(id="user-1", name="Ann"))
    event = log.append([draft])[0].event  # type: ignore[union-attr]
    models.Message.objects.filter(room__name=ROOM.name, offset=event.offset).update(kind="poll")


async def test_instances_of_two_releases_exchange_messages_without_starting_over(
    instances: tuple[Server, Server],
) -> None:
    async with browser(instances[0]) as old, browser(instances[1]) as new:
        for number in range(1, 21):
            poster = (old, new)[number % 3 == 0]
            await poster.send(json.dumps({"message": str(number)}))
            heard = [await hear(socket) for socket in (old, new)]
            assert [(frame["kind"], frame["offset"], frame["message"]) for frame in heard] == [
                ("message", number, str(number))
            ] * 2
        position = f"?after={heard[1]['offset']}&id={heard[1]['id']}"
    async with browser(instances[1], position) as new, browser(instances[0], position) as old:
        await old.send(json.dumps({"message": "back"}))
        assert [(await hear(socket))["offset"] for socket in (old, new)] == [21, 21]


async def test_entry_of_an_unknown_kind_stops_no_listener_of_a_server(instances: tuple[Server, Server]) -> None:
    async with browser(instances[1]) as new:
        await new.send(json.dumps({"message": "one"}))
        assert (await hear(new))["offset"] == 1
        await in_database(store_unknown)
        await new.send(json.dumps({"message": "three"}))
        assert (await hear(new))["offset"] == 3
    async with browser(instances[1], "?after=0") as new:
        assert [(await hear(new))["offset"] for _ in range(2)] == [1, 3]
