"""A bot that answers `!echo …` in a room: it misses no message, and answers each once, whatever is restarted meanwhile.

README.md, beside this file, says how to run it and what to change.
"""

import asyncio
import json
import logging
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from gql import Client, GraphQLRequest, gql
from gql.client import AsyncClientSession
from gql.transport.exceptions import TransportConnectionFailed, TransportError, TransportQueryError
from gql.transport.websockets import WebsocketsTransport
from websockets.exceptions import ConnectionClosed

URL = os.environ.get("CHAT_URL", "http://127.0.0.1:8000").rstrip("/")
ROOM = os.environ.get("CHAT_ROOM", "room1")
TOKEN = os.environ.get("CHAT_TOKEN", "")
POSITION = Path(os.environ.get("CHAT_POSITION", "position.json"))
LONGEST_PAUSE = 30.0  # seconds between two attempts to connect

BEGIN = gql("query Begin($room: String!) { me { id name } room(name: $room) { lastOffset } }")
LISTEN = gql("""subscription Listen($room: String!, $after: Int, $afterId: ID) {
    roomMessages(rooms: [{ roomName: $room, after: $after, afterId: $afterId }], kinds: [MESSAGE]) {
        kind offset id message user { id name }
    }
}""")
HISTORY = gql("""query History($room: String!, $after: String) {
    room(name: $room) { messages(first: 100, after: $after) {
        pageInfo { hasNextPage }
        edges { node { kind offset id message user { id name } } }
    } }
}""")
POST = gql("""mutation Post($input: PostMessageInput!) {
    postMessage(input: $input) { message { offset } error { code message retryAfter } }
}""")

TRY_AGAIN = {"unavailable", "rate_limited", "slow_mode", "slow_listener", "too_many_subscriptions", "internal_error"}
STOP = {"insufficient_scope", "not_a_member", "banned", "removed", "invalid_token"}  # a person has to change something
REFUSED = {4400, 4401, 4403}  # codes of closed connections that another attempt would end with, too
log = logging.getLogger("bot")


class Refused(Exception):
    """Trying again wouldn't help. The text is for people."""


def answer(text: str) -> str | None:
    """The bot's answer to a message, or None. This is yours to change."""
    command, _, words = text.partition(" ")
    return words or "What shall I say?" if command == "!echo" else None


def read_position() -> dict[str, Any]:
    """The last one that was kept; empty where there is none yet."""
    return json.loads(POSITION.read_text()) if POSITION.exists() else {}


class Bot:
    """One connection. `position` is the last message that has been handled: written after that, not before."""

    def __init__(self, session: AsyncClientSession) -> None:
        self.session = session
        self.me = ""
        self.position = read_position()

    async def run(self) -> None:
        begin = await self.execute(BEGIN, room=ROOM)
        self.me = begin["me"]["id"]
        if not self.position:  # the first time: from now on
            self.keep({"after": begin["room"]["lastOffset"], "afterId": None})
        log.info("Listening to %s as %s, after %s", ROOM, begin["me"]["name"], self.position["after"])
        request = GraphQLRequest(LISTEN, variable_values={"room": ROOM, **self.position})
        async for result in self.session.subscribe(request):
            event = result["roomMessages"]
            if event["kind"] == "START_OVER":
                await self.start_over(event)
            else:
                await self.handle(event)

    async def start_over(self, event: dict[str, Any]) -> None:
        """Too much was missed to be sent again, or the room's log was set back. The history has what there is."""
        was_set_back, more = event["offset"] < self.position["after"], True
        while more and self.position["after"] < event["offset"]:
            history = await self.execute(HISTORY, room=ROOM, after=str(self.position["after"]))
            page = history["room"]["messages"]
            for edge in page["edges"]:
                await self.handle(edge["node"])
            more = page["pageInfo"]["hasNextPage"]
        if was_set_back or self.position["after"] < event["offset"]:
            self.keep({"after": event["offset"], "afterId": event["id"]})

    async def handle(self, event: dict[str, Any]) -> None:
        if event["offset"] is None or event["offset"] <= self.position["after"]:
            return
        own = event["user"] is not None and event["user"]["id"] == self.me
        if event["kind"] == "MESSAGE" and not own and (text := answer(event["message"])):
            # A message that was handled, but not kept as the position, is handled again. The id makes its answer one.
            await self.post(message=text, replyTo=event["offset"], clientId=f"answer-{event['id']}")
        self.keep({"after": event["offset"], "afterId": event["id"]})

    async def post(self, **message: Any) -> None:
        while True:
            answered = await self.execute(POST, input={"roomName": ROOM, **message})
            error = answered["postMessage"]["error"]
            if error is None:
                return
            if error["code"] in STOP:  # the message stays unhandled, for when it may be answered
                raise Refused(error["message"])
            if error["code"] not in TRY_AGAIN:
                log.warning("Not posted: %s (%s)", error["message"], error["code"])
                return
            await asyncio.sleep(error["retryAfter"] or random.uniform(1, 5))

    async def execute(self, document: GraphQLRequest, **variables: Any) -> dict[str, Any]:
        return await self.session.execute(GraphQLRequest(document, variable_values=variables))

    def keep(self, position: dict[str, Any]) -> None:
        """Written beside the file and moved there, so that no crash leaves half a position."""
        self.position = position
        new = POSITION.with_suffix(".new")
        new.write_text(json.dumps(position))
        new.replace(POSITION)


async def connect() -> None:
    """Listens until the connection is lost. Raises Refused where another one would be of no use."""
    websocket = URL.replace("http", "ws", 1) + "/graphql"
    transport = WebsocketsTransport(websocket, headers={"Authorization": f"Bearer {TOKEN}"})
    try:
        async with Client(transport=transport) as session:
            await Bot(session).run()
    except TransportQueryError as error:
        problem = (error.errors or [{}])[0]
        if problem.get("extensions", {}).get("code") not in TRY_AGAIN:
            raise Refused(problem.get("message", str(error))) from error
        log.warning("%s", problem.get("message"))
    except TransportConnectionFailed as error:
        cause = error.__cause__
        if isinstance(cause, ConnectionClosed) and cause.rcvd and cause.rcvd.code in REFUSED:
            raise Refused(f"The site refuses the token ({cause.rcvd.reason})") from error
        log.warning("The connection was lost: %s", cause or error)
    except (TransportError, TimeoutError) as error:
        log.warning("The connection was lost: %r", error)


async def main() -> None:
    """Connects again and again, after pauses that grow and are random: a server's clients all come back at once."""
    pause = 1.0
    while True:
        began = time.monotonic()
        await connect()
        pause = 1.0 if time.monotonic() - began > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
        await asyncio.sleep(random.uniform(0, pause))


async def until_stopped() -> None:
    task, loop = asyncio.create_task(main()), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(task.cancel))
    try:
        await task
    except asyncio.CancelledError:
        log.info("Stopped")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    logging.getLogger("gql").setLevel(logging.WARNING)
    if not TOKEN:
        sys.exit("Set CHAT_TOKEN to a token with the scopes read and write: /accounts/tokens/ makes one.")
    try:
        asyncio.run(until_stopped())
    except Refused as error:
        sys.exit(
            f"{str(error).rstrip('.')}. Make another token at {URL}/accounts/tokens/, or look at its scopes and rooms."
        )
