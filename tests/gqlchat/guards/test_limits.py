"""Limits of one connection, in both subprotocols."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from pytest_django import Settings

from mysite.asgi import application
from tests.conftest import JOIN, GraphQLSocket, SlowServer, as_json
from tests.doors import ROOM_MESSAGES
from tests.gqlchat.guards.test_complexity import listening

ME = "{ me { name } }"


def code_of(frame: dict[str, Any]) -> str:
    assert frame["type"] == "error"
    payload = frame["payload"]
    (error,) = payload if isinstance(payload, list) else [payload]
    return error["extensions"]["code"]


async def follow(graphql: GraphQLSocket, id: str, rooms: int = 1) -> None:
    await graphql.start(ROOM_MESSAGES, {"rooms": [{"roomName": f"room{n}"} for n in range(rooms)]}, id=id)


async def test_operations_of_a_connection_are_refused_above_the_limit_of_subscriptions(
    open_graphql, subprotocol: str, settings: Settings, foreign_send, eventually
) -> None:
    settings.CHAT_SUBSCRIPTIONS_PER_CONNECTION = 3
    graphql = await open_graphql(subprotocol)
    for id in "123":
        await follow(graphql, id)
    await follow(graphql, "4")
    frame = await graphql.receive_json_from(timeout=5)
    assert (frame["id"], code_of(frame)) == ("4", "too_many_subscriptions")
    await graphql.start(ME, id="5")
    assert code_of(await graphql.receive_json_from(timeout=5)) == "too_many_subscriptions"
    await graphql.send_json_to({"type": "complete" if "transport" in subprotocol else "stop", "id": "2"})
    if subprotocol == "graphql-ws":
        assert (await graphql.receive_json_from(timeout=5))["type"] == "complete"
    await follow(graphql, "6")
    await eventually(lambda: listening("room0") == 3)
    await foreign_send("room0", message="hi")
    assert {(await graphql.receive_json_from(timeout=5))["id"] for _ in range(3)} == {"1", "3", "6"}


async def test_ended_operations_do_not_count_against_the_limit_of_subscriptions(
    open_graphql, subprotocol: str, settings: Settings
) -> None:
    settings.CHAT_SUBSCRIPTIONS_PER_CONNECTION = 1
    graphql = await open_graphql(subprotocol)
    for id in "123":
        await graphql.start(ME, id=id)
        await graphql.result(id)
        assert (await graphql.receive_json_from(timeout=5))["type"] == "complete"


@pytest.mark.parametrize("document", [JOIN, ROOM_MESSAGES])
@pytest.mark.parametrize(("rooms", "refused"), [(2, False), (3, False), (4, True)])
async def test_subscription_is_refused_above_the_limit_of_rooms_only(
    open_graphql, subprotocol: str, settings: Settings, document: str, rooms: int, refused: bool
) -> None:
    settings.CHAT_ROOMS_PER_SUBSCRIPTION = 3
    graphql = await open_graphql(subprotocol)
    await graphql.start(document, {"rooms": [{"roomName": f"room{n}"} for n in range(rooms)]})
    if refused:
        frame = await graphql.receive_json_from(timeout=5)
        if frame["type"] in {"next", "data"}:  # an error of the chat in a subscription
            assert frame["payload"]["errors"][0]["extensions"] == {"code": "too_many_rooms"}
        else:
            assert code_of(frame) == "too_many_rooms"
    elif document == JOIN:
        for _ in range(rooms):
            await graphql.hear()
    else:
        await graphql.start(ME, id="2")
        await graphql.result("2")


async def test_rooms_of_positions_count_against_the_limit_of_rooms(open_graphql, settings: Settings) -> None:
    settings.CHAT_ROOMS_PER_SUBSCRIPTION = 3
    graphql = await open_graphql()
    positions = ", ".join(f'{{roomName: "room{n}", after: 0}}' for n in range(4))
    join = (
        f'subscription {{ joinChatRooms(rooms: [{{roomName: "x"}}], user: "foo", positions: [{positions}]) {{ id }} }}'
    )
    await graphql.start(join)
    assert "too_many_rooms" in str(await graphql.receive_json_from(timeout=5))


@pytest.mark.parametrize(("spare", "refused"), [(1, False), (0, False), (-1, True)])
async def test_graphql_frame_above_the_limit_is_an_error_and_the_socket_stays_open(
    open_graphql, subprotocol: str, settings: Settings, spare: int, refused: bool
) -> None:
    graphql = await open_graphql(subprotocol)
    start = "subscribe" if "transport" in subprotocol else "start"
    operation = {"query": ME, "variables": {"é": 1}}
    frame = as_json(type=start, id="1", payload=operation)
    settings.CHAT_FRAME_MAX = len(frame.encode()) + spare
    await graphql.send_to(text_data=frame)
    if refused:
        assert code_of(await graphql.receive_json_from(timeout=5)) == "frame_too_long"
        settings.CHAT_FRAME_MAX = 1000
        await graphql.start(ME, id="2")
        await graphql.result("2")
    else:
        await graphql.result()


@pytest.mark.parametrize("frame", ['{"type": "ping", "payload": {"x": "%s"}}', '["%s"]'])
async def test_too_long_frame_without_an_operation_closes_the_socket(
    open_graphql, subprotocol: str, settings: Settings, frame: str
) -> None:
    settings.CHAT_FRAME_MAX = 100
    graphql = await open_graphql(subprotocol)
    await graphql.send_to(text_data=frame % ("x" * 100))
    closed = await graphql.receive_output(timeout=5)
    assert (closed["type"], closed["code"], closed["reason"]) == ("websocket.close", 1009, "frame_too_long")


async def test_socket_without_connection_init_is_closed_with_4408(subprotocol: str, settings: Settings) -> None:
    settings.CHAT_INIT_TIMEOUT = 0.1
    socket = WebsocketCommunicator(application, "/graphql", subprotocols=[subprotocol])
    assert (await socket.connect(timeout=5))[0]
    assert (await socket.receive_output(timeout=5))["code"] == 4408
    await socket.disconnect()


async def test_connection_init_ends_the_init_timeout(open_graphql, subprotocol: str, settings: Settings) -> None:
    settings.CHAT_INIT_TIMEOUT = 0.2
    graphql = await open_graphql(subprotocol)
    assert await graphql.receive_nothing(timeout=0.5)
    await graphql.start(ME)
    await graphql.result()


async def test_graphql_socket_stops_reading_while_its_client_takes_no_answers(
    eventually: Callable, subprotocol: str
) -> None:
    server = SlowServer(application, taking=True)
    graphql = GraphQLSocket(server, "/graphql", protocol=subprotocol, subprotocols=[])
    await graphql.gql_init()
    server.taking.clear()
    for number in range(500):
        await graphql.start("{ nope }", id=str(number))
        await graphql.send_to(text_data="{}" if subprotocol == "graphql-ws" else '{"type": "ping"}')
    left = -1
    while left != (left := graphql.input_queue.qsize()):
        await asyncio.sleep(0.2)
    assert left > 900
    server.taking.set()
    await eventually(lambda: graphql.input_queue.qsize() == 0)
    await graphql.disconnect(timeout=5)
