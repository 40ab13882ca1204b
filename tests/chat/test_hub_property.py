"""Whatever happens in whatever order: each listener hears offsets without holes, each once, in order.

Hypothesis makes up what happens. So that it happens again when it is told to, nothing here is real: the log is a list,
reading takes as long as the example says, and the clock jumps to when the next thing is due.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chat import broker, listener, log
from chat.broker import Hub
from chat.events import Event, Kind
from chat.log import Recovery
from chat.rooms import Room, find

ROOM = find("property")
RECOVERY_MAX = 8

# What happens. Positions are counted from the end of the log, where things happen.
steps = st.one_of(
    st.tuples(st.just("store"), st.integers(1, 5)),  # by another process: so many, none of which is heard of
    st.tuples(st.just("post"), st.just(0)),  # here, or where the layer brings it from
    st.tuples(st.just("hint"), st.integers(0, 12)),  # the layer brings one, for the first time or again
    st.tuples(st.just("foreign"), st.just(0)),
    st.tuples(st.just("join"), st.one_of(st.none(), st.integers(-1, RECOVERY_MAX + 1))),
    st.tuples(st.just("leave"), st.integers(0, 5)),
    st.tuples(st.just("prune"), st.integers(0, 6)),  # all but so many
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
    """Brings nothing by itself: what the hub hears is up to the example."""

    async def new_channel(self) -> str:
        return "channel"

    async def group_add(self, group: str, channel: str) -> None:
        await asyncio.sleep(0)

    group_discard = group_send = group_add

    async def receive(self, channel: str) -> None:
        await asyncio.sleep(3600)


@dataclass
class ListLog:
    """`chat.log` in a list, which is read between two delays."""

    delays: list[int]
    stored: list[Event] = field(default_factory=list)
    pruned_to: int = 0
    reads: int = 0

    def store(self) -> Event:
        event = Event(room=ROOM, message="hi", offset=len(self.stored) + 1)
        self.stored.append(event)
        return event

    def last_offsets(self, rooms: Iterable[Room]) -> dict[Room, int]:
        return dict.fromkeys(rooms, len(self.stored))

    def since(self, room: Room, after: int, limit: int) -> list[Event]:
        return self.stored[max(after, self.pruned_to) :][:limit]

    def recover(self, room: Room, after: int) -> Recovery:
        last = len(self.stored)
        if not self.pruned_to <= after <= last or last - after > RECOVERY_MAX:
            return Recovery(None, position=last)
        return Recovery(self.stored[after:], position=last)

    async def read(self, function: Callable, *args: Any) -> Any:
        """In the place of `in_database`."""
        await asyncio.sleep(self._delay() / 1000)
        result = function(*args)
        await asyncio.sleep(self._delay() / 1000)
        return result

    def _delay(self) -> int:
        self.reads += 1
        return self.delays[self.reads % len(self.delays)]


@dataclass
class Ear:
    """Somebody who listens, from `after` on or from now on; `heard` is what they heard with an offset."""

    after: int | None
    heard: list[Event] = field(default_factory=list)
    live_from: int | None = None  # how much had been said by the time they had joined
    listening: asyncio.Task[None] | None = None

    async def listen(self, log: ListLog) -> None:
        async with Hub.here().listen([ROOM], {} if self.after is None else {ROOM: self.after}) as outbox:
            self.live_from = len(log.stored)
            async for event in outbox:
                if event.offset is not None:
                    self.heard.append(event)

    def check(self) -> int | None:
        """Where they are in the end; None if they have heard nothing. Fails if they have heard something amiss."""
        position = self.after
        for event in self.heard:
            offset = event.offset or 0
            if event.kind is Kind.START_OVER:
                assert event is self.heard[0] or offset > (position or 0), self
            elif position is None:
                assert offset <= (self.live_from or 0) + 1, self
            else:
                assert offset == position + 1, self
            position = offset
        return position


async def follow(script: Iterable[tuple[tuple[str, Any], int]], log: ListLog) -> None:
    hub = Hub.here()
    ears = [Ear(after=None)]
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
                ear = Ear(after=None if number is None else max(0, len(log.stored) - number))
                ear.listening = asyncio.create_task(ear.listen(log))
                ears.append(ear)
            case "leave":
                ears[number % len(ears)].listening.cancel()  # type: ignore[union-attr]
            case "prune":
                log.pruned_to = max(log.pruned_to, len(log.stored) - number)
        await asyncio.sleep(pause / 1000)
    await asyncio.sleep(60)  # on our clock
    for ear in ears:
        position, last = ear.check(), len(log.stored)
        if not ear.listening.done():  # type: ignore[union-attr]
            # What was pruned before anybody heard of it is told with the next message.
            assert last in (ear.live_from if position is None else position, log.pruned_to), ear
    for ear in ears:
        ear.listening.cancel()  # type: ignore[union-attr]
    await asyncio.wait([ear.listening for ear in ears])  # type: ignore[type-var]
    for ear in ears:
        assert ear.listening.cancelled(), ear.listening  # type: ignore[union-attr]


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
        (("join", 2), 0),
    ],
    delays=[0, 5],
)
@settings(
    max_examples=700, derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
def test_every_listener_hears_every_offset_once_and_in_order(
    script: list[tuple[tuple[str, Any], int]], delays: list[int]
) -> None:
    fake = ListLog(delays)
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in ["last_offsets", "since", "recover"]:
            monkeypatch.setattr(log, name, getattr(fake, name))
        monkeypatch.setattr(broker, "in_database", fake.read)
        monkeypatch.setattr(listener, "in_database", fake.read)
        monkeypatch.setattr(listener, "in_database", fake.read)
        monkeypatch.setattr(broker, "get_channel_layer", lambda layer=SilentLayer(): layer)  # noqa: B008
        run(follow(script, fake))
