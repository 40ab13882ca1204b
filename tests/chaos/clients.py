"""Clients do what a good client does: come back with their position, send until acknowledged, start over if told to."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from datetime import datetime
from random import Random
from typing import Any, ClassVar
from urllib.parse import quote

import aiohttp
from websockets import ClientConnection, WebSocketException, connect

from tests.chaos.acts import Act, Habits, Verb
from tests.chaos.ledger import Ledger, change_of
from tests.chaos.rooms import read_history
from tests.screen import Screen

AWAY = (OSError, WebSocketException, aiohttp.ClientError)
RESEND_INTERVAL = 3.0  # seconds until an unacknowledged message is sent again
TICK = 0.05  # seconds from one look for something to send to the next
TIMEOUT = aiohttp.ClientTimeout(total=RESEND_INTERVAL)
OPTIONS: dict[str, Any] = {"open_timeout": 5, "close_timeout": 1, "ping_interval": 5, "ping_timeout": 5}  # seconds


class Client:
    """A client that listens to `rooms` on one of `hosts` at a time, and does something there now and then.

    With an `emoji` of its own it has a session, and so it is the same person all the time.
    """

    kind: ClassVar[str]

    def __init__(self, name: str, rooms: list[str], hosts: list[str], seed: int, emoji: str | None = None) -> None:
        self.name = name
        self.hosts = hosts
        self.random = Random(f"{seed} {name}")
        self.habits = Habits(Random(f"{seed} {name} acts"), emoji)
        self.ledger = Ledger(rooms)
        self.screens = {room: Screen() for room in rooms}
        self.own: dict[str, set[int]] = {room: set() for room in rooms}  # offsets of what it said
        self.acts: dict[str, Act] = {}  # by id, all that it ever did
        self.unacknowledged: dict[str, Act] = {}  # in the order in which they were begun
        self.socket: ClientConnection | None = None
        self.cookie = ""
        self.connecting_at = 0.0  # when the connection was begun, as time.time() counts
        self._unread: dict[str, int] = {}  # by room, the offset up to which its history has to be read
        self._numbers = itertools.count(1)
        self._due: dict[str, float] = {}  # when to send again, on the monotonic clock, by id

    async def talk(self, seconds: float, rate: float = 2.0) -> None:
        """Does about so many things a second."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            room = self.random.choice(self.ledger.rooms)
            busy = {act.target for act in self.unacknowledged.values() if act.room == room}
            self.begin(self.habits.choose(room, self.screens[room], self.own[room], busy))
            await asyncio.sleep(self.random.uniform(0.2, 1.8) / rate)

    def say_something(self) -> None:
        self.begin(Act(self.random.choice(self.ledger.rooms)))

    def begin(self, act: Act) -> None:
        """Queues an act for sending; from now on it has to be acknowledged some time."""
        id = f"{self.name}-{next(self._numbers)}"
        self.acts[id] = self.unacknowledged[id] = act

    async def live(self) -> None:
        """Connects, again and again, until it is cancelled."""
        while True:
            self.connecting_at = time.time()
            try:
                await self.converse(self.random.choice(self.hosts))
            except* AWAY:
                pass  # it comes back as if nothing had been
            if self.socket:
                self.ledger.closings[self.socket.close_code] += 1
            self.socket = None
            await asyncio.sleep(self.random.choice([0.1, 0.3, 1.0, 3.0]))

    async def converse(self, host: str) -> None:
        """Sends and hears until the connection ends, by an exception of AWAY."""
        raise NotImplementedError

    async def begin_session(self, host: str) -> None:
        """Has a session from here on, as a page makes it."""
        if not self.cookie:
            url = f"http://{host}/chat/{quote(self.ledger.rooms[0], safe='')}/"
            async with aiohttp.ClientSession() as session, session.get(url, timeout=TIMEOUT) as page:
                page.raise_for_status()
                self.cookie = "; ".join(f"{one.key}={one.value}" for one in page.cookies.values())

    def headers(self, host: str) -> dict[str, str]:
        return {"Cookie": self.cookie, "Origin": f"http://{host}"} if self.cookie else {}

    def cut(self) -> None:
        """Goes without a word, as a laptop does that is closed."""
        if self.socket:
            self.socket.transport.abort()

    async def to_send(self) -> AsyncIterator[str]:
        """The ids of what is to be sent now: new, or not acknowledged for too long. Without end."""
        while True:
            now = time.monotonic()
            for id in [id for id in self.unacknowledged if self._due.get(id, 0) <= now]:
                self._due[id] = now + RESEND_INTERVAL
                self.ledger.send(id)
                yield id
            await asyncio.sleep(TICK)

    def send_soon(self, id: str) -> None:
        self._due[id] = time.monotonic() + 0.3

    # The outcome of an act

    def acknowledge(self, id: str, offset: int | None) -> None:
        """It is stored under `offset`, where that is told."""
        act = self.acts[id]
        self.unacknowledged.pop(id, None)
        if act.verb is Verb.SAY and offset is not None:
            self.ledger.acknowledge(id, offset)
            if self.habits.emoji:
                self.own[act.room].add(offset)
        elif act.verb is Verb.REACT and act.emoji == self.habits.emoji and act.target is not None:
            self.ledger.reacted[act.room, act.target] = act.on
        elif act.target is not None and offset is not None:
            self.ledger.acknowledge(id, offset, change_of(act.verb.name, act.target))

    def refuse(self, id: str, code: str, about: object) -> None:
        """It can't be done, or not yet."""
        act = self.acts[id]
        if code == "unavailable":
            self.send_soon(id)
        elif code == "no_such_message" and act.verb is Verb.SAY:  # it is said all the same
            act.target = None
            self.send_soon(id)
        elif code in {"no_such_message", "not_allowed"} and act.target is not None:
            self.unacknowledged.pop(id, None)
            self.ledger.refused[act.room, act.target] = code
        else:
            self.complain(about)

    # Events that are heard

    def hear(self, room: str, offset: int, what: str, sent_at: str, id: str = "") -> None:
        sent = datetime.fromisoformat(sent_at).timestamp()
        self.ledger.hear(room, offset, what, sent_at=sent, connected_at=self.connecting_at, id=id)

    def start_over(self, room: str, offset: int, id: str) -> None:
        self.ledger.start_over(room, offset, id)
        self.own[room].clear()
        self._unread[room] = offset

    async def read_histories(self, host: str) -> None:
        """Of the rooms that have to be started over. Later events of them come to that."""
        for room, offset in list(self._unread.items()):
            self.screens[room] = await read_history(host, room, before=offset + 1)
            del self._unread[room]

    def complain(self, about: object) -> None:
        self.ledger.complaints.append(f"{self.name} was sent {about}")


class Browser(Client):
    """A guest with a session, in one room."""

    kind = "browser"

    async def converse(self, host: str) -> None:
        (room,) = self.ledger.rooms
        await self.begin_session(host)
        await self.read_histories(host)
        position = f"after={self.ledger.positions[room]}&id={quote(self.ledger.ids.get(room, ''))}"
        async with connect(
            f"ws://{host}/ws/chat/{quote(room, safe='')}/?with=edits,reactions&{position}",
            additional_headers=self.headers(host),
            **OPTIONS,
        ) as self.socket:
            self.ledger.connections += 1
            async with asyncio.TaskGroup() as group:
                group.create_task(self.send_all(self.socket))
                async for text in self.socket:
                    self.take(room, json.loads(text))
                    await self.read_histories(host)
                raise ConnectionResetError  # it was closed in good order

    async def send_all(self, socket: ClientConnection) -> None:
        self._due.clear()  # what was on its way may be lost
        async for id in self.to_send():
            await socket.send(json.dumps(self.frame(id, self.unacknowledged[id])))

    def frame(self, id: str, act: Act) -> dict[str, Any]:
        match act.verb:
            case Verb.EDIT:
                return {"edit": act.target, "message": id, "request": id}
            case Verb.REACT:
                return {"react": act.target, "emoji": act.emoji, "on": act.on, "request": id}
            case Verb.DELETE:
                return {"delete": act.target, "request": id}
        reply = {} if act.target is None else {"reply_to": act.target}
        return {"message": id, "client_id": id, **reply}

    def take(self, room: str, frame: dict[str, Any]) -> None:
        match frame:
            case {"kind": "message", "offset": int(offset), "client_id": str(id), "sent_at": str(sent_at)}:
                if id in self.ledger.sent:
                    self.acknowledge(id, offset)
                    if self.ledger.is_answer(room, offset, id):
                        return
                self.hear(room, offset, id, sent_at, frame.get("id") or "")
                self.screens[room].take_frame(frame)
            case {"kind": "edit" | "reaction" | "deletion" as kind, "offset": int(offset), "target": int(target)}:
                self.hear(room, offset, change_of(kind, target), frame["sent_at"], frame["id"])
                self.screens[room].take_frame(frame)
                self.take_answer(kind, offset, target, frame["message"])
            case {"kind": "reacted", "request": str(id)}:
                self.acknowledge(id, None)
            case {"kind": "start_over", "offset": int(offset)}:
                self.start_over(room, offset, frame.get("id") or "")
            case {"error": {"code": str(code)}, "client_id": str(id)} | {
                "error": {"code": str(code)},
                "request": str(id),
            }:
                self.refuse(id, code, frame)
            case {"error": {"code": "unavailable"}}:
                pass  # the connection is closed with 1013 next
            case _:
                self.complain(frame)

    def take_answer(self, kind: str, offset: int, target: int, text: str) -> None:
        """An edit and a deletion are answered by nothing but what everybody gets."""
        for id, act in list(self.unacknowledged.items()):
            edited = kind == "edit" and act.verb is Verb.EDIT and text == id
            if edited or (kind == "deletion" and act.verb is Verb.DELETE and act.target == target):
                self.acknowledge(id, offset)
