"""A login ends, or a guest takes another name, at one instance, and the sockets of the others follow."""

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.test import AsyncClient
from websockets import ClientConnection, ConnectionClosed, Subprotocol, connect

from tests.servers import DAPHNE, UVICORN, Server, free_port

TOKEN = "c" * 32
LISTEN = 'subscription { joinChatRooms(rooms: [{ roomName: "room1" }], user: "ann") { message } }'
Start = Callable[..., list[Server]]


async def open_both_doors(server: Server, cookie: str) -> list[ClientConnection]:
    headers = {"Cookie": cookie}
    browser = await connect(f"ws://{server.host}/ws/chat/room1/", additional_headers=headers)
    protocol = Subprotocol("graphql-transport-ws")
    graphql = await connect(f"ws://{server.host}/graphql", additional_headers=headers, subprotocols=[protocol])
    await graphql.send(json.dumps({"type": "connection_init"}))
    await graphql.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": LISTEN}}))
    await hear(graphql, "Hello")
    return [browser, graphql]


async def hear(socket: ClientConnection, text: str) -> None:
    async with asyncio.timeout(10):
        while text not in str(await socket.recv()):
            pass


async def close_code(socket: ClientConnection) -> int | None:
    try:
        async with asyncio.timeout(10):
            while True:
                await socket.recv()
    except ConnectionClosed as closed:
        return closed.rcvd and closed.rcvd.code


async def log_out(server: Server, cookie: str) -> None:
    headers = {"Cookie": f"{cookie}; csrftoken={TOKEN}"}
    form = {"csrfmiddlewaretoken": TOKEN}
    async with aiohttp.ClientSession() as session:
        url = f"http://{server.host}/accounts/logout/"
        async with session.post(url, data=form, headers=headers, allow_redirects=False) as answer:
            assert answer.status == 302


async def someone() -> tuple[User, str]:
    """A user who is logged in, and the cookie of that."""
    user, client = await get_user_model().objects.acreate_user("ann"), AsyncClient()
    await client.aforce_login(user)
    return user, f"sessionid={client.cookies['sessionid'].value}"


@pytest.mark.parametrize("program", [UVICORN, DAPHNE], ids=["uvicorn", "daphne"])
async def test_logout_closes_the_sockets_of_that_session_on_every_instance(
    start_servers: Start, program: str, capfd: pytest.CaptureFixture[str]
) -> None:
    here, there = start_servers(2, program, CHAT_SESSION_CHECK="3600")
    _, cookie = await someone()
    sockets = [*await open_both_doors(here, cookie), *await open_both_doors(there, cookie)]
    others = await open_both_doors(there, "")

    await log_out(here, cookie)

    assert await asyncio.gather(*map(close_code, sockets)) == [4401] * 4
    await others[0].send(json.dumps({"message": "still here"}))  # and nobody stumbles over sockets that are gone
    for socket in others:
        await hear(socket, "still here")
        await socket.close()
    output = "".join(capfd.readouterr())
    assert "Traceback" not in output
    assert "ERROR" not in output


async def test_logout_closes_sockets_on_every_instance_within_the_check_interval_without_redis(
    start_servers: Start,
) -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    here, there = start_servers(2, CHAT_SESSION_CHECK="1", REDIS_URL=nowhere)
    _, cookie = await someone()
    sockets = [*await open_both_doors(here, cookie), *await open_both_doors(there, cookie)]
    began = time.monotonic()

    await log_out(here, cookie)

    assert await asyncio.gather(*map(close_code, sockets)) == [4401] * 4
    assert time.monotonic() - began < 10


async def test_user_deactivated_by_another_program_has_their_sockets_closed(start_servers: Start) -> None:
    (server,) = start_servers(1, CHAT_SESSION_CHECK="3600")
    user, cookie = await someone()
    sockets = await open_both_doors(server, cookie)
    user.is_active = False

    await user.asave()

    assert await asyncio.gather(*map(close_code, sockets)) == [4401] * 2


async def name_changes(here: Server, there: Server) -> None:
    """A guest takes another name at one instance, and speaks under it on a socket that is open at the other."""
    client = AsyncClient()
    await client.get("/chat/room1/")
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    browser, graphql = await open_both_doors(there, cookie)
    form = {"csrfmiddlewaretoken": TOKEN, "name": "Zoë"}
    async with aiohttp.ClientSession() as session:
        headers = {"Cookie": f"{cookie}; csrftoken={TOKEN}"}
        url = f"http://{here.host}/accounts/name/"
        async with session.post(url, data=form, headers=headers, allow_redirects=False) as answer:
            assert answer.status == 302
    async with asyncio.timeout(10):
        said: dict[str, Any] = {}
        while said.get("user") != "Zoë":
            await browser.send(json.dumps({"message": "it's me", "client_id": secrets.token_hex(8)}))
            said = json.loads(await browser.recv())
            await asyncio.sleep(0.1)
    for socket in (browser, graphql):
        await socket.close()


async def test_new_name_of_a_guest_reaches_sockets_on_every_instance(start_servers: Start) -> None:
    await name_changes(*start_servers(2, CHAT_SESSION_CHECK="3600"))


async def test_new_name_of_a_guest_reaches_sockets_on_every_instance_without_redis(start_servers: Start) -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    await name_changes(*start_servers(2, CHAT_SESSION_CHECK="1", REDIS_URL=nowhere))
