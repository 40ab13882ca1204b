"""A site that allows long messages takes them at every door of a real server, however their JSON is spelt."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.doors import POST
from tests.servers import DAPHNE, UVICORN, Server

LONGEST = 100_000  # characters
ROOM = "long"
CHARACTERS = {"four bytes": "😀", "a quote": '"', "a backslash": "\\", "a tab": "\t", "a newline": "\n"}

Answer = dict[str, Any]
Ask = Callable[[str], Awaitable[Answer]]


@pytest.fixture(scope="module", params=[UVICORN, DAPHNE], ids=["uvicorn", "daphne"])
def server(request: pytest.FixtureRequest, django_db_setup: None) -> Any:
    with Server(request.param, CHAT_MESSAGE_MAX=str(LONGEST)) as server:
        server.wait_until_it_answers()
        yield server


@asynccontextmanager
async def browser_socket(session: aiohttp.ClientSession, host: str) -> AsyncIterator[Ask]:
    async with session.ws_connect(f"ws://{host}/ws/chat/{ROOM}/", max_msg_size=0, origin=f"http://{host}") as socket:

        async def ask(text: str) -> Answer:
            await socket.send_str(json.dumps({"message": text, "client_id": str(len(text))}))
            while (frame := await socket.receive_json(timeout=10)).get("client_id") != str(len(text)):
                pass
            return {"message": frame["message"], "code": frame.get("error", {}).get("code")}

        yield ask


@asynccontextmanager
async def http(session: aiohttp.ClientSession, host: str) -> AsyncIterator[Ask]:
    async def ask(text: str) -> Answer:
        async with session.post(f"http://{host}/graphql", json={"query": POST, "variables": variables(text)}) as answer:
            return outcome(await answer.json())

    yield ask


@asynccontextmanager
async def graphql_socket(session: aiohttp.ClientSession, host: str) -> AsyncIterator[Ask]:
    protocols = ["graphql-transport-ws"]
    async with session.ws_connect(f"ws://{host}/graphql", protocols=protocols, max_msg_size=0) as socket:
        await socket.send_json({"type": "connection_init"})
        assert (await socket.receive_json(timeout=10))["type"] == "connection_ack"

        async def ask(text: str) -> Answer:
            payload = {"query": POST, "variables": variables(text)}
            await socket.send_json({"type": "subscribe", "id": str(len(text)), "payload": payload})
            answer = await socket.receive_json(timeout=10)
            assert answer["type"] == "next", answer
            assert (await socket.receive_json(timeout=10))["type"] == "complete"
            return outcome(answer["payload"])

        yield ask


def variables(text: str) -> Answer:
    return {"input": {"roomName": ROOM, "message": text, "clientId": str(len(text))}}


def outcome(result: Answer) -> Answer:
    payload = result["data"]["postMessage"]
    return {
        "message": payload["message"] and payload["message"]["message"],
        "code": payload["error"] and payload["error"]["code"],
    }


@pytest.mark.parametrize("door", [browser_socket, http, graphql_socket], ids=lambda door: door.__name__)
@pytest.mark.parametrize("character", CHARACTERS.values(), ids=CHARACTERS.keys())
async def test_longest_message_is_accepted_and_one_character_more_is_refused_at_every_door(
    server: Server, door: Any, character: str
) -> None:
    longest = f"x{character * (LONGEST - 2)}x"
    async with aiohttp.ClientSession() as session, door(session, server.host) as ask:
        assert await ask(longest) == {"message": longest, "code": None}
        assert (await ask(longest + "x"))["code"] == "message_too_long"
        assert (await ask("and on it goes"))["message"] == "and on it goes"
