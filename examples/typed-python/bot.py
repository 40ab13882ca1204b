"""A bot that answers `!echo …` in a room, by a client with types, generated from the schema and operations.graphql.

It misses no message, and answers each once, whatever is restarted meanwhile. README.md, beside this file, says how to
run it, how the client is generated, and what to change.
"""

import asyncio
import logging
import os
import random
import signal
import sys
import time
from pathlib import Path

import httpx
from chat_client import Client, GraphQLClientError, GraphQLClientGraphQLMultiError, GraphQLClientHttpError
from chat_client.enums import MessageKind
from chat_client.fragments import Heard
from chat_client.input_types import PostMessageInput
from pydantic import BaseModel
from websockets.exceptions import ConnectionClosed, WebSocketException

URL = os.environ.get("CHAT_URL", "http://127.0.0.1:8000").rstrip("/")
ROOM = os.environ.get("CHAT_ROOM", "room1")
TOKEN = os.environ.get("CHAT_TOKEN", "")
POSITION = Path(os.environ.get("CHAT_POSITION", "position.json"))
LONGEST_PAUSE = 30.0  # seconds between two attempts to connect

TRY_AGAIN = {"unavailable", "rate_limited", "slow_mode", "slow_listener", "too_many_subscriptions", "internal_error"}
STOP = {"insufficient_scope", "not_a_member", "banned", "removed", "invalid_token"}  # a person has to change something
REFUSED = {4400, 4401, 4403}  # codes of closed connections that another attempt would end with, too
AWAY = (httpx.TransportError, WebSocketException, OSError, TimeoutError, GraphQLClientError)
log = logging.getLogger("bot")


class Refused(Exception):
    """Trying again wouldn't help. The text is for people."""


class Position(BaseModel):
    """The last entry of the room that was handled; `id` is its id, where it is known."""

    offset: int
    id: str | None = None

    def keep(self) -> None:
        """Called after a message is handled, not before. Written beside the file and moved there, so in whole."""
        new = POSITION.with_suffix(".new")
        new.write_text(self.model_dump_json())
        new.replace(POSITION)


def answer(text: str) -> str | None:
    """The bot's answer to a message, or None. This is yours to change."""
    command, _, words = text.partition(" ")
    return words or "What shall I say?" if command == "!echo" else None


class Bot:
    """Listens over one WebSocket, and posts over HTTP."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.me = ""
        self.position = Position(offset=0)

    async def run(self) -> None:
        begin = await self.client.begin(ROOM)
        self.me = begin.me.id
        self.begin_at(begin.room.last_offset)
        log.info("Listening to %s as %s, after %s", ROOM, begin.me.name, self.position.offset)
        async for event in self.client.listen(ROOM, self.position.offset, self.position.id):
            heard = event.room_messages
            if heard.kind is MessageKind.START_OVER:
                await self.start_over(heard)
            else:
                await self.handle(heard)

    def begin_at(self, last_offset: int) -> None:
        """At the position that was kept; the first time, with what is said from now on."""
        if POSITION.exists():
            self.position = Position.model_validate_json(POSITION.read_text())
        else:
            self.keep(last_offset, None)

    async def start_over(self, event: Heard) -> None:
        """Too much was missed to be sent again, or the room's log was set back. The history has what there is."""
        assert event.offset is not None
        was_set_back, more = event.offset < self.position.offset, True
        while more and self.position.offset < event.offset:
            page = (await self.client.history(ROOM, str(self.position.offset))).room.messages
            for edge in page.edges:
                await self.handle(edge.node)
            more = page.page_info.has_next_page
        if was_set_back or self.position.offset < event.offset:
            self.keep(event.offset, event.id)

    async def handle(self, message: Heard) -> None:
        if message.offset is None or message.offset <= self.position.offset:
            return
        own = message.user is not None and message.user.id == self.me
        if message.kind is MessageKind.MESSAGE and not own and (text := answer(message.message)):
            # A message that was handled, but not kept as the position, is handled again. The id makes its answer one.
            await self.post(text, message.offset, f"answer-{message.id}")
        self.keep(message.offset, message.id)

    async def post(self, text: str, reply_to: int, client_id: str) -> None:
        message = PostMessageInput(roomName=ROOM, message=text, replyTo=reply_to, clientId=client_id)
        while error := (await self.client.post(message)).post_message.error:
            if error.code in STOP:  # the message stays unhandled, for when it may be answered
                raise Refused(error.message)
            if error.code not in TRY_AGAIN:
                log.warning("Not posted: %s (%s)", error.message, error.code)
                return
            await asyncio.sleep(error.retry_after or random.uniform(1, 5))

    def keep(self, offset: int, id: str | None) -> None:
        self.position = Position(offset=offset, id=id)
        self.position.keep()


def refusal(error: Exception) -> str | None:
    """A sentence where another attempt would be of no use."""
    match error:
        case GraphQLClientGraphQLMultiError(errors=[first, *_]):
            code = (first.extensions or {}).get("code")
            return None if code in TRY_AGAIN else first.message
        case ConnectionClosed(rcvd=closed) if closed and closed.code in REFUSED:
            return f"The site refuses the token ({closed.reason})"
        case GraphQLClientHttpError(status_code=401 | 403 as status):
            return f"The site refuses the token ({status})"
    return None


async def main() -> None:
    """Connects again and again, after pauses that grow and are random: a server's clients all come back at once."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    websocket = URL.replace("http", "ws", 1) + "/graphql"
    pause = 1.0
    async with Client(f"{URL}/graphql", headers, ws_url=websocket, ws_headers=headers) as client:
        while True:
            began = time.monotonic()
            try:
                await Bot(client).run()
            except AWAY as error:
                if text := refusal(error):
                    raise Refused(text) from error
                log.warning("The connection was lost: %r", error)
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
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if not TOKEN:
        sys.exit("Set CHAT_TOKEN to a token with the scopes read and write: /accounts/tokens/ makes one.")
    try:
        asyncio.run(until_stopped())
    except Refused as error:
        sys.exit(
            f"{str(error).rstrip('.')}. Make another token at {URL}/accounts/tokens/, or look at its scopes and rooms."
        )
