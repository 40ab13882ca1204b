"""Two site processes on two Valkeys, one of which is killed or stopped: its rooms go on as without Redis, the others
as if nothing had been."""

import asyncio
import contextlib
import itertools
import json
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from signal import Signals
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer
from websockets import ClientConnection, Subprotocol, connect

from chat.domain.rooms import Room, find
from mysite.channel_layer import RedisChannelLayer
from tests.chaos.site import Valkey
from tests.servers import Server
from tests.test_ended_logins import close_code, log_out, open_both_doors, someone

LIVE_WITHIN = 0.3  # seconds, half of the messages; by way of the database it takes half a second on average
HEARD_WITHIN = 3.0  # seconds; two are promised, and the machine may be busy
LISTEN = "subscription ($rooms: [RoomPosition!]!) { roomMessages(rooms: $rooms) { offset message } }"

Fault = Callable[[Valkey], Awaitable[Any]]


async def kill(valkey: Valkey) -> None:
    await valkey.stop(Signals.SIGKILL)


async def start_again(valkey: Valkey) -> None:
    await valkey.start()


async def halt(valkey: Valkey) -> None:
    valkey.send(Signals.SIGSTOP)


async def go_on(valkey: Valkey) -> None:
    valkey.send(Signals.SIGCONT)


FAULTS = pytest.mark.parametrize(("fault", "remedy"), [(kill, start_again), (halt, go_on)], ids=["killed", "stopped"])


@pytest.fixture
async def valkeys(tmp_path: Any) -> AsyncIterator[list[Valkey]]:
    with (tmp_path / "valkey.log").open("ab") as log:
        found = [Valkey(log) for _ in range(2)]
        try:
            for one in found:
                await one.start()
            yield found
        finally:
            for one in found:
                one.end()


def redis_url(valkeys: list[Valkey]) -> str:
    return ",".join(one.url for one in valkeys)


def rooms_on(valkeys: list[Valkey], server: int) -> list[Room]:
    """A room of each kind of group, `chat_<name>` and `chat.<hash>`, whose groups are on that server."""
    layer = RedisChannelLayer(hosts=[one.url for one in valkeys])
    names = [(f"plain-{number}" for number in range(100)), (f"größe/木 {number}" for number in range(100))]
    return [next(room for room in map(find, some) if layer.server_of(room.group) == server) for some in names]


@dataclass
class Ear:
    """A listener of one room at one door of one process."""

    socket: ClientConnection
    offsets: list[int] = field(default_factory=list)
    texts: dict[str, float] = field(default_factory=dict)  # with when they were heard

    async def listen(self) -> None:
        async for text in self.socket:
            frame = json.loads(text)
            if "type" in frame:
                if frame["type"] != "next":
                    continue
                frame = frame["payload"]["data"]["roomMessages"]
            self.texts[frame["message"]] = time.monotonic()
            if frame["offset"] is not None:
                self.offsets.append(frame["offset"])


@dataclass
class Talk:
    """One room, with listeners at both doors of both processes; the first of them speaks."""

    room: Room
    ears: list[Ear]
    said: int = 0

    async def say(self) -> float:
        """Says something. Returns after how many seconds all have heard it."""
        self.said += 1
        text, said_at = f"message {self.said}", time.monotonic()
        await self.ears[0].socket.send(json.dumps({"message": text}))
        await self.until_heard(text)
        return max(ear.texts[text] for ear in self.ears) - said_at

    async def until_heard(self, text: str) -> None:
        async with asyncio.timeout(10):
            while not all(text in ear.texts for ear in self.ears):
                await asyncio.sleep(0.005)

    async def say_some(self, count: int) -> list[float]:
        return [await self.say() for _ in range(count)]


@contextlib.asynccontextmanager
async def talks_in(rooms: list[Room], servers: list[Server]) -> AsyncIterator[list[Talk]]:
    async with contextlib.AsyncExitStack() as stack:
        listening = await stack.enter_async_context(asyncio.TaskGroup())
        talks = []
        for room in rooms:
            talk = Talk(room, [])
            for server in servers:
                url = f"ws://{server.host}/ws/chat/{quote(room.name, safe='')}/"
                browser = await stack.enter_async_context(connect(url))
                protocol = Subprotocol("graphql-transport-ws")
                graphql = await stack.enter_async_context(
                    connect(f"ws://{server.host}/graphql", subprotocols=[protocol])
                )
                await graphql.send(json.dumps({"type": "connection_init"}))
                variables = {"rooms": [{"roomName": room.name, "after": 0}]}
                payload = {"query": LISTEN, "variables": variables}
                await graphql.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
                talk.ears += [Ear(browser), Ear(graphql)]
            for ear in talk.ears:
                listening.create_task(ear.listen())
            talks.append(talk)
        yield talks


async def redis_of(server: Server) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"http://{server.host}/readyz") as answer:
        state: str = (await answer.json())["redis"]
        return state


async def foreign_send_is_heard(talks: list[Talk], valkeys: list[Valkey]) -> None:
    """Sends live events as a foreign program does, until everybody has heard one in each room."""
    layer = RedisPubSubChannelLayer(hosts=[one.url for one in valkeys])
    async with asyncio.timeout(10):
        for number in itertools.count():
            text = f"foreign {time.monotonic()} {number}"
            for talk in talks:
                event = {"type": "chat.message", "room_id": talk.room.group, "message": text}
                await layer.group_send(talk.room.group, event)
            await asyncio.sleep(0.3)
            if all(text in ear.texts for talk in talks for ear in talk.ears):
                break
    await layer.flush()


@FAULTS
async def test_rooms_of_other_servers_stay_live_and_those_of_a_lost_one_go_on_by_the_database(
    valkeys: list[Valkey], start_servers: Callable[..., list[Server]], fault: Fault, remedy: Fault
) -> None:
    servers = await asyncio.to_thread(start_servers, 2, REDIS_URL=redis_url(valkeys))
    theirs, others = rooms_on(valkeys, 0), rooms_on(valkeys, 1)
    async with talks_in([*theirs, *others], servers) as talks:
        lost, live = talks[:2], talks[2:]
        for delays in await asyncio.gather(*(talk.say_some(5) for talk in talks)):
            assert statistics.median(delays) < LIVE_WITHIN
        await foreign_send_is_heard(talks, valkeys)

        await fault(valkeys[0])
        delays = await asyncio.gather(*(talk.say_some(5) for talk in lost), *(talk.say_some(20) for talk in live))
        delays_of_lost, delays_of_live = delays[:2], delays[2:]
        assert all(delay < HEARD_WITHIN for delays in delays_of_lost for delay in delays)
        assert all(statistics.median(delays) < LIVE_WITHIN for delays in delays_of_live)
        await foreign_send_is_heard(live, valkeys)
        for server in servers:
            assert (await redis_of(server)).startswith("away: 1 of 2 servers")

        await remedy(valkeys[0])
        async with asyncio.timeout(10):
            while [await redis_of(server) for server in servers] != ["ok", "ok"]:
                await asyncio.sleep(0.1)
        await foreign_send_is_heard(talks, valkeys)
        for delays in await asyncio.gather(*(talk.say_some(5) for talk in talks)):
            assert statistics.median(delays) < LIVE_WITHIN
        for talk in talks:
            for ear in talk.ears:
                assert ear.offsets == [*range(1, talk.said + 1)]
                await ear.socket.close()


@FAULTS
async def test_process_that_starts_while_a_server_is_away_joins_the_rooms_of_the_others_at_once(
    valkeys: list[Valkey], start_servers: Callable[..., list[Server]], fault: Fault, remedy: Fault
) -> None:
    await fault(valkeys[0])
    servers = await asyncio.to_thread(start_servers, 2, REDIS_URL=redis_url(valkeys))
    lost, live = rooms_on(valkeys, 0), rooms_on(valkeys, 1)
    async with talks_in([*live, *lost], servers) as talks:
        for delays in await asyncio.gather(*(talk.say_some(10) for talk in talks[:2])):
            assert statistics.median(delays) < LIVE_WITHIN
        await foreign_send_is_heard(talks[:2], valkeys)
        for delays in await asyncio.gather(*(talk.say_some(3) for talk in talks[2:])):
            assert all(delay < HEARD_WITHIN for delay in delays)
        await remedy(valkeys[0])
        await foreign_send_is_heard(talks, valkeys)
        for talk in talks:
            for ear in talk.ears:
                assert ear.offsets == [*range(1, talk.said + 1)]
                await ear.socket.close()


@pytest.mark.parametrize("away", [0, 1])
@FAULTS
async def test_logout_closes_sockets_of_other_processes_whichever_server_is_away(
    valkeys: list[Valkey], start_servers: Callable[..., list[Server]], fault: Fault, remedy: Fault, away: int
) -> None:
    here, there = await asyncio.to_thread(start_servers, 2, REDIS_URL=redis_url(valkeys), CHAT_SESSION_CHECK="3600")
    _, cookie = await someone()
    sockets = [*await open_both_doors(here, cookie), *await open_both_doors(there, cookie)]
    await fault(valkeys[away])

    await log_out(here, cookie)

    assert await asyncio.gather(*map(close_code, sockets)) == [4401] * 4
