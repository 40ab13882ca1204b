"""A room's log in a list, in the place of `chat.storage`, for tests that make up what happens to it."""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chat.domain.events import Change, Event, Kind, Quote
from chat.domain.logs import Head
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.reactions import Reaction
from chat.domain.recoveries import Recovery, RecoveryRequest
from chat.domain.rooms import Room, find
from chat.errors import ChatError, NotAMember
from chat.storage import changes
from chat.storage.changes import Found, Gap, Newest
from tests.screen import Screen

ROOM = find("property")
PEOPLE = [Person(id=f"guest-{number}", name="?") for number in range(3)]
MEMBERS = set(PEOPLE[:2])
RECOVERY_MAX = 8


@dataclass
class ListLog:
    """`chat.storage.log` in a list, which is read between two delays."""

    delays: list[int]
    stored: list[Event] = field(default_factory=list)
    pruned_to: int = 0
    reads: int = 0
    ids: Iterator[int] = field(default_factory=itertools.count)
    lost: list[Event] = field(default_factory=list)  # when the log went back
    before: dict[str | None, Event | None] = field(default_factory=dict)  # the entry before each that ever was, by id
    went_behind_pruned: bool = False  # so that offsets were given again whose ids nobody could know any more

    def store(self, kind: Kind = Kind.MESSAGE, message: str | None = None, **fields: Any) -> Event:
        offset, id = len(self.stored) + 1, f"id {next(self.ids)}"
        text = f"text of {id}" if message is None else message
        event = Event(room=ROOM, message=text, offset=offset, id=id, kind=kind, previous=self.end.id, **fields)
        self.before[id] = self.stored[-1] if self.stored else None
        self.stored.append(event)
        return event

    def change(self, what: str, back: int) -> Event | None:
        """Does something with the message that is `back` messages before the last one, if that can be."""
        screen = self.screen()
        messages = [offset for offset in screen if offset > self.pruned_to and screen[offset].text]
        if not messages:
            return None
        target = messages[-1 - back % len(messages)]
        shown = screen[target]
        match what:
            case "reply":
                return self.store(reply_to=Quote(target, None, shown.text))
            case "edit":
                return self.store(Kind.EDIT, target=target)
            case "react":
                count = 1 + sum(count for _, count in shown.reactions)
                state = () if count > 3 else (Reaction("👍", count, ()),)
                return self.store(Kind.REACTION, target=target, reactions=state)
        return self.store(Kind.DELETION, target=target, message="A message was deleted.")

    def screen(self, at: int | None = None) -> Screen:
        """The room as it is after the entry `at`, or now."""
        screen = Screen()
        for event in self.stored[:at]:
            screen.take_event(event)
        return screen

    def rows(self, first: int, last: int) -> list[Event]:
        """Entries as the database has them: messages as they are now, and nothing of those that are deleted."""
        screen = self.screen()
        deleted = {event.target for event in self.stored if event.kind is Kind.DELETION}
        return [self._row(event, screen, deleted) for event in self.stored[first:last]]

    def _row(self, event: Event, screen: Screen, deleted: set[int | None]) -> Event:
        if event.kind is Kind.MESSAGE:
            assert event.offset is not None
            shown = screen[event.offset]
            quote = event.reply_to
            if quote is not None:
                gone = quote.offset <= self.pruned_to
                quote = replace(quote, message="" if gone else screen[quote.offset].text)
            is_gone = event.offset in deleted
            reactions = tuple(Reaction(emoji, count, ()) for emoji, count in shown.reactions)
            return replace(event, message=shown.text, reactions=reactions, reply_to=quote, deleted=is_gone)
        if event.kind in {Kind.EDIT, Kind.REACTION} and event.target in deleted:
            return replace(event, message="", reactions=(), deleted=True)
        return event

    def skipped(self, position: Position, event: Event) -> list[Event]:
        """The entries between a position and an entry that follows it in its log. Fails if it doesn't.

        Where the log went back, and what was said since is pruned, nobody can know: those are left out.
        """
        found = []
        here = self.before[event.id]
        while here is not None and here.offset is not None and here.offset > position.offset:
            found.append(here)
            here = self.before[here.id]
        assert (here.offset if here else 0) == position.offset, (position, event)
        # An entry before it that was pruned is named by nobody.
        named = None if position.offset <= self.pruned_to and found else (found[-1] if found else event).previous
        if None not in {named, position.id} and not self.went_behind_pruned:
            assert named == position.id, (position, event)
        return [one for one in found if not self.lost or (one.offset or 0) > self.pruned_to]

    def go_back(self, count: int) -> None:
        left = max(0, len(self.stored) - count)
        self.went_behind_pruned |= self.pruned_to > left
        self.lost += self.stored[left:]
        del self.stored[left:]
        self.pruned_to = min(self.pruned_to, left)

    def position(self, back: int) -> Position:
        """The position `back` entries before the end. One beyond the end, which a client has made up, has an id.

        Without one it would come true with the next entry, of which nobody could tell that it wasn't heard.
        """
        offset = max(0, len(self.stored) - back)
        if offset > len(self.stored):
            return Position(offset, "made up")
        return Position(offset, self.stored[offset - 1].id if 0 < offset <= len(self.stored) else None)

    @property
    def end(self) -> Position:
        kept = self.stored[self.pruned_to :]
        return Position(len(self.stored), kept[-1].id if kept else None)

    def heads(self, rooms: Iterable[Room]) -> dict[Room, Head]:
        return dict.fromkeys(rooms, Head(self.end, self.allowed(ROOM, PEOPLE) != set(PEOPLE)))

    # As of `chat.storage.changes`. All that is stored comes to the end, so a key is an offset.

    def read_newest(self) -> Newest:
        return self._at(len(self.stored))

    def read_changes(self, above: int, newest: int, gaps: Iterable[Gap]) -> Found:
        end = len(self.stored)
        last = self._at(end) if end > max(above, self.pruned_to) else None
        return Found(self._at(newest), last, {ROOM.name: Position(*last)} if last else {}, [])

    def _at(self, pk: int) -> Newest:
        return Newest(pk, self.stored[pk - 1].id) if self.pruned_to < pk <= len(self.stored) else changes.NOTHING

    def allowed(self, room: Room, people: Iterable[Person], at: int | None = None) -> set[Person]:
        """Those of `people` who may be there by the offset `at`, or now."""
        banned, private = set(), False
        for event in self.stored[:at]:
            match event.change:
                case Change.BANNED:
                    banned.add(event.subject)
                case Change.UNBANNED:
                    banned.discard(event.subject)
                case Change.CLOSED | Change.OPENED:
                    private = event.change is Change.CLOSED
        return {one for one in people if one.id not in banned and (one in MEMBERS or not private)}

    def problems_of(self, pairs: Iterable[tuple[Room, Person]]) -> dict[tuple[Room, Person], ChatError | None]:
        return {(room, one): None if self.allowed(room, [one]) else NotAMember("?") for room, one in pairs}

    def was_allowed(self, person: Person, since: int) -> bool:
        """Whether they might be there at any time from the offset `since` on."""
        return any(self.allowed(ROOM, [person], at) for at in range(since, len(self.stored) + 1))

    @property
    def took_back_permissions(self) -> bool:
        """Whether it was lost that people may be there, who had come before a feed read so far."""
        return any(event.change in {Change.OPENED, Change.UNBANNED} for event in self.lost)

    def was_excluded(self, person: Person) -> bool:
        return not all(self.allowed(ROOM, [person], at) for at in range(len(self.stored) + 1))

    def recover_all(self, requests: Sequence[RecoveryRequest]) -> list[Recovery | ChatError]:
        return [self.recover(request) for request in requests]

    def recover(self, request: RecoveryRequest) -> Recovery | ChatError:
        position = request.after
        offset = position.offset
        if request.person is not None and not self.allowed(ROOM, [request.person]):
            return NotAMember("?")
        too_many = not request.resumed and len(self.stored) - offset > RECOVERY_MAX
        if too_many or not self.pruned_to <= offset <= len(self.stored):
            return Recovery(None, position, self.end)
        here = self.stored[offset - 1].id if offset > self.pruned_to else None
        if here is not None and position.id not in {None, here}:
            return Recovery(None, position, self.end)
        events = self.rows(offset, offset + request.size)
        if events:
            events[0] = replace(events[0], previous=here)
        return Recovery(events, Position(offset, here), Position(len(self.stored)))

    async def read(self, function: Callable, *args: Any, **kwargs: Any) -> Any:
        """In the place of `in_database`."""
        await asyncio.sleep(self._delay() / 1000)
        result = function(*args, **kwargs)
        await asyncio.sleep(self._delay() / 1000)
        return result

    def _delay(self) -> int:
        self.reads += 1
        return self.delays[self.reads % len(self.delays)]
