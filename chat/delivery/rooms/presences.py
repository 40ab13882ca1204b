"""Presence and typing of all rooms in this process.

The people of a room are told through a group of the room (chat.delivery.rooms.presence_messages), to the processes that
have listeners there. That a process lives is told through one group on each of the layer's servers, for all its rooms.
A process of which nothing is heard is taken for dead, and so nobody is here who was there through it.

While a server is away, each process knows its own people alone of the rooms there, and says so.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chat import log_context
from chat.delivery.batcher import Batcher
from chat.delivery.groups import Groups
from chat.delivery.layer import Layer
from chat.delivery.listener import Listener
from chat.delivery.rooms.peers import HEARTBEAT, Peers
from chat.delivery.rooms.presence_messages import TYPE
from chat.delivery.rooms.room_presence import RoomPresence
from chat.domain.events import Event, Kind
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import Banned, NotAMember, unforeseen

logger = logging.getLogger(__name__)

LIFE_GROUP = "presence"  # no room's: these have a dot and a hash behind it. On other servers it is presence.1 or so
CHECK_INTERVAL = 1.0  # seconds between two looks at the servers, and at the processes that are silent
SUSPECTED = 3.0  # seconds that a server may be away before what is known of others is given up
RESUBSCRIBING = 2.0  # seconds that the layer has to be in its groups again, once a server is back
TOGETHER_MAX = 100  # messages that are sent before the layer's answer is awaited
QUESTIONS_PER_SECOND = 200  # rooms of which others are asked then


class Presences:
    """The presence of each room of this event loop with listeners, or with people who were here until just now.

    It is the attendance of the rooms' source: the hub tells it who comes and goes.
    """

    message_type = TYPE

    def __init__(self, groups: Groups, may_tell: Callable[[Room], bool]) -> None:
        """`groups` are the hub's. `may_tell` says whether all its listeners of a room may still be there."""
        self.id = secrets.token_hex(6)
        self.may_tell = may_tell
        self._groups = groups
        self._layer = Layer.here()
        self._rooms: dict[str, RoomPresence] = {}  # by the group of their presence
        self._peers = Peers()
        self._away_since: dict[int, float] = {}  # by server, on the event loop's clock
        self._back_at: dict[int, float] = {}  # by server, while its rooms' groups may not all be joined again
        self._given_up: set[int] = set()  # servers that are away for so long that nothing is known of others
        self._occupied: set[str] = set()  # the groups of rooms with listeners
        self._sending = Batcher(self._send_all, lambda waiting: range(min(TOGETHER_MAX, len(waiting))))
        self._to_join: set[RoomPresence] = set()
        self._unjoined: set[RoomPresence] = set()  # those whose server was away
        self._joining: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[None] | None = None
        self._stopped = False

    def __len__(self) -> int:
        return len(self._rooms)

    # From the hub

    def arrive(self, listener: Listener) -> None:
        """The listener hears its rooms from now on."""
        if listener.arrived or self._stopped:
            return
        listener.arrived = True
        for room in listener.logs:
            self._open(room).arrive(listener)
            self._occupied.add(room.presence_group)

    def depart(self, listener: Listener, error: Exception | None = None) -> None:
        """The listener hears nothing more. Its person counts for a few seconds yet, unless they were excluded."""
        if not listener.arrived:
            return
        listener.arrived = False
        linger = not isinstance(error, Banned | NotAMember)
        for room in listener.logs:
            if presence := self._rooms.get(room.presence_group):
                presence.depart(listener, linger=linger and not self._stopped)
                if not presence.listeners:
                    self._occupied.discard(room.presence_group)
                    self._unjoined.discard(presence)

    def hear(self, event: Event) -> None:
        """A person who has said something isn't typing any more."""
        presence = self._rooms.get(event.room.presence_group)
        if presence is not None and event.kind is Kind.MESSAGE and event.person is not None:
            presence.spoke(event.person.id)

    def groups_left(self, logs: Iterable[Room]) -> list[str]:
        """The groups that the process has to leave, of those by which it hears of the presence in these rooms."""
        groups = [room.presence_group for room in logs if room.presence_group not in self._occupied]
        if not self._occupied:
            groups += self._layer.group_on_each_server(LIFE_GROUP)
        return [group for group in groups if self._groups.wants(group)]

    def receive(self, message: Mapping[str, Any]) -> None:
        """Takes a message of another process. Never raises: it may be of another version."""
        try:
            if message["process"] != self.id:
                self._take(message)
        except Exception as error:
            logger.warning("Can't make sense of what was told about presence: %r", error)

    # From actions

    def type(self, room: Room, person: Person, is_typing: bool) -> None:
        """A person who may be in the room, and speaks through this process, is typing; or is not any more."""
        if not self._stopped and (is_typing or room.presence_group in self._rooms):
            self._open(room).type(person, is_typing)

    def people(self, room: Room) -> list[Person]:
        """The people in the room, as far as they are known here: through this process, and others if anybody asks."""
        presence = self._rooms.get(room.presence_group)
        return list(presence.people.values()) if presence else []

    def rename(self, person: Person) -> None:
        """A person has another name from now on."""
        for presence in tuple(self._rooms.values()):
            presence.rename(person)

    async def stop(self) -> None:
        """The process ends: nobody is here through it any more, and the others are told so at once."""
        self._stopped = True
        for presence in self._rooms.values():
            presence.close()
        if self._checking is not None:
            self._checking.cancel()
            await self._tell_life(ends=True)

    # For the rooms

    def join(self, presence: RoomPresence) -> None:
        self._to_join.add(presence)
        if self._joining is None:
            self._joining = asyncio.create_task(self._join_all(), context=log_context.detached())

    async def send(self, presence: RoomPresence, message: Mapping[str, Any]) -> bool:
        if self._stopped:
            return True
        asks_all = message.get("ask") == []
        told = {key: value for key, value in message.items() if key != "ask"} if asks_all else message
        sent = await self._sending.ask((presence.room.presence_group, told))
        if asks_all:
            asked = {key: message[key] for key in ("type", "room_id", "process", "ask")}
            server = self._layer.server_of(presence.room.presence_group)
            await self._sending.ask((self._layer.group_on_each_server(LIFE_GROUP)[server], asked))
        return sent

    async def _send_all(self, addressed: list[tuple[str, Mapping[str, Any]]]) -> list[bool]:
        await self._layer.send(*addressed)
        return [not self._layer.is_away(self._layer.server_of(group)) for group, _ in addressed]

    def is_up(self, presence: RoomPresence) -> bool:
        server = self._layer.server_of(presence.room.presence_group)
        return not self._layer.is_away(server) and not {server} & (self._away_since.keys() | self._back_at.keys())

    def forget(self, presence: RoomPresence) -> None:
        presence.close()
        group = presence.room.presence_group
        if self._rooms.get(group) is presence:
            del self._rooms[group]
        if not self._rooms and self._checking is not None:
            self._checking.cancel()
            self._checking = None
            self._peers.forget()
            self._away_since.clear()
            self._back_at.clear()
            self._given_up.clear()

    def _open(self, room: Room) -> RoomPresence:
        presence = self._rooms.get(room.presence_group)
        if presence is None:
            presence = self._rooms[room.presence_group] = RoomPresence(room, self)
        if self._checking is None:
            self._checking = asyncio.create_task(self._keep_checking(), context=log_context.detached())
        return presence

    async def _join_all(self) -> None:
        try:
            while self._to_join:
                joining, self._to_join = [one for one in self._to_join if one.listeners], set()
                if joining:
                    groups = [one.room.presence_group for one in joining if one.is_asked]
                    wanted = [*groups, *self._layer.group_on_each_server(LIFE_GROUP)]
                    await self._groups.want(dict.fromkeys(wanted, True))
                    await self._leave_again(joining)
        except Exception as error:
            unforeseen(error)
        finally:
            self._joining = None

    async def _leave_again(self, joined: Iterable[RoomPresence]) -> None:
        """Tells the rooms that they are joined; leaves those that lost their last listener meanwhile."""
        self._unjoined.update(one for one in joined if one.listeners)
        self._note_joined()
        if left := self.groups_left(one.room for one in joined):
            await self._groups.want(dict.fromkeys(left, False))

    def _note_joined(self) -> None:
        for presence in [one for one in self._unjoined if self._is_joined(one) or not one.is_asked]:
            self._unjoined.discard(presence)
            presence.joined()

    def _is_joined(self, presence: RoomPresence) -> bool:
        return presence.room.presence_group in self._groups

    # The others

    def _take(self, message: Mapping[str, Any]) -> None:
        process, group = message["process"], message["room_id"]
        server = self._layer.server_of(group)
        if message.get("ends"):
            self._peers.end(server, process)
            for presence in tuple(self._rooms.values()):
                presence.drop(process)
            return
        struck_off = self._peers.note(server, process, asyncio.get_running_loop().time())
        for presence in [self._rooms[one] for one in struck_off if one in self._rooms]:
            presence.ask_one(process)
        if group in self._rooms:
            self._rooms[group].receive(message)

    async def _tell_life(self, *, ends: bool = False) -> None:
        groups = self._layer.group_on_each_server(LIFE_GROUP)
        about = {"type": TYPE, "process": self.id, "ends": ends}
        await self._layer.send(*((group, {**about, "room_id": group}) for group in groups))

    async def _keep_checking(self) -> None:
        """Tells that this process lives, and looks after the others and the servers, as long as there are rooms."""
        loop = asyncio.get_running_loop()
        next_beat = loop.time() + HEARTBEAT  # until then, what it tells of its rooms is a sign of life
        while True:
            try:
                if loop.time() >= next_beat or self._away_since:
                    next_beat = loop.time() + HEARTBEAT
                    await self._tell_life()
                self._check_servers(loop.time())
                self._note_joined()
                self._strike_off_the_silent(loop.time())
            except Exception as error:
                unforeseen(error)
            await asyncio.sleep(CHECK_INTERVAL)

    def _check_servers(self, now: float) -> None:
        for server in range(self._layer.server_count):
            if self._layer.is_away(server):
                self._suspect(server, now)
            elif server in self._away_since:
                del self._away_since[server]
                self._given_up.discard(server)
                self._back_at[server] = now
            elif server in self._back_at and now - self._back_at[server] >= RESUBSCRIBING:
                del self._back_at[server]
                self._ask_again(server)

    def _suspect(self, server: int, now: float) -> None:
        """The server is away: says at once that the others can't be known, and soon gives up what was known."""
        self._back_at.pop(server, None)
        if server not in self._away_since:
            self._away_since[server] = now
            for presence in self._on(server):
                presence.show_again()
        if server not in self._given_up and now - self._away_since[server] >= SUSPECTED:
            self._given_up.add(server)
            for presence in self._on(server):
                presence.lose_others()

    def _ask_again(self, server: int) -> None:
        rooms = [one for one in self._on(server) if one.is_asked and self._is_joined(one)]
        for presence in rooms:
            self._unjoined.discard(presence)
            presence.joined(within=len(rooms) / QUESTIONS_PER_SECOND)

    def _on(self, server: int) -> list[RoomPresence]:
        return [one for group, one in self._rooms.items() if self._layer.server_of(group) == server]

    def _strike_off_the_silent(self, now: float) -> None:
        for server, process in self._peers.silent(now):
            groups = [presence.room.presence_group for presence in self._on(server) if presence.drop(process)]
            self._peers.bury((server, process), groups)
