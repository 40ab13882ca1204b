"""Pushes across real server processes: where a person is looking, and a process that is killed."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
import websockets

from tests.chat.push.conftest import Owner
from tests.servers import Server

PUSHING = {"CHAT_PUSH": "true", "CHAT_OUTGOING_NETWORKS": "127.0.0.0/8"}


def connect(server: Server, owner: Owner | None = None) -> Any:
    headers = {"Cookie": f"sessionid={owner.session_key}"} if owner else {}
    return websockets.connect(f"ws://{server.host}/ws/chat/room1/", additional_headers=headers)


async def say(socket: Any, message: str) -> None:
    await socket.send(json.dumps({"message": message}))
    while json.loads(await asyncio.wait_for(socket.recv(), 10))["message"] != message:
        pass


async def handled(socket: Any) -> None:
    await socket.send(json.dumps({"ping": 1}))
    while "pong" not in json.loads(await asyncio.wait_for(socket.recv(), 10)):
        pass


@pytest.mark.usefixtures("service")
async def test_page_that_is_visible_through_another_process_keeps_pushes_away(
    start_servers: Callable[..., list[Server]],
    owner: Callable[..., Any],
) -> None:
    ann = await owner("ann", "room1")
    here, elsewhere = await asyncio.to_thread(start_servers, 2, **PUSHING)
    async with connect(here) as ben, connect(elsewhere, ann) as page:
        await page.send(json.dumps({"visible": True}))
        await handled(page)
        await say(ben, "Hello @ann, who sees this!")
        await asyncio.sleep(4)  # it would have been pushed by now, as the next one is
        await page.send(json.dumps({"visible": False}))
        await handled(page)
        await say(ben, "Hello @ann, who is away!")
        (push,) = await ann.browser.pushed(within=20)
    assert push["url"] == "/chat/room1/?at=2"


@pytest.mark.usefixtures("service")
async def test_message_of_a_process_that_was_killed_is_pushed_by_the_next_one(
    start_servers: Callable[..., list[Server]],
    owner: Callable[..., Any],
) -> None:
    ann = await owner("ann", "room1")
    (server,) = await asyncio.to_thread(start_servers, 1, **PUSHING)
    async with connect(server) as ben:
        await say(ben, "Hello @ann!")
        server.process.kill()
    assert ann.browser.requests == 0
    (later,) = await asyncio.to_thread(start_servers, 1, **PUSHING)
    async with connect(later):
        await ann.browser.pushed(within=20)
    assert ann.browser.requests == 1
