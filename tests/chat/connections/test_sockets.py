"""The sockets of this process, and closing them from outside of their consumers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model
from django.test import AsyncClient

from chat.connections.registration import registered
from chat.connections.sockets import Gone, Socket, Sockets
from chat.models import Message
from chat.storage.logins import Login
from mysite.asgi import application
from tests.conftest import ChatSocket, GraphQLSocket, SlowServer
from tests.test_identity import cookies_of


def the_socket() -> Socket:
    (socket,) = Sockets.here()
    return socket


async def test_sockets_of_both_doors_are_registered_until_they_disconnect(
    open_chat: Callable[..., Awaitable[ChatSocket]],
    open_graphql: Callable[..., Awaitable[GraphQLSocket]],
    eventually: Callable[[Callable[[], Any]], Awaitable[None]],
) -> None:
    browser, graphql = await open_chat("/ws/chat/room1/"), await open_graphql()
    assert sorted(socket.door for socket in Sockets.here()) == ["browser", "graphql"]
    await browser.disconnect()
    assert [socket.door for socket in Sockets.here()] == ["graphql"]
    await graphql.disconnect()
    await eventually(lambda: len(Sockets.here()) == 0)
    assert not Sockets.here().by_address


async def test_socket_has_user_session_and_address(
    async_client: AsyncClient, open_chat: Callable[..., Awaitable[ChatSocket]]
) -> None:
    user = await get_user_model().objects.acreate_user("ann")
    await async_client.aforce_login(user)
    await open_chat("/ws/chat/room1/", headers=cookies_of(async_client))
    socket = the_socket()
    assert (socket.login.user_id, socket.login.session_key) == (user.pk, async_client.session.session_key)
    assert socket.address is None
    socket = Socket("browser", {"client": ("192.0.2.7", 4711)}, None)
    assert (socket.login, socket.address) == (Login(), "192.0.2.7")


async def test_socket_with_a_forged_cookie_has_no_login(open_chat: Callable[..., Awaitable[ChatSocket]]) -> None:
    await open_chat("/ws/chat/room1/", headers=[(b"cookie", b"sessionid=forged")])
    assert the_socket().login == Login()


async def test_close_sends_one_close_and_drops_later_frames(
    open_chat: Callable[..., Awaitable[ChatSocket]],
) -> None:
    browser = await open_chat("/ws/chat/room1/")
    await the_socket().close(4401, "é" * 100)
    await the_socket().close(1012, "restart")
    await browser.send_to("nonsense")
    assert await browser.receive_output(timeout=5) == {"type": "websocket.close", "code": 4401, "reason": "é" * 61}
    assert await browser.receive_nothing(timeout=0.2)


async def test_close_sends_nothing_after_the_consumer_has_closed(
    open_chat: Callable[..., Awaitable[ChatSocket]],
) -> None:
    browser = await open_chat("/ws/chat/%20/")
    assert (await browser.receive_json_from(timeout=5))["error"]["code"] == "invalid_room_name"
    await the_socket().close(1012, "restart")
    assert (await browser.receive_output(timeout=5))["code"] == 4400
    assert await browser.receive_nothing(timeout=0.2)


@pytest.mark.parametrize("accepted", [True, False])
async def test_close_before_accept_takes_effect_once_accepted(accepted: bool) -> None:
    closed = asyncio.Event()

    async def consumer(scope: Any, receive: Any, send: Any) -> None:
        await closed.wait()
        if accepted:
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": "late"})
        else:
            await send({"type": "websocket.close"})
        await receive()
        await receive()

    client = WebsocketCommunicator(registered(consumer, door="browser"), "/")
    connecting = asyncio.create_task(client.connect(timeout=5))
    while not len(Sockets.here()):
        await asyncio.sleep(0)
    await the_socket().close(1012, "restart")
    closed.set()
    if accepted:
        assert await connecting == (True, None)
        closing = {"type": "websocket.close", "code": 1012, "reason": "restart"}
        assert await client.receive_output(timeout=5) == closing
    else:
        assert await connecting == (False, 1000)
    assert await client.receive_nothing(timeout=0.1)
    await client.disconnect()


async def test_end_sends_waiting_events_before_the_close(
    foreign_send: Callable[..., Awaitable[None]],
) -> None:
    server = SlowServer(application, taking=True)
    browser = ChatSocket(server, "/ws/chat/room1/")
    await browser.connect(timeout=5)
    server.taking.clear()
    for text in "abc":
        await foreign_send("room1", message=text)
    while not the_socket().busy:
        await asyncio.sleep(0.01)
    await foreign_send("room1", message="d")

    ending = asyncio.create_task(Sockets.here().end(1012, "restart", patience=10))
    await asyncio.sleep(0)
    server.taking.set()

    assert [await browser.hear() for _ in "abc"] == ["a", "b", "c"]
    while (frame := await browser.receive_output(timeout=5))["type"] == "websocket.send":
        pass
    assert frame == {"type": "websocket.close", "code": 1012, "reason": "restart"}
    await browser.disconnect()
    await ending


async def test_end_closes_new_sockets_and_stores_no_late_message(
    open_chat: Callable[..., Awaitable[ChatSocket]],
) -> None:
    browser = await open_chat("/ws/chat/room1/")
    ending = asyncio.create_task(Sockets.here().end(1012, "restart", patience=5))
    await asyncio.sleep(0)
    await browser.say("too late")
    late = ChatSocket(application, "/ws/chat/room1/")
    assert (await late.connect(timeout=5))[0]
    for socket in (browser, late):
        assert (await socket.receive_output(timeout=5))["code"] == 1012
    await late.disconnect()
    await browser.disconnect()
    await ending
    assert not await Message.objects.aexists()


@pytest.mark.parametrize("closing", [True, False])
async def test_socket_whose_client_takes_neither_answer_nor_close_is_dropped(
    monkeypatch: pytest.MonkeyPatch, closing: bool
) -> None:
    monkeypatch.setattr("chat.connections.sockets.WRITE_TIMEOUT", 0.05)
    dropped = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        if message["type"] != "websocket.accept":
            await asyncio.Event().wait()

    socket = Socket("browser", {"drop": dropped.set}, send)
    await socket.send({"type": "websocket.accept"})
    if closing:
        await asyncio.wait_for(socket.close(1012, "restart"), 5)
    else:
        with pytest.raises(Gone):
            await asyncio.wait_for(socket.send({"type": "websocket.send", "text": "hi"}), 5)
    assert dropped.is_set()
    assert socket.closing


async def test_socket_whose_client_is_merely_slow_is_not_dropped() -> None:
    async def send(message: dict[str, Any]) -> None:
        await asyncio.sleep(0.05)

    socket = Socket("browser", {"drop": pytest.fail}, send)
    await socket.send({"type": "websocket.accept"})
    await socket.send({"type": "websocket.send", "text": "hi"})
    assert not socket.closing
