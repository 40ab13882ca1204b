"""The listeners of one room that ask for its live states, and what they are told.

They are told the state after a change, all of them the same, once a second at most; an earlier state is of no use any
more. The reports of other processes about the room are kept here, too: only as long as somebody asks.
"""

import asyncio
import heapq
from collections.abc import Iterable, Mapping
from typing import Any

from chat.delivery.listener import Listener
from chat.delivery.pace import Pace
from chat.delivery.rooms.people_here import Peer, PeopleHere, Typers, people_of
from chat.domain.people import Person
from chat.domain.presence import PEOPLE_MAX, LiveKind, LiveState, Presence, Typing
from chat.domain.rooms import Room

INTERVAL = 1.0  # seconds between two states of a kind
GATHERED = 0.05  # seconds for which the first change waits for others
ANSWER_TIME = 0.25  # seconds that others have to tell who is there, before listeners are told
OPEN_TIMEOUT = 1.5  # seconds after which listeners are told what is known, whether or not the others could be asked


class Onlookers:
    """Told of each change by the room's presence, which calls `run` when something is due."""

    def __init__(self, room: Room, here: PeopleHere, typers: Typers) -> None:
        """`here` and `typers` are the people of this process."""
        self._room = room
        self._here = here
        self._typers = typers
        self._peers: dict[str, Peer] = {}  # by process
        self._askers: dict[LiveKind, set[Listener]] = {kind: set() for kind in LiveKind}
        self._uninformed: set[Listener] = set()  # those that haven't been told who is here yet
        self._showing = {kind: Pace(INTERVAL) for kind in LiveKind}
        self._shown: dict[LiveKind, LiveState] = {}
        self._settles_at: float | None = None  # when all have had the time to answer; None before they were asked
        self._holds_until = _now() + OPEN_TIMEOUT  # what is known before may be far from complete

    def __bool__(self) -> bool:
        return any(self._askers.values())

    def add(self, listener: Listener) -> None:
        for kind in LiveKind:
            if kind in listener.live_kinds:
                self._askers[kind].add(listener)
        if LiveKind.PRESENCE in listener.live_kinds:
            self._uninformed.add(listener)
            self.changed(LiveKind.PRESENCE)
        if LiveKind.TYPING in listener.live_kinds:
            typing = self._shown.get(LiveKind.TYPING)
            if typing is None:
                self.changed(LiveKind.TYPING)
            elif typing.people:
                listener.update(typing)

    def discard(self, listener: Listener) -> None:
        for askers in self._askers.values():
            askers.discard(listener)
        self._uninformed.discard(listener)

    def changed(self, kind: LiveKind) -> None:
        """The state of that kind may have changed."""
        self._showing[kind].request(_now() + (GATHERED if kind is LiveKind.PRESENCE else 0))

    # The other processes

    def asked(self, at: float) -> None:
        """All others are asked at that time on the event loop's clock."""
        self._settles_at = at + ANSWER_TIME
        self._holds_until = min(self._holds_until, self._settles_at)
        self._showing[LiveKind.PRESENCE].request(self._settles_at)

    def take(self, process: str, message: Mapping[str, Any]) -> bool:
        """Takes in what a process has told. False if something that it told before was missed. Raises if it makes no
        sense.
        """
        if "typing" in message:
            peer = self._peers.setdefault(process, Peer(0, {}))
            peer.set_typers(message["typing"], _now())
            self.changed(LiveKind.TYPING)
        if "seq" not in message:
            return True
        seq, known = int(message["seq"]), self._peers.get(process)
        if "people" in message:
            self._peers[process] = Peer(seq, people_of(message["people"]), known.typers if known else Typers())
        elif known is None or seq != known.seq + ("came" in message):
            return False
        elif "came" in message:
            known.change(seq, message["came"], message["left"])
        else:
            return True
        self.changed(LiveKind.PRESENCE)
        return True

    def drop(self, process: str) -> bool:
        """Forgets a process. Returns whether anything was known of it."""
        if self._peers.pop(process, None) is None:
            return False
        self._all_changed()
        return True

    def lose_others(self) -> None:
        """The knowledge of other processes may be wrong by now."""
        self._peers.clear()
        self._settles_at, self._holds_until = None, 0.0
        self._all_changed()

    def spoke(self, person_id: str) -> bool:
        """Somebody isn't typing any more. Returns whether they were, through another process."""
        stopped = [peer for peer in self._peers.values() if peer.typers.stop(person_id)]
        if stopped:
            self.changed(LiveKind.TYPING)
        return bool(stopped)

    def _all_changed(self) -> None:
        for kind in LiveKind:
            self.changed(kind)

    # In time

    @property
    def next_due(self) -> float:
        showing = [pace.due for pace in self._showing.values()]
        return min([*showing, *(peer.typers.next_expiry for peer in self._peers.values() if peer.typers)])

    def run(self, now: float, *, may_tell: bool, is_up: bool) -> None:
        """Does what is due. With `may_tell`, all of them are known to be still allowed to be in the room."""
        if [peer for peer in self._peers.values() if peer.typers.expire(now)]:
            self.changed(LiveKind.TYPING)
        for kind, showing in self._showing.items():
            if not showing.take(now):
                continue
            if not may_tell:
                showing.request(now + INTERVAL)
            elif kind is LiveKind.TYPING:
                self._show_typing()
            elif now < self._holds_until:
                showing.hurry(self._holds_until)
            else:
                self._show_presence(complete=is_up and self._settles_at is not None and now >= self._settles_at)

    @property
    def people(self) -> dict[str, Person]:
        """The people in the room through this process and the others, by their ids."""
        everybody: dict[str, Person] = {}
        for peer in self._peers.values():
            everybody |= peer.people
        return everybody | self._here.people

    def _show_presence(self, *, complete: bool) -> None:
        everybody = self.people
        first = heapq.nsmallest(PEOPLE_MAX, everybody.values(), key=lambda person: (person.name.casefold(), person.id))
        self._show(Presence(room=self._room, count=len(everybody), people=tuple(first), complete=complete))
        self._uninformed.clear()

    def _show_typing(self) -> None:
        everybody: dict[str, Person] = {person.id: person for person, _ in self._typers}
        for peer in self._peers.values():
            everybody |= {person.id: person for person, _ in peer.typers}
        typing = Typing(room=self._room, people=tuple(everybody.values())[:PEOPLE_MAX])
        if typing.people or LiveKind.TYPING in self._shown:
            self._show(typing)

    def _show(self, state: LiveState) -> None:
        """Tells all that ask, if the state has changed; else those that haven't been told yet."""
        before = self._shown.get(state.kind)
        listeners: Iterable[Listener] = self._askers[state.kind]
        if before == state and before is not None:
            state = before  # an object is rendered once
            listeners = self._uninformed if state.kind is LiveKind.PRESENCE else ()
        self._shown[state.kind] = state
        for listener in tuple(listeners):
            listener.update(state)


def _now() -> float:
    return asyncio.get_running_loop().time()
