"""Presence across real server processes: one is killed or stopped, Redis goes and comes back, one of two does."""

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import quote

from websockets import ClientConnection, ConnectionClosed, connect

from chat.domain.rooms import find
from mysite.channel_layer import RedisChannelLayer
from tests.servers import Server
from tests.test_previous_release import instances  # noqa: F401  (fixture)
from tests.test_several_redis import FAULTS, Fault, redis_url, valkeys  # noqa: F401  (fixture)

GONE_WITHIN = 30.0  # seconds after a process was killed
STOPPED_WITHIN = 5.0  # seconds after SIGTERM; a process takes its time to stop
KNOWN_WITHIN = 15.0  # seconds after a server of Redis went or came back; the machine may be busy


class Watcher:
    """A browser's socket that asks who is here, and the last that it was told."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.count = 0
        self.complete = False
        self.typing: list[str] = []

    async def listen(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in self.socket:
                frame = json.loads(text)
                if frame["kind"] == "presence":
                    self.count, self.complete = frame["count"], frame["complete"]
                elif frame["kind"] == "typing":
                    self.typing = [person["name"] for person in frame["people"]]

    async def until(self, count: int, complete: bool = True, within: float = KNOWN_WITHIN) -> float:
        """Waits until it is told that. Returns after how many seconds."""
        return await self.until_true(lambda: (self.count, self.complete) == (count, complete), within)

    async def until_true(self, condition: Callable[[], Any], within: float = KNOWN_WITHIN) -> float:
        began = time.monotonic()
        async with asyncio.timeout(within):
            while not condition():
                await asyncio.sleep(0.02)
        return time.monotonic() - began


@contextlib.asynccontextmanager
async def watchers(*servers: Server, room: str = "porch") -> AsyncIterator[list[Watcher]]:
    """One at each of the servers, each of them somebody else."""
    async with contextlib.AsyncExitStack() as stack:
        listening = await stack.enter_async_context(asyncio.TaskGroup())
        found = []
        for server in servers:
            url = f"ws://{server.host}/ws/chat/{quote(room, safe='')}/?with=presence,typing"
            watcher = Watcher(await stack.enter_async_context(connect(url, origin=f"http://{server.host}")))
            listening.create_task(watcher.listen())
            found.append(watcher)
        yield found
        for watcher in found:
            await watcher.socket.close()


async def test_people_of_a_killed_process_are_gone(start_servers: Callable[..., list[Server]]) -> None:
    servers = await asyncio.to_thread(start_servers, 2)
    async with watchers(*servers) as (here, there):
        for watcher in (here, there):
            await watcher.until(2)
        servers[1].process.kill()
        await here.until(1, within=GONE_WITHIN)


async def test_people_of_a_process_that_stops_are_gone_at_once(start_servers: Callable[..., list[Server]]) -> None:
    servers = await asyncio.to_thread(start_servers, 2)
    async with watchers(*servers) as (here, there):
        for watcher in (here, there):
            await watcher.until(2)
        servers[1].process.terminate()
        await here.until(1, within=STOPPED_WITHIN)


async def test_process_that_was_halted_is_heard_of_again(start_servers: Callable[..., list[Server]]) -> None:
    servers = await asyncio.to_thread(start_servers, 2)
    async with watchers(*servers) as (here, there):
        await here.until(2)
        servers[1].process.send_signal(signal.SIGSTOP)
        await here.until(1, within=GONE_WITHIN)
        servers[1].process.send_signal(signal.SIGCONT)
        await here.until(2)
        await there.until(2)


@FAULTS
async def test_each_process_tells_of_its_own_while_their_server_of_redis_is_away(
    valkeys: list[Any],  # noqa: F811
    start_servers: Callable[..., list[Server]],
    fault: Fault,
    remedy: Fault,
) -> None:
    servers = await asyncio.to_thread(start_servers, 2, REDIS_URL=redis_url(valkeys))
    names = [rooms_on(valkeys, server)[0] for server in range(2)]
    async with (
        watchers(*servers, room=names[0]) as (lost_here, lost_there),
        watchers(*servers, room=names[1]) as (here, there),
    ):
        for watcher in (lost_here, lost_there, here, there):
            await watcher.until(2)
        await fault(valkeys[0])
        for watcher in (lost_here, lost_there):
            await watcher.until(1, complete=False)
        async with watchers(servers[0], room=names[0]):
            await lost_here.until(2, complete=False)
        async with watchers(servers[0], room=names[1]):
            await there.until(3)
        await remedy(valkeys[0])
        for watcher in (lost_here, lost_there, here, there):
            await watcher.until(2)
        await there.socket.send(json.dumps({"typing": True}))
        await here.until_true(lambda: here.typing)
        await lost_there.socket.send(json.dumps({"typing": True}))
        await lost_here.until_true(lambda: lost_here.typing)


def rooms_on(valkeys: list[Any], server: int) -> list[str]:  # noqa: F811
    """Rooms of whose presence processes tell each other through that server."""
    layer = RedisChannelLayer(hosts=[one.url for one in valkeys])
    return [name for name in map("porch {}".format, range(50)) if layer.server_of(find(name).presence_group) == server]


async def test_instance_of_the_previous_release_hears_messages_and_nothing_of_presence(
    instances: tuple[Server, Server],  # noqa: F811
) -> None:
    old, new = instances
    async with (
        connect(f"ws://{old.host}/ws/chat/deploy/?with=presence", origin=f"http://{old.host}") as at_old,
        watchers(new, new, room="deploy") as (one, other),
    ):
        await one.until(2)
        await other.socket.send(json.dumps({"typing": True}))
        await one.until_true(lambda: one.typing)
        await at_old.send(json.dumps({"message": "hello"}))
        async with asyncio.timeout(5):
            assert json.loads(await at_old.recv())["message"] == "hello"
        await one.until(2)
