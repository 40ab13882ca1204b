"""Clients of GraphQL, which listen over a WebSocket or to events, and send over the WebSocket or over HTTP."""

import asyncio
import itertools
import json
from typing import Any

import aiohttp
from websockets import Subprotocol, connect

from tests.chaos.acts import Act, Verb
from tests.chaos.clients import AWAY, OPTIONS, TIMEOUT, Client
from tests.chaos.ledger import change_of

PROTOCOL = Subprotocol("graphql-transport-ws")
LISTEN = """subscription ($rooms: [RoomPosition!]!) {
    roomMessages(rooms: $rooms, kinds: [MESSAGE, DELETION, NOTICE, EDIT, REACTION]) {
        roomName offset id clientId kind sentAt message target reactions { emoji count } replyTo { offset message }
    }
}"""
POST = """mutation ($input: PostMessageInput!) {
    postMessage(input: $input) { message { offset clientId } error { code message } }
}"""
ANSWER = "{ entry { offset } error { code message } }"
EDIT = f"mutation ($input: EditMessageInput!) {{ editMessage(input: $input) {ANSWER} }}"
REACT = f"mutation ($input: ReactInput!) {{ react(input: $input) {ANSWER} }}"
DELETE = f"mutation ($input: DeleteMessageInput!) {{ deleteMessage(input: $input) {ANSWER} }}"


class GraphQLClient(Client):
    """A guest with a session, in several rooms."""

    kind = "GraphQL"

    async def converse(self, host: str) -> None:
        if self.habits.emoji:
            await self.begin_session(host)
        await self.read_histories(host)
        async with connect(
            f"ws://{host}/graphql", subprotocols=[PROTOCOL], additional_headers=self.headers(host), **OPTIONS
        ) as self.socket:
            await self.send(type="connection_init")
            rooms = [
                {"roomName": room, "after": after, "afterId": self.ledger.ids.get(room)}
                for room, after in self.ledger.positions.items()
            ]
            await self.send(type="subscribe", id="listen", payload={"query": LISTEN, "variables": {"rooms": rooms}})
            self.ledger.connections += 1
            async with asyncio.TaskGroup() as group:
                group.create_task(self.send_all())
                async for text in self.socket:
                    await self.take(json.loads(text))
                    await self.read_histories(host)
                raise ConnectionResetError  # it was closed in good order

    async def send(self, **frame: object) -> None:
        if self.socket:
            await self.socket.send(json.dumps(frame))

    async def send_all(self) -> None:
        self._due.clear()  # what was on its way may be lost
        number, operations = itertools.count(), dict[str, str]()  # the last one for each act
        async for id in self.to_send():
            if before := operations.get(id):
                await self.send(type="complete", id=before)  # not waited for any more
            operations[id] = operation = f"{id} {next(number)}"
            await self.send(type="subscribe", id=operation, payload=self.request(id, self.unacknowledged[id]))

    def request(self, id: str, act: Act) -> dict[str, Any]:
        about = {"roomName": act.room, "offset": act.target}
        match act.verb:
            case Verb.EDIT:
                query, given = EDIT, {**about, "message": id}
            case Verb.REACT:
                query, given = REACT, {**about, "emoji": act.emoji, "on": act.on}
            case Verb.DELETE:
                query, given = DELETE, about
            case _:
                query, given = POST, {"roomName": act.room, "message": id, "clientId": id, "replyTo": act.target}
        return {"query": query, "variables": {"input": given}}

    async def take(self, frame: dict[str, Any]) -> None:
        match frame:
            case {"type": "next", "id": "listen", "payload": {"data": {"roomMessages": message}}}:
                self.listen(message)
            case {"type": "next", "id": str(operation), "payload": {"data": dict(data)}} if operation != "listen":
                self.take_answer(operation.split()[0], data)
            case {"type": "error", "id": str(id), "payload": [{"extensions": {"code": "too_many_subscriptions"}}]}:
                self.send_soon(id.split()[0])  # it has so many to answer already
            case {"type": "ping"}:
                await self.send(type="pong")
            case {"type": "next" | "error" | "complete", "id": "listen"}:
                if "unavailable" not in str(frame) and frame["type"] != "complete":
                    self.complain(frame)
                raise ConnectionResetError  # a subscription that ended is begun again like a lost connection
            case {"type": "connection_ack" | "complete"}:
                pass
            case _:
                self.complain(frame)

    def listen(self, message: dict[str, Any]) -> None:
        match message:
            case {"kind": "MESSAGE", "roomName": room, "offset": int(offset), "clientId": str(id)}:
                self.hear(room, offset, id, message["sentAt"], message["id"])
                self.screens[room].take_node(message)
            case {"kind": "EDIT" | "REACTION" | "DELETION" as kind, "roomName": room, "offset": int(offset)}:
                self.hear(room, offset, change_of(kind, message["target"]), message["sentAt"], message["id"])
                self.screens[room].take_node(message)
            case {"kind": "START_OVER", "roomName": room, "offset": int(offset)}:
                self.start_over(room, offset, message["id"] or "")
            case _:
                self.complain(message)

    def take_answer(self, id: str, data: dict[str, Any]) -> None:
        (answer,) = data.values()
        match answer:
            case {"error": {"code": str(code)}}:
                self.refuse(id, code, answer)
            case {"message": {"offset": int(offset), "clientId": str(same)}} if same == id:
                self.acknowledge(id, offset)
            case {"entry": {"offset": int(offset)}}:
                self.acknowledge(id, offset)
            case {"entry": None} if self.acts[id].verb in {Verb.EDIT, Verb.REACT}:
                self.acknowledge(id, None)  # it was so already
            case _:
                self.complain(answer)


class HTTPPoster(GraphQLClient):
    """The same without a session: somebody else each time. Sends over HTTP, whether or not it is listening."""

    kind = "GraphQL, posting over HTTP"

    async def live(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(super().live())
            group.create_task(self.post_all())

    async def send_all(self) -> None:
        """Nothing goes over the socket."""

    async def post_all(self) -> None:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
            async for id in self.to_send():
                url = f"http://{self.random.choice(self.hosts)}/graphql"
                try:
                    async with session.post(url, json=self.request(id, self.unacknowledged[id])) as response:
                        response.raise_for_status()
                        answer = await response.json()
                except AWAY:
                    self.send_soon(id)
                else:
                    self.take_answer(id, answer["data"])


class EventsListener(HTTPPoster):
    """The same without a WebSocket: listens to server-sent events, and goes on by the id of the last one."""

    kind = "GraphQL, by events"
    event_id = ""
    response: aiohttp.ClientResponse | None = None

    async def converse(self, host: str) -> None:
        await self.read_histories(host)
        rooms = [{"roomName": room, "after": after} for room, after in self.ledger.positions.items()]
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": self.event_id} if self.event_id else {})
        body = {"query": LISTEN, "variables": {"rooms": rooms}}
        timeout = aiohttp.ClientTimeout(sock_connect=5, sock_read=20)  # seconds; a heartbeat comes every 15
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(f"http://{host}/graphql", json=body, headers=headers) as self.response,
        ):
            self.response.raise_for_status()
            self.ledger.connections += 1
            event_id = ""
            async for line in self.response.content:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "id":
                    event_id = value
                elif name == "data" and value:
                    await self.take({"type": "next", "id": "listen", "payload": json.loads(value)})
                elif not name and event_id:
                    self.event_id = event_id
                    await self.read_histories(host)
            raise ConnectionResetError  # it ended in good order

    def cut(self) -> None:
        if self.response:
            self.response.close()
