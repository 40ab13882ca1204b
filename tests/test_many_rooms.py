"""Posts in many rooms at once, through several server processes, and with connections to the database that fail."""

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import websockets

from benchmarks.slow_proxy import SlowProxy
from tests.servers import Server

ROOMS = 20
POSTS = 4  # by each of the people, of whom each server has one in each room: 240 posts
TIMEOUT = 60.0  # seconds for all posts of a test
HUNG = 5.0  # seconds after which a lane is given up; as chat.storage.lanes.CALL_TIMEOUT


@pytest.fixture(params=["the tests' database", "PostgreSQL at a distance"])
def three_servers(request: pytest.FixtureRequest, start_servers: Callable[..., list[Server]]) -> Iterator[list[Server]]:
    if request.param == "the tests' database":
        yield start_servers(3)
    else:
        url, _ = request.getfixturevalue("far_postgresql")
        yield start_servers(3, DATABASE_URL=url)


class Participant:
    """Somebody in a room who posts, and notes all that is said there."""

    def __init__(self, socket: websockets.ClientConnection, name: str) -> None:
        self.socket = socket
        self.name = name
        self.heard: list[tuple[int, str, str]] = []  # offset, id, client id
        self.acknowledged: dict[str, int] = {}  # offsets, by client id
        self.waits: list[float] = []  # seconds for each acknowledgement

    async def post(self, client_id: str) -> None:
        """Posts until it is acknowledged, as a client does that keeps what it couldn't send."""
        started = time.monotonic()
        while True:
            await self.socket.send(json.dumps({"message": f"{self.name} {client_id}", "client_id": client_id}))
            if await self._answer(client_id):
                self.waits.append(time.monotonic() - started)
                return
            await asyncio.sleep(0.1)

    async def _answer(self, client_id: str) -> bool:
        """Whether the post was stored; False if it may be tried again."""
        while client_id not in self.acknowledged:
            frame = json.loads(await self.socket.recv())
            if "error" in frame or frame.get("kind") == "error":
                return False
            self._note(frame)
        return True

    async def hear(self, count: int) -> None:
        while len(self.heard) < count:
            self._note(json.loads(await self.socket.recv()))

    def _note(self, frame: dict) -> None:
        if frame.get("offset") is None or frame.get("kind") != "message":
            return
        if frame["offset"] in [offset for offset, _, _ in self.heard]:
            assert frame.get("client_id") in self.acknowledged or frame["client_id"].startswith(self.name)
            self.acknowledged[frame["client_id"]] = frame["offset"]  # told again, to one who has sent again
            return
        self.heard.append((frame["offset"], frame["id"], frame["client_id"]))
        if frame["client_id"].startswith(f"{self.name}-"):
            self.acknowledged[frame["client_id"]] = frame["offset"]


@contextlib.asynccontextmanager
async def participants(servers: list[Server], rooms: list[str]) -> AsyncIterator[dict[str, list[Participant]]]:
    """One in each room at each server, by room."""
    async with contextlib.AsyncExitStack() as stack:
        found: dict[str, list[Participant]] = {room: [] for room in rooms}
        for room in rooms:
            for number, server in enumerate(servers):
                socket = await stack.enter_async_context(
                    websockets.connect(f"ws://{server.host}/ws/chat/{room}/", origin=f"http://{server.host}")
                )
                found[room].append(Participant(socket, f"{room}-{number}"))
        yield found


def assert_all_is_there(everybody: dict[str, list[Participant]], posts: int) -> None:
    """Each listener has heard each post once, in the order of the offsets, as all others have; none is missing."""
    for here in everybody.values():
        assert len({tuple(one.heard) for one in here}) == 1
        heard = here[0].heard
        assert [offset for offset, _, _ in heard] == list(range(1, posts * len(here) + 1))
        assert max(Counter(client_id for _, _, client_id in heard).values()) == 1
        for one in here:
            offsets = [one.acknowledged[f"{one.name}-{number}"] for number in range(posts)]
            assert offsets == sorted(offsets)
            assert {(offset, id) for id, offset in one.acknowledged.items()} <= {(at, id) for at, _, id in heard}


async def test_concurrent_posts_in_many_rooms_through_several_processes_are_complete_and_in_order(
    three_servers: list[Server],
) -> None:
    rooms = [f"{number}-{name}" for number in range(ROOMS // 4) for name in ("a", "B", "_", "z")]

    async def post_all(one: Participant) -> None:
        for number in range(POSTS):
            await one.post(f"{one.name}-{number}")

    async with asyncio.timeout(TIMEOUT), participants(three_servers, rooms) as everybody:
        await asyncio.gather(*(post_all(one) for here in everybody.values() for one in here))
        await asyncio.gather(*(one.hear(POSTS * 3) for here in everybody.values() for one in here))
        assert_all_is_there(everybody, POSTS)


@pytest.mark.parametrize("fault", ["cut", "black_hole"])
async def test_connections_that_fail_one_after_the_other_lose_and_double_nothing_and_let_others_go_on(
    far_postgresql: tuple[str, SlowProxy], start_servers: Callable[..., list[Server]], fault: str
) -> None:
    url, proxy = far_postgresql
    (server,) = start_servers(1, DATABASE_URL=url)
    rooms = [f"room{number}" for number in range(8)]
    enough = asyncio.Event()
    async with asyncio.timeout(TIMEOUT), participants([server], rooms) as everybody:
        counts: dict[str, int] = {}

        async def post_on(one: Participant) -> None:
            number = 0
            while not enough.is_set():
                await one.post(f"{one.name}-{number}")
                number += 1
            counts[one.name] = number

        def went_on(before: dict[str, int]) -> int:
            return sum(len(one.acknowledged) > before[one.name] for (one,) in everybody.values())

        posting = [asyncio.create_task(post_on(one)) for (one,) in everybody.values()]
        await asyncio.sleep(0.5)
        for _ in range(3):
            busiest = max(proxy.connections, key=lambda connection: connection.passed)
            before = {one.name: len(one.acknowledged) for (one,) in everybody.values()}
            getattr(proxy, fault)(busiest)
            async with asyncio.timeout(HUNG - 1):
                while went_on(before) < 2:  # those in the other lane
                    await asyncio.sleep(0.05)
            while went_on(before) < len(everybody):
                await asyncio.sleep(0.05)
        enough.set()
        await asyncio.gather(*posting)
        for (one,) in everybody.values():
            assert [offset for offset, _, _ in one.heard] == list(range(1, counts[one.name] + 1))
            assert [id for _, _, id in one.heard] == [f"{one.name}-{number}" for number in range(counts[one.name])]
            assert max(one.waits) < 2 * HUNG + 3
