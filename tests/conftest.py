"""Fixtures of all tests: the site's sockets in this process, and real server processes."""

import asyncio
import contextlib
import inspect
import io
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import termios
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.layers import get_channel_layer
from channels.testing import HttpCommunicator, WebsocketCommunicator
from django.conf import settings
from django.db import connections
from strawberry.channels.testing import GraphQLWebsocketCommunicator

from benchmarks.slow_proxy import SlowProxy
from chat.delivery.hub import Hub
from chat.delivery.listener import Listener
from chat.delivery.text_frames import text_of
from chat.domain.rooms import find
from chat.storage.lanes import Lanes
from mysite.asgi import application
from mysite.page_connection import PageConnection
from tests.postgres import postgres
from tests.servers import ROOT, UVICORN, Server, environment

# Tests fill tables by statements that take longer, on a busy machine, than a page may wait.
PageConnection.wait_timeout = None

JOIN = """subscription Join($rooms: [ChatRoom!]!, $user: String! = "foo") {
    joinChatRooms(rooms: $rooms, user: $user) { roomName message currentUser kind }
}"""
SEND = "mutation Send($room: ChatRoom!, $message: String!) { sendChatMessage(room: $room, message: $message) }"


class SlowServer:
    """The site behind a server whose client takes frames only while `taking` is set."""

    def __init__(self, application: Any, *, taking: bool = False) -> None:
        self.application = application
        self.taking = asyncio.Event()
        if taking:
            self.taking.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def slow_send(message: Any) -> None:
            if message["type"] in {"websocket.send", "http.response.body"}:
                await self.taking.wait()
            await send(message)

        await self.application(scope, receive, slow_send)


def take_frames(socket: WebsocketCommunicator) -> None:
    """Has a socket take ready-made frames, like those of `mysite.websocket`; before it connects."""

    def write_frame(frame: bytes) -> bool:
        socket.output_queue.put_nowait({"type": "websocket.send", "text": text_of(frame)})
        return True

    socket.scope["write_frame"] = write_frame


def live_listeners() -> set[Listener]:
    """The listeners in this process that hear what is said from now on, and have recovered what they missed."""
    listeners = {one for feed in Hub.here()._feeds.values() for one in feed.listeners}
    return {one for one in listeners if isinstance(one, Listener) and one._held is None}


class ChatSocket(WebsocketCommunicator):
    """A browser's socket, without the browser. Once it is connected it hears what is said from then on."""

    async def say(self, message: object) -> None:
        await self.send_json_to({"message": message})

    async def hear(self) -> str:
        return (await self.receive_json_from(timeout=5))["message"]

    async def frame(self, *kinds: str) -> dict[str, Any]:
        """The next frame of one of these kinds; others may come in between."""
        while True:
            frame: dict[str, Any] = await self.receive_json_from(timeout=5)
            if frame.get("kind") in kinds:
                return frame

    async def live(self) -> None:
        """Waits until it has recovered, with nothing missed: its frames are handled after that, one by one."""
        await self.send_json_to({"ping": 1})
        assert await self.receive_json_from(timeout=5) == {"pong": 1}


class GraphQLSocket(GraphQLWebsocketCommunicator):
    """A GraphQL client, of whichever subprotocol."""

    async def join(self, *rooms: str, user: str = "foo", id: str = "1") -> None:
        """Subscribes to `rooms` and waits until each is joined and greeted."""
        await self.start(JOIN, {"rooms": [{"roomName": room} for room in rooms], "user": user}, id)
        for room in rooms:
            assert await self.hear(id) == (room, f"Hello my name is {user}!")

    async def start(self, query: str, variables: dict[str, Any] | None = None, id: str = "1") -> None:
        """Starts an operation. What is said right after this may come before it hears anything: see `subscribe`."""
        await self.begin({"query": query, "variables": variables}, id)

    async def subscribe(self, query: str, variables: dict[str, Any] | None = None, id: str = "1") -> None:
        """Subscribes and waits until it hears what is said from now on, or has been answered."""
        before, answers = live_listeners(), self.output_queue.qsize()
        await self.start(query, variables, id)
        async with asyncio.timeout(5):
            while live_listeners() <= before and self.output_queue.qsize() == answers:
                await asyncio.sleep(0.001)

    async def begin(self, payload: dict[str, Any], id: str = "1") -> None:
        """Begins an operation with that payload."""
        start = "subscribe" if self.protocol == "graphql-transport-ws" else "start"
        await self.send_json_to({"type": start, "id": id, "payload": payload})

    async def result(self, id: str = "1") -> dict[str, Any]:
        """The next result of operation `id`, which has to be the next frame."""
        frame = await self.receive_json_from(timeout=5)
        assert frame["type"] in {"next", "data"}, frame
        assert frame["id"] == id, frame
        return frame["payload"]

    async def hear(self, id: str = "1") -> tuple[str, str]:
        """Room and text of the next message of subscription `id`."""
        message = (await self.result(id))["data"]["joinChatRooms"]
        return message["roomName"], message["message"]


PATIENCE = 20  # seconds
receive_output = ApplicationCommunicator.receive_output


def receive_patiently(communicator: ApplicationCommunicator, timeout: float = 1) -> Awaitable[Any]:
    """What the application sends next. A second, after which communicators give up, is little on a busy machine."""
    return receive_output(communicator, max(timeout, PATIENCE))


get_response = HttpCommunicator.get_response


async def get_response_and_end(communicator: HttpCommunicator, **options: Any) -> dict[str, Any]:
    """The response, once the application has ended, too.

    A test that is over cancels what still runs. Pages close their connection last, and one that isn't closed is lost
    to the pool.
    """
    response = await get_response(communicator, **options)
    await communicator.wait(PATIENCE)
    return response


def pytest_configure() -> None:
    ApplicationCommunicator.receive_output = receive_patiently
    HttpCommunicator.get_response = get_response_and_end
    # A run that was started in the background has SIGINT ignored, and so would the servers under test.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure(config: pytest.Config) -> None:
    logging.getLogger("mysite.valkey").disabled = True  # it misses its folder, in the second that is left
    if place := getattr(settings, "PLACE", None):  # under the tests' settings
        shutil.rmtree(ROOT / place, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks asynchronous tests as using the database, since Channels closes old connections in every consumer."""
    for item in items:
        if inspect.iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Closes the connections of other threads: PostgreSQL drops no database that has connections."""
    yield
    Lanes.disconnect()
    asyncio.run(sync_to_async(connections.close_all)())


async def close(socket: WebsocketCommunicator) -> None:
    if not socket.future.cancelled():
        await socket.disconnect(timeout=5)


@pytest.fixture
async def open_chat() -> AsyncIterator[Callable[..., Awaitable[ChatSocket]]]:
    """`await open_chat("/ws/chat/room1/")`: a connected browser socket, closed after the test.

    With `direct=True` it takes ready-made frames.
    """
    async with contextlib.AsyncExitStack() as stack:

        async def connect(path: str, *, direct: bool = False, **kwargs: Any) -> ChatSocket:
            socket = ChatSocket(application, path, **kwargs)
            if direct:
                take_frames(socket)
            connected, _ = await socket.connect(timeout=5)
            assert connected
            stack.push_async_callback(close, socket)
            return socket

        yield connect


@pytest.fixture(params=["graphql-transport-ws", "graphql-ws"])
def subprotocol(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
async def open_graphql() -> AsyncIterator[Callable[..., Awaitable[GraphQLSocket]]]:
    """`await open_graphql()`: a GraphQL connection that has been acknowledged, closed after the test.

    With `direct=True` it takes ready-made frames. `headers` has cookies, for a person.
    """
    async with contextlib.AsyncExitStack() as stack:

        async def connect(
            protocol: str = "graphql-transport-ws",
            application: Any = application,
            *,
            direct: bool = False,
            headers: list[tuple[bytes, bytes]] | None = None,
        ) -> GraphQLSocket:
            socket = GraphQLSocket(application, "/graphql", protocol=protocol, headers=headers, subprotocols=[])
            if direct:
                take_frames(socket)
            await socket.gql_init()
            stack.push_async_callback(close, socket)
            return socket

        yield connect


@pytest.fixture
def written_log() -> Iterator[io.StringIO]:
    """The text that this process logs from now on."""
    (handler,) = [one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler]
    log = io.StringIO()
    stderr = handler.setStream(log)
    yield log
    handler.setStream(stderr)


@pytest.fixture
def foreign_send() -> Callable[..., Awaitable[None]]:
    """Sends to a room's group like a foreign program without this site's code."""

    async def send(room: str, **event: Any) -> None:
        group = find(room).group
        await get_channel_layer().group_send(group, {"type": "chat.message", "room_id": group, **event})

    return send


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Awaitable[None]]:
    """Waits until a condition holds; fails when it doesn't within five seconds."""

    async def wait(condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def hub() -> Callable[[], Hub]:
    return Hub.here


@pytest.fixture
def start_servers(transactional_db: None) -> Iterator[Callable[[int], list[Server]]]:
    """`start_servers(3)`: real server processes on ports of their own, stopped after the test."""
    with contextlib.ExitStack() as stack:

        def start(count: int, program: str = UVICORN, **environment: str) -> list[Server]:
            servers = [stack.enter_context(Server(program, **environment)) for _ in range(count)]
            for server in servers:
                server.wait_until_it_answers()
            return servers

        yield start


@pytest.fixture
def far_postgresql() -> Iterator[tuple[str, SlowProxy]]:
    """The URL of an empty database one millisecond away, and what is in between."""
    with postgres() as url, SlowProxy(urlsplit(url).path.rpartition("/")[0] + "/.s.PGSQL.5432", delay=0.001) as proxy:
        far = f"postgres://postgres@127.0.0.1:{proxy.port}/postgres"
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env=environment(DATABASE_URL=far), check=True)
        yield far, proxy


@pytest.fixture
def stopped_terminal() -> Iterator[int]:
    """A terminal on which somebody has pressed Ctrl+S: a command that shows its progress there waits for ever.

    So it has done its first piece of work, and never does the second, however slow the machine is.
    """
    screen, terminal = os.openpty()
    termios.tcflow(terminal, termios.TCOOFF)
    yield terminal
    os.close(terminal)
    os.close(screen)


def as_json(**data: Any) -> str:
    return json.dumps(data, ensure_ascii=False)
