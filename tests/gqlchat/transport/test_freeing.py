"""A closed connection and an ended subscription leave nothing for the garbage collector, which may come late."""

import gc
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from pytest_django import Settings
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import Operation

from chat.connections.event_streams import EventStream as Stream
from chat.connections.sockets import Socket, Sockets
from chat.consumers import ChatConsumer
from chat.delivery.listener import Listener
from chat.delivery.rooms.source import presences
from gqlchat.guards.documents import CACHED_LENGTH
from gqlchat.transport.consumers import ChatGraphQLWSConsumer
from gqlchat.transport.following import Following
from gqlchat.transport.protocols import WebSocketAdapter
from gqlchat.transport.streams import StreamConsumer
from mysite.asgi import application
from tests.conftest import JOIN, ChatSocket, GraphQLSocket
from tests.event_stream import EventStream

OpenGraphQL = Callable[..., Awaitable[GraphQLSocket]]
Eventually = Callable[[Callable[[], Any]], Awaitable[None]]
LOOK = 'roomPresence(roomName: "room1") { count }'
OF_A_SUBSCRIPTION = (Listener, Operation)
OF_A_CONNECTION = (*OF_A_SUBSCRIPTION, ChatGraphQLWSConsumer, Following, Socket, WebSocketAdapter)
OF_A_STREAM = (Listener, StreamConsumer, Socket, Stream)


def is_context(one: object) -> bool:
    """Whether it is Strawberry's context of a WebSocket connection, or of an operation there."""
    return type(one) is dict and isinstance(dict.get(one, "ws"), ChatGraphQLWSConsumer)


def objects(kinds: tuple[type, ...]) -> list[Any]:
    """The objects of these kinds, and with those of a connection its contexts."""
    contexts = ChatGraphQLWSConsumer in kinds
    # By type, since `isinstance` asks lazy objects of other tests for what they stand for.
    return [one for one in gc.get_objects() if issubclass(type(one), kinds) or (contexts and is_context(one))]


Left = Callable[[tuple[type, ...]], list[str]]


@pytest.fixture
def left() -> Iterator[Left]:
    """Tells which objects of these kinds there are since the test began. The garbage collector is off meanwhile."""
    gc.collect()
    gc.disable()
    gc.freeze()  # what there is already is not looked at, which would take long
    try:
        yield lambda kinds: [repr(one)[:200] for one in objects(kinds)]
    finally:
        gc.unfreeze()
        gc.enable()


async def close_by_server(graphql: GraphQLSocket) -> None:
    (socket,) = Sockets.here()
    await socket.close(1012, "restarting")
    while (await graphql.receive_output(timeout=5))["type"] != "websocket.close":
        pass
    await graphql.disconnect()  # by which a server tells the application


async def complete(graphql: GraphQLSocket) -> None:
    kind = "complete" if graphql.protocol == "graphql-transport-ws" else "stop"
    for id in "12":
        await graphql.send_json_to({"type": kind, "id": id})


async def complete_and_go(graphql: GraphQLSocket) -> None:
    await complete(graphql)
    await graphql.disconnect()


@pytest.mark.parametrize("padding", [0, CACHED_LENGTH], ids=["shared", "own"])
@pytest.mark.parametrize("direct", [True, False], ids=["direct", "send"])
@pytest.mark.parametrize("end", [GraphQLSocket.disconnect, close_by_server, complete_and_go])
async def test_closed_connection_is_freed_without_the_garbage_collector(
    left: Left,
    open_graphql: OpenGraphQL,
    eventually: Eventually,
    subprotocol: str,
    padding: int,
    direct: bool,
    end: Any,
) -> None:
    graphql = await open_graphql(subprotocol, direct=direct)
    for id in "12":
        await graphql.start(JOIN + " " * padding, {"rooms": [{"roomName": f"room{id}"}]}, id)
        await graphql.hear(id)
    assert left(OF_A_CONNECTION)
    await end(graphql)
    await eventually(lambda: not left(OF_A_CONNECTION))


@pytest.mark.parametrize("padding", [0, CACHED_LENGTH], ids=["shared", "own"])
async def test_ended_subscription_is_freed_while_its_connection_stays(
    left: Left, open_graphql: OpenGraphQL, eventually: Eventually, subprotocol: str, padding: int
) -> None:
    graphql = await open_graphql(subprotocol)
    for id in "12":
        await graphql.start(JOIN + " " * padding, {"rooms": [{"roomName": f"room{id}"}]}, id)
        await graphql.hear(id)
    await complete(graphql)
    await eventually(lambda: not left(OF_A_SUBSCRIPTION))


@pytest.mark.parametrize("padding", [0, CACHED_LENGTH], ids=["shared", "own"])
async def test_ended_look_at_presence_is_freed_while_its_connection_stays(
    left: Left, open_graphql: OpenGraphQL, eventually: Eventually, subprotocol: str, padding: int
) -> None:
    graphql = await open_graphql(subprotocol)
    for id, field in (("2", 'roomTyping(roomName: "room1") { people { id } }'), ("1", LOOK)):
        await graphql.start(f"subscription {{ {field} }}" + " " * padding, id=id)
    await graphql.result()
    await complete(graphql)
    await eventually(lambda: not left(OF_A_SUBSCRIPTION))
    await eventually(lambda: not len(presences()))


async def test_refused_connection_is_freed_without_the_garbage_collector(
    left: Left, eventually: Eventually, subprotocol: str, settings: Settings
) -> None:
    settings.CHAT_INIT_TIMEOUT = 0.05
    socket = WebsocketCommunicator(application, "/graphql", subprotocols=[subprotocol])
    assert (await socket.connect(timeout=5))[0]
    assert (await socket.receive_output(timeout=5))["code"] == 4408
    await socket.disconnect()
    await eventually(lambda: not left(OF_A_CONNECTION))


@pytest.mark.parametrize("padding", [0, CACHED_LENGTH], ids=["shared", "own"])
@pytest.mark.parametrize("direct", [True, False], ids=["direct", "send"])
async def test_event_stream_whose_client_goes_is_freed_without_the_garbage_collector(
    left: Left, eventually: Eventually, padding: int, direct: bool
) -> None:
    variables = {"rooms": [{"roomName": "room1"}]}
    stream = await EventStream({"query": JOIN + " " * padding, "variables": variables}, direct=direct).open()
    await stream.result()
    assert left(OF_A_STREAM)
    await stream.leave()
    await eventually(lambda: not left(OF_A_STREAM))


async def test_stream_of_a_rooms_frames_is_freed_without_the_garbage_collector(
    left: Left, eventually: Eventually, open_chat: Callable[..., Awaitable[ChatSocket]]
) -> None:
    stream = await EventStream(method="GET", path="/chat/room1/events/", after="0").open()
    browser = await open_chat("/ws/chat/room1/")
    await browser.say("hi")
    assert await stream.next()
    await browser.disconnect()
    kinds = (Listener, ChatConsumer, Socket, Stream)
    assert left(kinds)
    await stream.leave()
    await eventually(lambda: not left(kinds))
