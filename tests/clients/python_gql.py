"""python -m tests.clients.python_gql websockets|aiohttp <url>: Python's gql, doing what tests/node/line.mjs does."""

import asyncio
import json
import sys
import uuid
from collections.abc import Callable
from typing import Any

from gql import Client, GraphQLRequest, gql
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.exceptions import TransportError
from gql.transport.websockets import WebsocketsTransport

TRANSPORTS: dict[str, Callable[..., Any]] = {"websockets": WebsocketsTransport, "aiohttp": AIOHTTPWebsocketsTransport}
PAUSE = 0.1  # seconds
AWAY = (TransportError, OSError)
GUIDE = gql("""subscription SubscribeToChatRooms {
    joinChatRooms(rooms: [{ roomName: "room1" }, { roomName: "room2" }] user: "foo") { roomName message currentUser }
}""")
HEAR = gql("""subscription Hear($after: Int, $afterId: ID) {
    roomMessages(rooms: [{ roomName: "room1", after: $after, afterId: $afterId }]) { offset id message kind }
}""")
POST = gql("""mutation Post($message: String!, $clientId: String!) {
    postMessage(input: { roomName: "room1", message: $message, clientId: $clientId }) {
        message { offset } error { code }
    }
}""")


async def join(connect: Callable[[], Client]) -> None:
    while True:
        try:
            async with connect() as session:
                async for result in session.subscribe(GUIDE):
                    tell(joined=result["joinChatRooms"])
        except AWAY:
            pass
        await asyncio.sleep(PAUSE)


async def hear(connect: Callable[[], Client]) -> None:
    position: dict[str, Any] = {"after": 0, "afterId": None}
    while True:
        try:
            async with connect() as session:
                async for result in session.subscribe(GraphQLRequest(HEAR, variable_values=position)):
                    message = result["roomMessages"]
                    if message["offset"] is not None:
                        position = {"after": message["offset"], "afterId": message["id"]}
                    if message["kind"] != "GREETING":
                        tell(heard=[message["offset"], message["message"]])
        except AWAY:
            pass
        await asyncio.sleep(PAUSE)


async def post(connect: Callable[[], Client], text: str) -> None:
    """Sends until it is answered. The same id makes sending twice sending once."""
    request = GraphQLRequest(POST, variable_values={"message": text, "clientId": uuid.uuid4().hex})
    while True:
        try:
            async with connect() as session:
                answer = (await session.execute(request))["postMessage"]
            if answer["message"]:
                tell(posted=answer["message"]["offset"])
                return
        except AWAY:
            pass
        await asyncio.sleep(PAUSE)


def tell(**line: object) -> None:
    print(json.dumps(line), flush=True)


async def main(transport: str, url: str) -> None:
    def connect() -> Client:
        return Client(transport=TRANSPORTS[transport](url=url))

    listening = [asyncio.create_task(work(connect)) for work in (join, hear)]
    while text := await asyncio.to_thread(sys.stdin.readline):
        await post(connect, text.strip())
    for task in listening:
        task.cancel()
    await asyncio.wait(listening)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
