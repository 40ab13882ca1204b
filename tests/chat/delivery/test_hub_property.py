"""Under any sequence of happenings each listener hears the log's entries of the kinds that it asked for, without holes,
each once, in order, or is told to start over; and a person who is excluded from the room hears no later entry.

Whatever a listener of all kinds heard late, and read with changes that came later still, in the end the messages,
quotes and reactions that it has built of it are those of the log.

Hypothesis makes up the sequences. To make them repeatable, nothing here is real: the log is a list,
reading takes as long as the example says, and the clock jumps to when the next thing is due.
"""

import asyncio
import itertools
import selectors
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chat.delivery import feed, groups, layer, listener, reads, watch
from chat.delivery.hub import Hub
from chat.domain.events import USUAL_KINDS, Change, Event, Kind, Quote
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.reactions import Reaction
from chat.domain.rooms import Room, find
from chat.errors import Banned, ChatError, NotAMember
from chat.storage import changes, history, permissions, recoveries
from chat.storage.changes import Found, Gap, Newest
from chat.storage.history import Head
from chat.storage.recoveries import Recovery, RecoveryRequest

ROOM = find("property")
PEOPLE = [Person(id=f"guest-{number}", name="?") for number in range(3)]
MEMBERS = set(PEOPLE[:2])
RECOVERY_MAX = 8
ALL_KINDS = frozenset(Kind)
KINDS = [
    ALL_KINDS,
    USUAL_KINDS,
    USUAL_KINDS | {Kind.EDIT},
    frozenset({Kind.REACTION}),
    frozenset({Kind.MESSAGE, Kind.REACTION}),
    frozenset({Kind.EDIT, Kind.DELETION}),
    frozenset(),
]
CHANGES = {"ban": Change.BANNED, "unban": Change.UNBANNED, "close": Change.CLOSED, "open": Change.OPENED}

# The steps of a sequence. Positions are counted from the end of the log, where most changes are.
steps = st.one_of(
    st.tuples(st.just("store"), st.integers(1, 5)),  # by another process: so many, none of which is heard of
    st.tuples(st.just("post"), st.just(0)),  # here, or where the layer brings it from
    st.tuples(st.just("hint"), st.integers(0, 12)),  # the layer brings one, for the first time or again
    st.tuples(st.just("foreign"), st.just(0)),
    st.tuples(
        st.just("join"),
        st.tuples(st.one_of(st.none(), st.integers(-1, RECOVERY_MAX + 1)), st.integers(0, 2), st.sampled_from(KINDS)),
    ),
    # Somebody is banned, or everybody but members; or they aren't any more. True if it happens here, as with a post.
    st.tuples(st.sampled_from(["ban", "unban", "close", "open"]), st.tuples(st.integers(0, 2), st.booleans())),
    # Something is done with a message, counted from the last one; here or not.
    st.tuples(st.sampled_from(["reply", "edit", "react", "delete"]), st.tuples(st.integers(0, 5), st.booleans())),
    st.tuples(st.just("leave"), st.integers(0, 5)),
    st.tuples(st.just("prune"), st.integers(0, 6)),  # all but so many
    # The log goes back by so many entries; then others are stored, so many, of which nobody hears.
    st.tuples(st.just("go back"), st.tuples(st.integers(0, 12), st.integers(0, 12))),
    st.tuples(st.just("return"), st.integers(0, 12)),  # with a position in what was lost like that
)
pauses = st.sampled_from([0, 0, 0, 1, 3, 20, 2000])  # milliseconds until the next thing happens
delays = st.sampled_from([0, 0, 1, 5, 30, 1500])  # milliseconds before and after the database is read


class Clock(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """Waits for nothing: when nothing happens before a certain time, it is that time."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "everybody waits for somebody else"
        self.now += max(timeout, 0)
        return super().select(0)


def run(work: Coroutine[None, None, None]) -> None:
    """Runs `work` on a clock of its own."""
    clock = Clock()

    def loop() -> asyncio.AbstractEventLoop:
        loop = asyncio.SelectorEventLoop(clock)
        loop.time = lambda: clock.now  # type: ignore[method-assign]
        return loop

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(work)


class SilentLayer:
    """Delivers nothing by itself: the example decides which events the hub hears."""

    async def new_channel(self) -> str:
        return "channel"

    async def group_add(self, group: str, channel: str) -> None:
        await asyncio.sleep(0)

    group_discard = group_send = group_add

    async def receive(self, channel: str) -> None:
        await asyncio.sleep(3600)


@dataclass(frozen=True)
class Shown:
    """What one sees of a message. `quote` is the offset and the text of the message that it replies to."""

    text: str
    reactions: tuple[Reaction, ...] = ()
    quote: tuple[int, str] | None = None

    @classmethod
    def of(cls, message: Event) -> "Shown":
        quote = message.reply_to and (message.reply_to.offset, message.reply_to.message)
        return cls(message.message, message.reactions, quote)


class Screen(dict[int, Shown]):
    """What one sees of a room, by offset, after its entries up to some position. Made as docs/protocol.md says."""

    def take(self, event: Event) -> None:
        if event.kind is Kind.MESSAGE:
            assert event.offset is not None
            self[event.offset] = Shown.of(event)
        elif event.kind is Kind.EDIT:
            self._set_text(event.target, event.message)
        elif event.kind is Kind.DELETION:
            self._set_text(event.target, "")
            self._change(event.target, reactions=())
        elif event.kind is Kind.REACTION:
            self._change(event.target, reactions=event.reactions)

    def _set_text(self, target: int | None, text: str) -> None:
        self._change(target, text=text)
        for offset, shown in self.items():
            if shown.quote is not None and shown.quote[0] == target:
                self[offset] = replace(shown, quote=(target, text))

    def _change(self, target: int | None, **fields: Any) -> None:
        if target in self:
            self[target] = replace(self[target], **fields)

    def kept(self, pruned_to: int) -> dict[int, Shown]:
        """The messages that the log still has; quotes of others are left out."""
        return {
            offset: replace(shown, quote=None) if shown.quote and shown.quote[0] <= pruned_to else shown
            for offset, shown in self.items()
            if offset > pruned_to
        }


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
                count = 1 + sum(one.count for one in shown.reactions)
                state = () if count > 3 else (Reaction("👍", count, ()),)
                return self.store(Kind.REACTION, target=target, reactions=state)
        return self.store(Kind.DELETION, target=target, message="A message was deleted.")

    def screen(self, at: int | None = None) -> Screen:
        """The room as it is after the entry `at`, or now."""
        screen = Screen()
        for event in self.stored[:at]:
            screen.take(event)
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
            return replace(event, message=shown.text, reactions=shown.reactions, reply_to=quote, deleted=is_gone)
        if event.kind in {Kind.EDIT, Kind.REACTION} and event.target in deleted:
            return replace(event, message="", reactions=(), deleted=True)
        return event

    def skipped(self, position: Position, event: Event) -> list[Event]:
        """The entries between a position and an entry that follows it in its log. Fails if it doesn't."""
        found = []
        here = self.before[event.id]
        while here is not None and here.offset is not None and here.offset > position.offset:
            found.append(here)
            here = self.before[here.id]
        assert (here.offset if here else 0) == position.offset, (position, event)
        # An entry before it that was pruned is named by nobody.
        named = (found[-1] if found else event).previous
        if None not in {named, position.id} and not self.went_behind_pruned:
            assert named == position.id, (position, event)
        return found

    def go_back(self, count: int) -> None:
        left = max(0, len(self.stored) - count)
        self.went_behind_pruned |= self.pruned_to > left
        self.lost += self.stored[left:]
        del self.stored[left:]
        self.pruned_to = min(self.pruned_to, left)

    def position(self, back: int) -> Position:
        """The position `back` entries before the end."""
        offset = max(0, len(self.stored) - back)
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


@dataclass
class Ear:
    """A listener, from `after` on or from now on; `heard` are the stored events that it heard."""

    after: Position | None
    person: Person
    kinds: frozenset[Kind] = ALL_KINDS
    heard: list[Event] = field(default_factory=list)
    screen: Screen = field(default_factory=Screen)  # what they see, as of the messages that they heard
    live_from: int | None = None  # how much had been said by the time they had joined
    listening: asyncio.Task[None] | None = None

    async def listen(self, log: ListLog) -> None:
        after = {} if self.after is None else {ROOM: self.after}
        if self.after is not None:
            self.screen = log.screen(self.after.offset)
        async with Hub.here().listen([ROOM], after, self.person, self.kinds) as self.outbox:
            self.live_from = len(log.stored)
            if self.after is None:
                self.screen = log.screen()
            async for event in self.outbox:
                assert event.kind in {*self.kinds, Kind.START_OVER}
                if event.offset is not None:
                    self.heard.append(event)
                    if event.kind is Kind.START_OVER:
                        self.screen = log.screen(event.offset)  # from the history
                    self.screen.take(event)
                    may_hear = log.was_allowed(self.person, since=event.offset - 1)
                    lost = event in log.lost or log.took_back_permissions
                    assert may_hear or event.kind is Kind.START_OVER or lost, (self, event)

    def check(self, log: ListLog) -> Position | None:
        """The last position; None if nothing was heard. Fails if the events heard are wrong."""
        position = self.after
        for event in self.heard:
            assert event.position
            offset = event.position.offset
            if event.kind is Kind.START_OVER:
                assert event is self.heard[0] or log.pruned_to or log.lost, self
            elif position is None:
                missed = [one for one in log.stored[self.live_from or 0 : offset - 1] if one.kind in self.kinds]
                assert not missed or log.lost, self
            else:
                assert offset > position.offset, self
                assert not [one for one in log.skipped(position, event) if one.kind in self.kinds], self
            position = event.position
        return position

    def check_end(self, log: ListLog, position: Position | None) -> None:
        """Fails if a listener that goes on isn't where the log is. `position` is that of the last event it heard."""
        # Of a log that came and went again before anybody looked, nobody hears.
        heard_to = (self.live_from or 0) if position is None else position.offset
        assert not [one for one in log.stored[heard_to:] if one.kind in self.kinds] or (position is None and log.lost)
        assert self.outbox.positions[ROOM.group] == log.end.offset or (position is None and log.lost), self
        if position is not None and log.pruned_to < position.offset and not log.went_behind_pruned:
            assert position.id in {None, log.stored[position.offset - 1].id}, self
        if self.kinds is ALL_KINDS and not log.went_behind_pruned:
            assert self.screen.kept(log.pruned_to) == log.screen().kept(log.pruned_to), self


async def follow(script: Iterable[tuple[tuple[str, Any], int]], log: ListLog) -> None:
    hub = Hub.here()
    ears = [Ear(after=None, person=PEOPLE[0])]
    ears[0].listening = asyncio.create_task(ears[0].listen(log))
    for (step, number), pause in script:
        match step:
            case "store":
                for _ in range(number):
                    log.store()
            case "post":
                hub.hear(log.store())
            case "hint" if log.stored:
                hub.hear(log.stored[-1 - number % len(log.stored)])
            case "foreign":
                hub.hear(Event(room=ROOM, message="from elsewhere"))
            case "join":
                back, who, kinds = number
                ear = Ear(None if back is None else log.position(back), PEOPLE[who], kinds)
                ear.listening = asyncio.create_task(ear.listen(log))
                ears.append(ear)
            case "ban" | "unban" | "close" | "open":
                who, here = number
                event = log.store(Kind.NOTICE, change=CHANGES[step], subject=PEOPLE[who].id)
                if here:
                    hub.hear(event)
            case "reply" | "edit" | "react" | "delete":
                back, here = number
                changed = log.change(step, back)
                if changed and here:
                    hub.hear(changed)
            case "go back":
                count, stored_since = number
                log.go_back(count)
                for _ in range(stored_since):
                    log.store()
            case "return" if log.lost:
                ear = Ear(after=log.lost[-1 - number % len(log.lost)].position, person=PEOPLE[0])
                ear.listening = asyncio.create_task(ear.listen(log))
                ears.append(ear)
            case "leave":
                ears[number % len(ears)].listening.cancel()  # type: ignore[union-attr]
            case "prune":
                log.pruned_to = max(log.pruned_to, len(log.stored) - number)
        await asyncio.sleep(pause / 1000)
    await asyncio.sleep(60)  # on our clock
    for ear in ears:
        position = ear.check(log)
        if ear.listening.done():  # type: ignore[union-attr]
            if not ear.listening.cancelled():  # type: ignore[union-attr]
                assert isinstance(ear.listening.exception(), (Banned, NotAMember)), ear  # type: ignore[union-attr]
                assert log.was_excluded(ear.person) or log.lost, ear
        else:
            ear.check_end(log, position)
            assert log.allowed(ROOM, [ear.person]) or log.took_back_permissions, ear
    for ear in ears:
        ear.listening.cancel()  # type: ignore[union-attr]
    await asyncio.wait([ear.listening for ear in ears])  # type: ignore[type-var]
    for ear in ears:
        assert ear.listening.cancelled() or ear.listening.exception(), ear.listening  # type: ignore[union-attr]


@given(
    script=st.lists(st.tuples(steps, pauses), min_size=6, max_size=30), delays=st.lists(delays, min_size=1, max_size=6)
)
# A listener who has read beyond what the process has heard, when the process finds out that a part was pruned.
@example(
    script=[
        (("post", 1), 20),
        (("store", 5), 0),
        (("prune", 2), 0),
        (("hint", 0), 0),
        (("join", (2, 0, ALL_KINDS)), 0),
    ],
    delays=[0, 5],
)
# Somebody who comes while the room is being closed elsewhere, and what is said next is heard before that.
@example(
    script=[
        (("post", 1), 20),
        (("join", (None, 2, ALL_KINDS)), 0),
        (("close", (0, False)), 0),
        (("store", 2), 0),
        (("hint", 0), 1),
        (("post", 1), 0),
    ],
    delays=[0, 5, 30],
)
# Somebody is banned in what was pruned before this process heard of it; they come again, and hear what is said next.
@example(
    script=[
        (("post", 1), 20),
        (("ban", (1, False)), 0),
        (("store", 1), 0),
        (("prune", 0), 0),
        (("post", 1), 20),
        (("join", (None, 1, ALL_KINDS)), 20),
        (("post", 1), 0),
    ],
    delays=[0],
)
# The same, but they have been there all the time.
@example(
    script=[
        (("join", (None, 1, ALL_KINDS)), 20),
        (("ban", (1, False)), 0),
        (("prune", 0), 0),
        (("post", 1), 20),
    ],
    delays=[0],
)
# A look at the database that is older than the ban that was heard meanwhile.
@example(
    script=[
        (("post", 1), 1010),
        (("ban", (1, True)), 40),
        (("join", (None, 1, ALL_KINDS)), 20),
        (("post", 1), 0),
    ],
    delays=[30, 0],
)
@settings(
    max_examples=700, derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@pytest.mark.parametrize("compares_all", [True, False], ids=["few rooms", "many rooms"])
def test_every_listener_hears_every_entry_of_its_kinds_once_and_in_order(
    script: list[tuple[tuple[str, Any], int]], delays: list[int], compares_all: bool
) -> None:
    fake = ListLog(delays)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(history, "heads", fake.heads)
        monkeypatch.setattr(recoveries, "recover_all", fake.recover_all)
        monkeypatch.setattr(changes, "_read_newest", fake.read_newest)
        monkeypatch.setattr(changes, "_read", fake.read_changes)
        if not compares_all:  # as with thousands of rooms, where most looks see what has changed and no more
            monkeypatch.setattr(watch.Watch, "_next_of_round", lambda _: [])
            monkeypatch.setattr(watch, "ACTIVE_MAX", 0)
        monkeypatch.setattr(permissions, "problems_of", fake.problems_of)
        for module in [feed, reads, watch]:
            monkeypatch.setattr(module, "in_database", fake.read)
        monkeypatch.setattr(listener, "PAGE_SIZE", 3)
        silent = SilentLayer()
        monkeypatch.setattr(groups, "get_channel_layer", lambda: silent)
        monkeypatch.setattr(layer, "get_channel_layer", lambda: silent)
        run(follow(script, fake))
