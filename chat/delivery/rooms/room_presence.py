"""The people who are in one room, or typing there, through this process."""

import asyncio
import math
import random
from collections.abc import Mapping
from typing import Any, Protocol

from chat import log_context
from chat.delivery.detached_tasks import DetachedTasks
from chat.delivery.listener import Listener
from chat.delivery.pace import Pace
from chat.delivery.rooms.onlookers import Onlookers
from chat.delivery.rooms.people_here import PeopleHere, Typers
from chat.delivery.rooms.presence_messages import TYPE, PresenceMessages
from chat.domain.people import Person
from chat.domain.presence import TYPING_LASTS, LiveKind
from chat.domain.rooms import Room

ANNOUNCE_AFTER = 1.0  # seconds that somebody has to be here before others are told, where nobody here asks


class Process(Protocol):
    """This process, as far as a room's presence has to do with it."""

    id: str

    def join(self, presence: "RoomPresence") -> None:
        """Joins the room's group if somebody here asks, sooner or later; then calls `joined`."""

    async def send(self, presence: "RoomPresence", message: Mapping[str, Any]) -> bool:
        """Sends to the room's group. Returns whether the layer took it."""

    def is_up(self, presence: "RoomPresence") -> bool:
        """Whether the server with the room's group answers, and has for long enough to bring what others tell."""

    def may_tell(self, room: Room) -> bool:
        """Whether all listeners here are known to be still allowed to be in the room."""

    def forget(self, presence: "RoomPresence") -> None:
        """There is nothing to know of the room any more."""


class RoomPresence:
    """Counts the people who are here, has others told of changes, and keeps the listeners that ask."""

    __slots__ = (
        "_here",
        "_is_joined",
        "_joining",
        "_loop",
        "_messages",
        "_onlookers",
        "_process",
        "_sending",
        "_timer",
        "_timer_due",
        "_typers",
        "listeners",
        "room",
    )

    def __init__(self, room: Room, process: Process) -> None:
        self.room = room
        self.listeners = 0  # how many hear the room
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._here = PeopleHere()
        self._typers = Typers()
        self._messages = PresenceMessages(self._here, self._typers)
        self._onlookers: Onlookers | None = None  # while somebody here asks
        self._is_joined = False
        self._joining = Pace(0)
        self._sending: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = math.inf  # not every handle of uvloop says

    # Listeners

    def arrive(self, listener: Listener) -> None:
        now = self._loop.time()
        if not self.listeners:
            self._joining.request(now + ANNOUNCE_AFTER)
        self.listeners += 1
        if listener.live_kinds:
            if self._onlookers is None:
                self._onlookers = Onlookers(self.room, self._here, self._typers)
                if self._is_joined:
                    self.ask()
                else:
                    self._joining.request(now)
            self._onlookers.add(listener)
        if listener.is_here and listener.person and self._here.arrive(listener.person):
            self._people_changed()
        self._wake()

    def depart(self, listener: Listener, *, linger: bool) -> None:
        """With `linger`, the person of their last listener counts for a few seconds yet."""
        self.listeners -= 1
        if not self.listeners:
            self._is_joined = False  # the hub leaves the group
        if self._onlookers is not None:
            self._onlookers.discard(listener)
            if not self._onlookers:
                self._onlookers = None
        if listener.is_here and (person := listener.person):
            if self._here.depart(person, self._loop.time(), linger=linger):
                self._people_changed()
            if not linger and self._typers.stop(person.id):
                self._typing_has_changed()
        self._wake()

    @property
    def people(self) -> dict[str, Person]:
        """The people who are known to be here, by their ids."""
        return self._here.people if self._onlookers is None else self._onlookers.people

    def rename(self, person: Person) -> None:
        if self._here.rename(person):
            self._people_changed()
            self._wake()

    def type(self, person: Person, is_typing: bool) -> None:
        """A sign that a person who speaks through this process is typing, or is not any more."""
        if is_typing:
            changed = self._typers.note(person, self._loop.time() + TYPING_LASTS)
            self._messages.typing_changed(self._loop.time())
        else:
            changed = self._typers.stop(person.id)
        if changed:
            self._typing_has_changed()
        self._wake()

    def spoke(self, person_id: str) -> None:
        """The person has said something, through whichever process, so they aren't typing it any more."""
        here = self._typers.stop(person_id)
        there = self._onlookers is not None and self._onlookers.spoke(person_id)
        if here:
            self._typing_has_changed()
        if here or there:
            self._wake()

    def _people_changed(self) -> None:
        if self._is_joined or self._messages.begun:  # else all is told once the group is joined
            self._messages.people_changed(self._loop.time())
        self.show_again()

    def show_again(self) -> None:
        """The people, or how complete they are, may have changed."""
        if self._onlookers is not None:
            self._onlookers.changed(LiveKind.PRESENCE)
            self._wake()

    def _typing_has_changed(self) -> None:
        self._messages.typing_changed(self._loop.time())
        if self._onlookers is not None:
            self._onlookers.changed(LiveKind.TYPING)

    # The other processes

    def joined(self, *, within: float = 0.0) -> None:
        """The process is in the room's group, perhaps again; if nobody here asks, it needn't be.

        Tells others of its people at some time within so many seconds.
        """
        self._is_joined = self.is_asked
        if self.is_asked:
            self.ask(within=within)
        else:
            self._messages.announce(self._loop.time())
        self._wake()

    @property
    def is_asked(self) -> bool:
        """Whether a listener here asks who is in the room, or who is typing there."""
        return self._onlookers is not None

    def ask(self, *, within: float = 0.0) -> None:
        """Asks all others who is there through them, and tells them the same."""
        at = self._loop.time() + random.random() * within
        self._messages.ask_all(at)
        if self._onlookers is not None:
            self._onlookers.asked(at)
        self._wake()

    def ask_one(self, process: str) -> None:
        """Asks a process of which something was missed."""
        self._messages.ask_one(process, self._loop.time())
        self._wake()

    def lose_others(self) -> None:
        """The server with the room's group is away."""
        self._messages.failed()
        if self._onlookers is not None:
            self._onlookers.lose_others()
        self._wake()

    def drop(self, process: str) -> bool:
        """Another process has ended, or is taken for dead. Returns whether anything was known of it."""
        known = self._onlookers is not None and self._onlookers.drop(process)
        self._wake()
        return known

    def receive(self, message: Mapping[str, Any]) -> None:
        """Takes in what another process has told. Raises if it makes no sense."""
        asked = message.get("ask")
        if asked is not None and (not asked or self._process.id in asked):
            self._messages.answer(self._loop.time())
        if self._onlookers is not None and not self._onlookers.take(message["process"], message):
            self.ask_one(message["process"])
        self._wake()

    # In time

    def _wake(self) -> None:
        """Has `_run` called when something is due next."""
        due = self._next_due()
        if self._timer is not None:
            if self._timer_due <= due:
                return
            self._timer.cancel()
            self._timer = None
        if due < math.inf:
            self._timer_due = due
            self._timer = self._loop.call_at(due, self._run, context=log_context.detached())

    def _next_due(self) -> float:
        if self._is_over:
            return self._loop.time()
        due = [self._joining.due, self._here.next_expiry, self._typers.next_expiry]
        if self._sending is None:
            due.append(self._messages.next_due)
        if self._onlookers is not None:
            due.append(self._onlookers.next_due)
        return min(due)

    @property
    def _is_over(self) -> bool:
        is_told = self._sending is None and self._messages.next_due == math.inf
        return is_told and not (self.listeners or self._here.people or self._typers)

    def _run(self) -> None:
        self._timer = None
        now = self._loop.time()
        if self._here.expire(now):
            self._people_changed()
        if self._typers.expire(now):
            self._typing_has_changed()
        if self._joining.take(now) and self.listeners and not self._is_joined:
            self._process.join(self)
        if self._sending is None and (told := self._messages.take(now)):
            address = {"type": TYPE, "room_id": self.room.presence_group, "process": self._process.id}
            self._sending = DetachedTasks.here().start(self._send(address | told))
        if self._onlookers is not None:
            process = self._process
            self._onlookers.run(now, may_tell=process.may_tell(self.room), is_up=process.is_up(self))
        if self._is_over:
            self._process.forget(self)
        else:
            self._wake()

    async def _send(self, message: Mapping[str, Any]) -> None:
        try:
            if not await self._process.send(self, message):
                self._messages.failed()
        finally:
            self._sending = None
            self._wake()

    def close(self) -> None:
        """Does nothing more, whatever was still to be done."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
