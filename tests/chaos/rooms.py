"""The rooms in the end: their logs as the database has them, and their histories as anybody can read them."""

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import psycopg

from tests.chaos.ledger import Heard, change_of
from tests.screen import Screen

HISTORY = """query ($room: String!, $before: String) {
    room(name: $room) { messages(last: 100, before: $before) {
        pageInfo { hasPreviousPage startCursor }
        edges { node { kind offset target message reactions { emoji count } replyTo { offset message } } }
    } }
}"""
ENTRIES = """
    SELECT room.name, "offset", kind, client_id, target, text, deletion, reply_to, reactions
    FROM chat_message JOIN chat_room AS room ON room.id = room_id ORDER BY room.name, "offset"
"""
REACTIONS = """
    SELECT room.name, "offset", emoji, COUNT(*)
    FROM chat_messagereaction JOIN chat_room AS room ON room.id = room_id GROUP BY room.name, "offset", emoji
"""


@dataclass
class StoredRoom:
    """A room's log, and what is to be seen there. `deleted` are offsets; `counts` has the reactions of each message."""

    log: list[Heard] = field(default_factory=list)
    screen: Screen = field(default_factory=Screen)
    deleted: set[int] = field(default_factory=set)
    counts: dict[int, Counter[str]] = field(default_factory=dict)

    def take(self, offset: int, kind: str, client_id: str, target: int | None, text: str, *more: Any) -> None:
        """An entry's row."""
        deletion, reply_to, reactions = more
        self.log.append((offset, client_id if target is None else change_of(kind, target)))
        if deletion is not None:
            self.deleted.add(offset)
        if target is None:
            found = json.loads(reactions) if isinstance(reactions, str) else reactions
            quoted = self.screen.get(reply_to)
            quote = None if reply_to is None else (reply_to, quoted.text if quoted else "")
            sums = tuple((one["emoji"], one["count"]) for one in found or ())
            self.screen.take(kind, offset=offset, target=None, text=text, reactions=sums, quote=quote)

    def problems(self) -> list[str]:
        """Messages whose sums of reactions aren't those of the people who reacted."""
        return [
            f"{offset} has {dict(shown.reactions)}, by rows {dict(self.counts.get(offset, {}))}"
            for offset, shown in self.screen.items()
            if dict(shown.reactions) != self.counts.get(offset, {})
        ]


def read_stored(database_url: str, rooms: list[str]) -> dict[str, StoredRoom]:
    """The rooms, by name, as they are in the database. Blocks."""
    found = {room: StoredRoom() for room in rooms}
    for name, *row in _rows(database_url, ENTRIES):
        if name in found:
            found[name].take(*row)
    for name, offset, emoji, count in _rows(database_url, REACTIONS):
        if name in found:
            found[name].counts.setdefault(offset, Counter())[emoji] = count
    return found


def _rows(database_url: str, statement: str) -> list[Any]:
    url = urlsplit(database_url)
    if url.scheme == "sqlite":
        with sqlite3.connect(f"file:{url.path.removeprefix('/')}?mode=ro", uri=True) as lite:
            return lite.execute(statement).fetchall()
    if url.hostname:
        where = {"host": url.hostname, "port": url.port or 5432, "dbname": url.path.lstrip("/")}
    else:
        folder, _, name = url.path.rpartition("/")
        where = {"host": folder, "dbname": name}
    with psycopg.connect(user=url.username, password=url.password, **where) as connection:
        return connection.execute(statement).fetchall()


async def read_history(host: str, room: str, before: int) -> Screen:
    """The messages before that offset as a client shows them, as a page reads it. Raises ConnectionError."""
    screen = Screen()
    pages, cursor, more = [], str(before), True
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        while more:
            body = {"query": HISTORY, "variables": {"room": room, "before": cursor}}
            async with session.post(f"http://{host}/graphql", json=body) as response:
                answer = await response.json()
            if answer.get("errors"):
                raise ConnectionError(str(answer["errors"]))
            page = answer["data"]["room"]["messages"]
            pages.append(page["edges"])
            more, cursor = page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["startCursor"]
    for edges in reversed(pages):
        for edge in edges:
            if edge["node"]["kind"] == "MESSAGE":
                screen.take_node(edge["node"])
    return screen
