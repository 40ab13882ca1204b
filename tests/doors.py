"""Two doors to a room, and a third that is one of them with a greeting, under one handle: listeners at any of
them hears the same. Parametrise `door` with DOORS."""

import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from chat.domain import event_ids
from chat.domain.positions import Position
from chat.domain.rooms import find
from mysite.asgi import application
from tests.conftest import ChatSocket, GraphQLSocket, close
from tests.event_stream import EventStream

FIELDS = "{ roomName message offset id clientId kind }"
ROOM_MESSAGES = f"subscription ($rooms: [RoomPosition!]!) {{ roomMessages(rooms: $rooms) {FIELDS} }}"
JOIN_CHAT_ROOMS = f"""subscription ($rooms: [ChatRoom!]!, $positions: [RoomPosition!]) {{
    joinChatRooms(rooms: $rooms, user: "foo", positions: $positions) {FIELDS}
}}"""
POST = f"mutation ($input: PostMessageInput!) {{ postMessage(input: $input) {{ message {FIELDS} error {{ code }} }} }}"


Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Heard:
    """One event received through a door."""

    kind: str
    offset: int | None
    text: str
    client_id: str | None
    room: str
    id: str | None = None


class BrowserDoor:
    """`/ws/chat/<room>/?after=<offset>&id=<id>`"""

    def __init__(self, socket: ChatSocket) -> None:
        self.socket = socket

    @classmethod
    @asynccontextmanager
    async def open(
        cls, room: str, after: int | None = None, id: str | None = None, **scope: Any
    ) -> AsyncIterator["BrowserDoor"]:
        query = "" if after is None else f"?after={after}" + (f"&id={quote(id)}" if id else "")
        socket = ChatSocket(application, f"/ws/chat/{quote(room)}/{query}", **scope)
        connected, _ = await socket.connect(timeout=5)
        assert connected
        try:
            yield cls(socket)
        finally:
            await close(socket)

    async def hear(self) -> Heard:
        """The next thing that comes, greetings aside."""
        while True:
            frame = await self.socket.receive_json_from(timeout=5)
            if frame["kind"] != "greeting":
                one = [frame[key] for key in ("kind", "offset", "message", "client_id", "room", "id")]
                return Heard(*one)

    async def post(self, text: str, client_id: str | None = None) -> None:
        """Says `text` in this room."""
        await self.socket.send_json_to({"message": text, "client_id": client_id})


class GraphQLDoor:
    """`roomMessages(rooms: [{roomName, after, afterId}])`, over graphql-transport-ws."""

    field = "roomMessages"

    def __init__(self, socket: GraphQLSocket, room: str) -> None:
        self.socket = socket
        self.room = room
        self.ids = itertools.count()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, room: str, after: int | None = None, id: str | None = None, **scope: Any
    ) -> AsyncIterator["GraphQLDoor"]:
        async with cls.open_all({room: after}, ids={room: id}, **scope) as door:
            yield door

    @classmethod
    @asynccontextmanager
    async def open_all(
        cls, positions: dict[str, int | None], ids: Mapping[str, str | None] = MappingProxyType({}), **scope: Any
    ) -> AsyncIterator["GraphQLDoor"]:
        protocol = "graphql-transport-ws"
        socket = GraphQLSocket(application, "/graphql", protocol=protocol, subprotocols=[], **scope)
        await socket.gql_init()
        door = cls(socket, next(iter(positions)))
        try:
            await door.subscribe(
                [{"roomName": room, "after": after, "afterId": ids.get(room)} for room, after in positions.items()]
            )
            yield door
        finally:
            await close(socket)

    async def subscribe(self, positions: list[dict[str, Any]]) -> None:
        await self.start(ROOM_MESSAGES, {"rooms": positions}, positions)

    async def start(self, query: str, variables: dict[str, Any], positions: list[dict[str, Any]]) -> None:
        """Starts the subscription. One that recovers nothing hears messages from when this returns on."""
        recovers = all(one["after"] is not None for one in positions)
        await (self.socket.start if recovers else self.socket.subscribe)(query, variables)

    async def hear(self) -> Heard:
        while True:
            frame = await self.socket.receive_json_from(timeout=5)
            if frame["type"] == "next" and frame["id"] == "1":
                data = frame["payload"]["data"][self.field]
                if data["kind"] != "GREETING":
                    kind = data["kind"].lower()
                    one = [data[key] for key in ("offset", "message", "clientId", "roomName", "id")]
                    return Heard(kind, *one)

    async def post(self, text: str, client_id: str | None = None) -> None:
        variables = {"input": {"roomName": self.room, "message": text, "clientId": client_id}}
        await self.socket.start(POST, variables, id=f"post {next(self.ids)}")


class GreetingDoor(GraphQLDoor):
    """`joinChatRooms(rooms, user, positions: [{roomName, after, afterId}])`"""

    field = "joinChatRooms"

    async def subscribe(self, positions: list[dict[str, Any]]) -> None:
        rooms = [{"roomName": one["roomName"]} for one in positions]
        await self.start(JOIN_CHAT_ROOMS, {"rooms": rooms, "positions": positions}, positions)


class EventsDoor:
    """`roomMessages(rooms: [{roomName}])`, as server-sent events, with the position in `Last-Event-ID`."""

    def __init__(self, stream: EventStream, room: str, headers: Headers) -> None:
        self.stream = stream
        self.room = room
        self.headers = headers

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        room: str,
        after: int | None = None,
        id: str | None = None,
        headers: list[tuple[bytes, bytes]] | None = None,
    ) -> AsyncIterator["EventsDoor"]:
        headers = headers or []
        position = {} if after is None else {find(room): Position(after, id)}
        last = [(b"last-event-id", event_ids.encode(position).encode())] if position else []
        body = {"query": ROOM_MESSAGES, "variables": {"rooms": [{"roomName": room}]}}
        stream = await EventStream(body, headers=[*headers, *last]).open()
        if not position:
            await stream.position()
        try:
            yield cls(stream, room, headers)
        finally:
            await stream.leave()

    async def hear(self) -> Heard:
        while True:
            data = (await self.stream.result())["data"]["roomMessages"]
            if data["kind"] != "GREETING":
                one = [data[key] for key in ("offset", "message", "clientId", "roomName", "id")]
                return Heard(data["kind"].lower(), *one)

    async def post(self, text: str, client_id: str | None = None) -> None:
        variables = {"input": {"roomName": self.room, "message": text, "clientId": client_id}}
        answer = await EventStream({"query": POST, "variables": variables}, headers=self.headers).open()
        await answer.text()


DOORS = [BrowserDoor, GraphQLDoor, GreetingDoor]
Door = BrowserDoor | GraphQLDoor | EventsDoor
