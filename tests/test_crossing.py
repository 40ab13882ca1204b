"""Messages from every door to every other, in one process and across three real ones."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
import websockets
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

from chat.domain.rooms import find
from tests.conftest import JOIN, SEND
from tests.servers import Server

ROOMS = ["room1", "café", "房间 1", "a-b", "a/b", "50% off", "🍓", "x" * 64]


@pytest.mark.parametrize("room", ROOMS)
async def test_browser_and_graphql_hear_each_other_in_rooms_of_any_name(open_chat, open_graphql, room: str) -> None:
    browser = await open_chat("/ws" + find(room).get_absolute_url())
    graphql, other = await open_graphql(), await open_graphql("graphql-ws")
    await graphql.join(room)
    assert await browser.hear() == "Hello my name is foo!"
    await other.join(room, user="bar")
    assert await browser.hear() == "Hello my name is bar!"
    assert await graphql.hear() == (room, "Hello my name is bar!")
    await browser.say("from the browser")
    assert await graphql.hear() == await other.hear() == (room, "from the browser")
    assert await browser.hear() == "from the browser"
    await graphql.start(SEND, {"room": {"roomName": f" {room} "}, "message": "from GraphQL"}, id="2")
    frames = [await graphql.receive_json_from(timeout=5) for _ in range(3)]
    assert {(frame["id"], frame["type"]) for frame in frames} == {("1", "next"), ("2", "next"), ("2", "complete")}
    assert await other.hear() == (room, "from GraphQL")
    assert await browser.hear() == "from GraphQL"


async def test_graphql_listener_of_many_rooms_hears_each_message_in_its_own_room(open_chat, open_graphql) -> None:
    graphql = await open_graphql()
    await graphql.join(*ROOMS)
    for room in ROOMS:
        await graphql.start(SEND, {"room": {"roomName": room}, "message": room}, id="2")
        frames = [await graphql.receive_json_from(timeout=5) for _ in range(3)]
        (said,) = [frame["payload"]["data"]["joinChatRooms"] for frame in frames if frame["id"] == "1"]
        assert (said["roomName"], said["message"]) == (room, room)


class Instance:
    """Clients of one server process."""

    def __init__(self, server: Server) -> None:
        self.host = server.host

    async def browser(self, room: str) -> websockets.ClientConnection:
        return await websockets.connect(f"ws://{self.host}/ws/chat/{room}/", origin=f"http://{self.host}")

    async def subscriber(self, room: str, heard: asyncio.Queue) -> None:
        async with Client(transport=WebsocketsTransport(url=f"ws://{self.host}/graphql")) as client:
            request = gql(JOIN)
            request.variable_values = {"rooms": [{"roomName": room}]}
            async for result in client.subscribe(request):
                heard.put_nowait(result["joinChatRooms"]["message"])

    async def send(self, room: str, message: str) -> None:
        body = {"query": SEND, "variables": {"room": {"roomName": room}, "message": message}}
        async with aiohttp.ClientSession() as session, session.post(f"http://{self.host}/graphql", json=body) as answer:
            assert await answer.json() == {"data": {"sendChatMessage": None}}


@pytest.fixture
async def instances(start_servers) -> AsyncIterator[list[Instance]]:
    return [Instance(server) for server in await asyncio.to_thread(start_servers, 3)]


async def test_three_server_processes_share_their_rooms(instances: list[Instance]) -> None:
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        browsers = [await instance.browser("room1") for instance in instances]
        queues: list[asyncio.Queue[str]] = [asyncio.Queue() for _ in instances]
        subscribers = []
        for instance, heard in zip(instances, queues, strict=True):
            subscribers.append(group.create_task(instance.subscriber("room1", heard)))
            assert await heard.get() == "Hello my name is foo!"
        said = []
        for number, (browser, instance) in enumerate(itertools.product(browsers, instances)):
            said += [f"{number} from a browser", f"{number} by mutation"]
            await browser.send(json.dumps({"message": said[-2]}))
            await instance.send("room1", said[-1])
        for heard in queues:
            messages = [message async for message in without_greetings(heard.get, len(said))]
            assert sorted(messages) == sorted(said)
        for browser in browsers:

            async def hear(browser=browser) -> str:
                return json.loads(await browser.recv())["message"]

            messages = [message async for message in without_greetings(hear, len(said))]
            assert sorted(messages) == sorted(said)
            await browser.close()
        for subscriber in subscribers:
            subscriber.cancel()


async def without_greetings(hear, count: int) -> AsyncIterator[str]:
    while count:
        message = await hear()
        if not message.startswith("Hello"):
            count -= 1
            yield message
