"""Operations by their ids: the end of one does nothing to a later one that uses its id again."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import ref

import pytest

from chat.delivery.hub import Hub
from chat.delivery.listener import Listener
from chat.domain.rooms import find
from chat.errors import Removed
from tests.conftest import JOIN, GraphQLSocket

OpenGraphQL = Callable[..., Awaitable[GraphQLSocket]]
ForeignSend = Callable[..., Awaitable[None]]


def the_listener(room: str) -> Listener:
    (listener,) = Hub.here()._feeds[find(room).group].listeners
    return listener


async def stop(socket: GraphQLSocket, id: str = "1") -> None:
    kind = "complete" if socket.protocol == "graphql-transport-ws" else "stop"
    await socket.send_json_to({"type": kind, "id": id})


async def frame_of(socket: GraphQLSocket, *kinds: str) -> dict[str, Any]:
    """The next frame, which has to be of one of these types."""
    frame = await socket.receive_json_from(timeout=5)
    assert frame["type"] in kinds, frame
    return frame


async def still_hears(socket: GraphQLSocket, foreign_send: ForeignSend, room: str) -> None:
    for text in ("one", "two"):
        await foreign_send(room, message=text)
        assert await socket.hear() == (room, text)


async def test_operation_id_reused_after_complete_starts_another_operation(
    open_graphql: OpenGraphQL, foreign_send: ForeignSend, subprotocol: str
) -> None:
    graphql = await open_graphql(subprotocol)
    await graphql.join("first")
    await stop(graphql)
    await graphql.start(
        'subscription { joinChatRooms(rooms: [{roomName: "again"}], user: "foo") { roomName message } }'
    )
    if subprotocol == "graphql-ws":
        await frame_of(graphql, "complete")
    assert await graphql.hear() == ("again", "Hello my name is foo!")
    await foreign_send("first", message="not for this one")
    await still_hears(graphql, foreign_send, "again")


async def test_operation_id_reused_after_an_error_starts_another_operation(
    open_graphql: OpenGraphQL, foreign_send: ForeignSend, subprotocol: str
) -> None:
    graphql = await open_graphql(subprotocol)
    await graphql.join("first")
    the_listener("first").end(Removed("You were removed."))
    await frame_of(graphql, "error")
    await graphql.join("again")
    await still_hears(graphql, foreign_send, "again")


async def test_slow_failure_does_not_end_a_later_operation_with_the_same_id(
    open_graphql: OpenGraphQL, foreign_send: ForeignSend, subprotocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    graphql = await open_graphql(subprotocol)
    await graphql.join("first")
    failing, leaving, go_on = the_listener("first"), asyncio.Event(), asyncio.Event()
    leave = Hub.leave

    async def leave_slowly(hub: Hub, listener: Listener) -> None:
        if listener is failing:
            leaving.set()
            await go_on.wait()
        await leave(hub, listener)

    monkeypatch.setattr(Hub, "leave", leave_slowly)
    failing.end(Removed("You were removed."))
    await leaving.wait()
    await stop(graphql)
    await graphql.join("again")
    go_on.set()
    await still_hears(graphql, foreign_send, "again")
    await stop(graphql)
    if subprotocol == "graphql-ws":
        await frame_of(graphql, "complete")
    await foreign_send("again", message="not any more")
    assert await graphql.receive_nothing(timeout=0.1)


async def test_operation_survives_an_invalid_start_of_its_id_and_can_be_replaced(
    open_graphql: OpenGraphQL, foreign_send: ForeignSend
) -> None:
    graphql = await open_graphql("graphql-ws")
    await graphql.join("first")
    await graphql.send_json_to({"type": "start", "id": "1", "payload": []})
    await frame_of(graphql, "error")
    await still_hears(graphql, foreign_send, "first")
    await graphql.start(JOIN, {"rooms": [{"roomName": "again"}]})
    await frame_of(graphql, "complete")
    assert await graphql.hear() == ("again", "Hello my name is foo!")
    await foreign_send("first", message="not any more")
    await still_hears(graphql, foreign_send, "again")


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "send"])
@pytest.mark.parametrize("ends", ["complete", "error", "disconnect"])
async def test_ended_follower_is_freed_without_the_garbage_collector(
    open_graphql: OpenGraphQL,
    foreign_send: ForeignSend,
    eventually: Callable[[Callable[[], Any]], Awaitable[None]],
    subprotocol: str,
    ends: str,
    direct: bool,
) -> None:
    gc.collect()
    gc.disable()
    try:
        graphql = await open_graphql(subprotocol, direct=direct)
        await graphql.join("room")
        await foreign_send("room", message="hi")
        await graphql.hear()
        follower = ref(the_listener("room"))
        if ends == "complete":
            await stop(graphql)
        elif ends == "error":
            the_listener("room").end(Removed("You were removed."))
        else:
            await graphql.disconnect()
        await eventually(lambda: follower() is None)
    finally:
        gc.enable()
