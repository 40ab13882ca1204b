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
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chat.delivery import groups, layer, listener, watch
from chat.delivery.hub import Hub
from chat.delivery.rooms import source
from chat.delivery.watch import Watch
from chat.domain.events import USUAL_KINDS, Change, Event, Kind
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.errors import Banned, NotAMember
from chat.storage import changes, history, permissions, recoveries
from tests.chat.delivery.list_log import PEOPLE, RECOVERY_MAX, ROOM, ListLog
from tests.screen import Screen

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
                self.screen = log.screen(self.outbox.positions[ROOM.group])
            async for event in self.outbox:
                assert event.kind in {*self.kinds, Kind.START_OVER}
                if event.offset is not None:
                    self.heard.append(event)
                    if event.kind is Kind.START_OVER:
                        self.screen = log.screen(event.offset)  # from the history
                    self.screen.take_event(event)
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
# All is pruned, also what was stored since: no look at what has changed can see that, but the round does.
@example(script=[(("post", 1), 0), (("prune", 0), 2000), (("store", 1), 0), (("prune", 0), 0)], delays=[0])
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
            turns = itertools.cycle([False] * 39 + [True])
            compared = Watch._next_of_round
            monkeypatch.setattr(Watch, "_next_of_round", lambda self: compared(self) if next(turns) else [])
            monkeypatch.setattr(watch, "ACTIVE_MAX", 0)
        monkeypatch.setattr(permissions, "problems_of", fake.problems_of)
        monkeypatch.setattr(source, "in_database", fake.read)
        monkeypatch.setattr(listener, "PAGE_SIZE", 3)
        silent = SilentLayer()
        monkeypatch.setattr(groups, "get_channel_layer", lambda: silent)
        monkeypatch.setattr(layer, "get_channel_layer", lambda: silent)
        run(follow(script, fake))
