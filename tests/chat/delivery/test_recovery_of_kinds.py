"""The recovery table by kinds: entries of each kind, at each door, by each way back.

A listener comes back that knew the first two messages. It is given what it asks for, or told to start over; and then it
sees the same as a listener that was there all the time, and as the history.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from pytest_django import Settings

from chat import models
from chat.actions import editing, posting
from chat.actions.moderation import carry_out
from chat.delivery import hub
from chat.delivery.publisher import publish
from chat.domain.events import HISTORY_KINDS, STORED_KINDS, Kind
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.reactions import ReactionRequest
from chat.domain.rooms import Room, find
from chat.storage import history, moderation, pruning, reactions
from chat.storage.database import in_database, writes
from mysite.asgi import application
from tests.conftest import ChatSocket, GraphQLSocket, close
from tests.screen import Screen

ROOM = find("kinds that come back")
ANN, BEN = Person(id="guest-00000000000000aa", name="Ann"), Person(id="guest-00000000000000bb", name="Ben")
NODE = "{ kind offset id target message reactions { emoji count } replyTo { offset message } }"
ALL = "[MESSAGE, DELETION, NOTICE, EDIT, REACTION]"
HISTORY = f"query ($room: String!) {{ room(name: $room) {{ messages(last: 100) {{ edges {{ node {NODE} }} }} }} }}"
TABLES = [models.Room, models.Ban, models.Message, models.MessageReaction, models.Mention]


@dataclass
class Ear:
    """A listener at a door, and what it sees."""

    socket: Any
    screen: Screen = field(default_factory=Screen)
    heard: list[tuple[str, int]] = field(default_factory=list)

    async def hear(self) -> dict[str, Any]:
        """The next entry, or that it has to start over: then it reads the history."""
        entry = await self.receive()
        self.heard.append((entry["kind"].lower(), entry["offset"]))
        if self.heard[-1][0] == Kind.START_OVER:
            self.screen = await self.history()
        else:
            self.take(entry)
        return entry

    async def hear_until(self, offset: int) -> None:
        while not self.heard or self.heard[-1][1] < offset:
            await self.hear()

    async def receive(self) -> dict[str, Any]:
        raise NotImplementedError

    def take(self, entry: dict[str, Any]) -> None:
        raise NotImplementedError

    async def history(self) -> Screen:
        """All messages that there are, as this door shows them."""
        raise NotImplementedError


class BrowserEar(Ear):
    async def receive(self) -> dict[str, Any]:
        while (frame := await self.socket.receive_json_from(timeout=5))["kind"] == "greeting":
            pass
        return frame

    def take(self, entry: dict[str, Any]) -> None:
        self.screen.take_frame(entry)

    async def history(self) -> Screen:
        async with connected(BrowserEar, "/ws/chat/{}/?with=edits") as other:
            await other.socket.send_json_to({"before": 100})
            for entry in (await other.receive())["messages"]:
                other.take(entry)
            return other.screen


class GraphQLEar(Ear):
    async def receive(self) -> dict[str, Any]:
        while True:
            (node,) = (await self.socket.result())["data"].values()
            if node["kind"] != "GREETING":
                return node

    def take(self, entry: dict[str, Any]) -> None:
        self.screen.take_node(entry)

    async def history(self) -> Screen:
        other = GraphQLEar(await graphql_socket())
        try:
            await other.socket.start(HISTORY, {"room": ROOM.name})
            for edge in (await other.socket.result())["data"]["room"]["messages"]["edges"]:
                other.take(edge["node"])
        finally:
            await close(other.socket)
        return other.screen


async def graphql_socket() -> GraphQLSocket:
    socket = GraphQLSocket(application, "/graphql", protocol="graphql-transport-ws", subprotocols=[])
    await socket.gql_init()
    return socket


@asynccontextmanager
async def connected(ear: type[BrowserEar], path: str) -> AsyncIterator[BrowserEar]:
    socket = ChatSocket(application, path.format("kinds%20that%20come%20back"))
    assert (await socket.connect(timeout=5))[0]
    try:
        yield ear(socket)
    finally:
        await close(socket)


@dataclass(frozen=True)
class Door:
    """A way to listen, and the kinds that come there."""

    name: str
    query: str  # of a URL, or a GraphQL document
    kinds: frozenset[Kind]

    @asynccontextmanager
    async def open(self, after: Position) -> AsyncIterator[Ear]:
        if self.name == "browser":
            path = f"/ws/chat/{{}}/?after={after.offset}&id={after.id or ''}{self.query}"
            async with connected(BrowserEar, path) as browser:
                yield browser
            return
        socket = await graphql_socket()
        position = {"roomName": ROOM.name, "after": after.offset, "afterId": after.id}
        try:
            await socket.start(
                self.query, {"rooms": [position]} if "$rooms" in self.query else {"positions": [position]}
            )
            yield GraphQLEar(socket)
        finally:
            await close(socket)


def room_messages(kinds: str = "") -> str:
    return f"subscription ($rooms: [RoomPosition!]!) {{ roomMessages(rooms: $rooms{kinds}) {NODE} }}"


def join_chat_rooms(kinds: str = "") -> str:
    given = f'rooms: [{{roomName: "{ROOM.name}"}}], user: "foo", positions: $positions{kinds}'
    return f"subscription ($positions: [RoomPosition!]!) {{ joinChatRooms({given}) {NODE} }}"


DOORS = {
    "browser": Door("browser", "", HISTORY_KINDS),
    "browser with all": Door("browser", "&with=edits,reactions", STORED_KINDS),
    "browser with reactions": Door("browser", "&with=reactions", HISTORY_KINDS | {Kind.REACTION}),
    "roomMessages": Door("GraphQL", room_messages(), HISTORY_KINDS),
    "roomMessages of all kinds": Door("GraphQL", room_messages(f", kinds: {ALL}"), STORED_KINDS),
    "joinChatRooms": Door("GraphQL", join_chat_rooms(), HISTORY_KINDS),
    "joinChatRooms of all kinds": Door("GraphQL", join_chat_rooms(f", kinds: {ALL}"), STORED_KINDS),
}
DOORS |= {
    f"roomMessages of {kind}": Door("GraphQL", room_messages(f", kinds: [{kind.name}]"), frozenset({kind}))
    for kind in sorted(STORED_KINDS)
}


async def say(text: str, reply_to: int | None = None) -> int:
    entry = await posting.post(room=ROOM, message=text, person=ANN, reply_to=reply_to)
    return entry.event.offset or 0


async def react(target: int, on: bool = True) -> None:
    reacted = await in_database(reactions.react, ROOM, target, [ReactionRequest(BEN, "👍", on)])
    assert reacted.entry
    await publish(reacted.entry)


async def go_on() -> int:
    """An entry of each kind, and more of some, about messages from before and from now. Returns the last offset."""
    first = await say("first")
    second = await say("second", reply_to=first)
    await say("third", reply_to=second)
    await react(second)
    await react(first)
    await editing.edit(room=ROOM, offset=first, message="first, edited", person=ANN)
    await editing.edit(room=ROOM, offset=second, message="second, edited", person=ANN)
    await carry_out(moderation.delete_message, ROOM, second, by=ANN)
    await editing.edit(room=ROOM, offset=first, message="first, edited again", person=ANN)
    await react(first, on=False)
    await react(first)
    await carry_out(moderation.ban, ROOM, BEN.id, by=None)
    await carry_out(moderation.unban, ROOM, BEN.id, by=None)
    return await say("last")


def snapshot() -> list[list[Any]]:
    return [list(table.objects.all()) for table in TABLES]


@writes
def restore(room: Room, rows: list[list[Any]]) -> None:
    """Sets the database back, as a backup does. There is no other room."""
    for table in reversed(TABLES):
        table.objects.all().delete()
    for table, some in zip(TABLES, rows, strict=True):
        table.objects.bulk_create(some)


# Ways back: each spoils something, and returns the position with which the listener comes back, in the place of
# `known`, and whether it has to start over.
Way = Callable[[Position, list[list[Any]], Settings], Awaitable[tuple[Position, bool]]]


async def right(known: Position, before: list[list[Any]], settings: Settings) -> tuple[Position, bool]:
    return known, False


async def wrong_id(known: Position, before: list[list[Any]], settings: Settings) -> tuple[Position, bool]:
    return Position(known.offset, "0" * 32), True


async def too_old(known: Position, before: list[list[Any]], settings: Settings) -> tuple[Position, bool]:
    settings.CHAT_RECOVERY_MAX = 5
    return known, True


async def pruned(known: Position, before: list[list[Any]], settings: Settings) -> tuple[Position, bool]:
    await in_database(pruning.prune, keep=8)
    return known, True


async def set_back(known: Position, before: list[list[Any]], settings: Settings) -> tuple[Position, bool]:
    """Its position is in what is lost, and was given again."""
    lost = (await in_database(history.heads, [ROOM]))[ROOM].position
    await in_database(restore, ROOM, before)
    await go_on()
    await say("more")
    return lost, True


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "WATCH_INTERVAL", 0.1)


@pytest.mark.parametrize("way", [right, wrong_id, too_old, pruned, set_back], ids=lambda way: way.__name__)
@pytest.mark.parametrize("door", DOORS)
async def test_listener_that_comes_back_hears_its_kinds_or_starts_over(door: str, way: Way, settings: Settings) -> None:
    asks_for_all = DOORS[door].kinds == STORED_KINDS
    await say("one")
    await say("two", reply_to=1)
    known, before = (await in_database(history.heads, [ROOM]))[ROOM].position, await in_database(snapshot)
    async with DOORS["browser with all"].open(Position(0)) as always:
        await always.hear_until(2)
        seen_before = Screen(always.screen)
        await always.hear_until(await go_on())
        position, starts_over = await way(known, before, settings)
        end = (await in_database(history.heads, [ROOM]))[ROOM].position
        await always.hear_until(end.offset)
        async with DOORS[door].open(position) as back:
            back.screen = seen_before
            if starts_over:
                assert (await back.hear()).items() >= {"offset": end.offset, "id": end.id}.items()
                assert back.heard == [(Kind.START_OVER, end.offset)]
                start = end.offset
            else:
                start = position.offset
            last = await go_on()
            await always.hear_until(last)
            entries = [one for one in always.heard if one[0] != Kind.START_OVER and one[1] <= last]
            expected = list(dict.fromkeys(one for one in entries if one[0] in DOORS[door].kinds and one[1] > start))
            while len(back.heard) < len(expected) + starts_over:
                await back.hear()
            assert back.heard[starts_over:] == expected
            pruned_to = (await models.Room.objects.aget()).pruned_to
            shown = await back.history()
            assert always.screen.kept(pruned_to) == shown.kept(pruned_to)
            if asks_for_all:
                assert back.screen.kept(pruned_to) == shown.kept(pruned_to)
