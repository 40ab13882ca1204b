"""A source that says no more than it has to: where its logs end, and what is in them."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgpack
import pytest
from channels.layers import get_channel_layer

from chat.delivery import hub
from chat.delivery.entries import Entry, StartOver
from chat.delivery.hub import Hub
from chat.delivery.layer import Layer
from chat.delivery.listener import Listener
from chat.delivery.publisher import publish
from chat.delivery.queued_listener import QueuedListener
from chat.delivery.source import Effect, Exclusion, Source, register
from chat.domain import events
from chat.domain.events import USUAL_KINDS
from chat.domain.logs import Head, group_of
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.recoveries import LogPart, Range, RecoveryRequest
from chat.domain.rooms import find
from chat.errors import InternalError, NotAllowed


@dataclass(frozen=True)
class Diary:
    name: str

    @property
    def group(self) -> str:
        return group_of("diary", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(Entry):
    text: str


DIARY, ANN, BEN = Diary("Ann's"), Person(id="user-1", name="Ann"), Person(id="user-2", name="Ben")


class DiarySource(Source[Diary, Line]):
    event_type = "diary.line"
    lines: list[Line] = []  # of the one diary that there is
    pruned_to = 0

    async def heads(self, logs: Sequence[Diary]) -> Mapping[Diary, Head]:
        return {DIARY: Head(self.lines[-1].position)} if self.lines else {}

    async def read(self, ranges: Mapping[Diary, Sequence[Range]]) -> Mapping[Diary, LogPart]:
        wanted = {offset for first, last in ranges[DIARY] for offset in range(first, min(last, 100) + 1)}
        kept = {line.offset: line for line in self.lines if line.offset in wanted and line.offset > self.pruned_to}
        return {DIARY: LogPart(len(self.lines), self.pruned_to, kept)}

    async def refused(self, pairs: Sequence[tuple[Diary, Person]]) -> Mapping[tuple[Diary, Person], NotAllowed]:
        return {(diary, person): NotAllowed("It's Ann's.") for diary, person in pairs if person != ANN}


register(Diary, DiarySource)


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DiarySource, "lines", [])
    monkeypatch.setattr(hub, "WATCH_INTERVAL", 0.1)


def write(*texts: str, series: str = "a") -> list[Line]:
    """Writes lines, of which nobody is told. A series has ids of its own."""
    first = len(DiarySource.lines) + 1
    new = [Line(log=DIARY, offset=n, id=f"{series}{n}", text=text) for n, text in enumerate(texts, start=first)]
    DiarySource.lines.extend(new)
    return new


async def test_lines_are_heard_in_order_whether_published_or_not() -> None:
    async with Hub.here().listen([DIARY]) as listener, asyncio.timeout(5):
        write("one", "two")
        (third,) = write("three")
        await publish(third)
        write("four")
        assert [(await anext(listener)).text for _ in range(4)] == ["one", "two", "three", "four"]


async def test_listener_hears_of_lines_through_the_group_by_their_offsets() -> None:
    """Messages to other processes say no more than that there is a line."""
    (line,) = write("one")
    assert DiarySource.here().to_group(line) == {"type": "diary.line", "group": DIARY.group, "offset": 1, "id": "a1"}
    DiarySource.lines.clear()
    async with Hub.here().listen([DIARY]) as listener, asyncio.timeout(5):
        DiarySource.lines.append(line)
        Hub.here().receive(DiarySource.here().to_group(line))
        assert (await anext(listener)).text == "one"


@pytest.mark.parametrize(
    ("after", "texts"),
    [
        (Position(0), None),  # what follows it is gone
        (Position(1), ["two", "three"]),
        (Position(1, "a1"), ["two", "three"]),  # which is gone, so nothing proves it
        (Position(2, "a2"), ["three"]),
        (Position(3, "a3"), []),
        (Position(2, "b2"), None),
        (Position(4), None),
    ],
    ids=str,
)
async def test_recovery_brings_what_follows_or_says_that_it_can_not(
    monkeypatch: pytest.MonkeyPatch, after: Position, texts: list[str] | None
) -> None:
    monkeypatch.setattr(DiarySource, "pruned_to", 1)
    write("one", "two", "three")
    request = RecoveryRequest(log=DIARY, after=after, size=10, person=ANN)
    (found,) = await DiarySource.here().recover([request])
    assert (None if found.events is None else [line.text for line in found.events]) == texts
    if found.events is None:
        assert found.end == Position(3, "a3")
    for line in found.events or ():
        assert line.previous == (None if line.offset == 2 else f"a{line.offset - 1}")


async def test_log_that_went_back_starts_over_with_the_default_event() -> None:
    write("one", "two", "three")
    async with Hub.here().listen([DIARY]) as listener, asyncio.timeout(5):
        del DiarySource.lines[1:]
        write("two again", series="b")
        assert await anext(listener) == StartOver(log=DIARY, offset=2, id="b2")
        write("three again", series="b")
        assert (await anext(listener)).text == "three again"


async def test_log_is_restricted_unless_its_source_says_otherwise() -> None:
    async with Hub.here().listen([DIARY], person=ANN):
        pass
    with pytest.raises(NotAllowed):
        async with Hub.here().listen([DIARY], person=BEN):
            pass
    async with Hub.here().listen([DIARY], {DIARY: Position(0)}):  # the site itself
        pass


# Mistakes of an app's


def fail(*_: object) -> None:
    raise KeyError("a mistake of the app's")


def errors(caplog: pytest.LogCaptureFixture) -> int:
    return sum(record.levelno >= logging.ERROR for record in caplog.records)


@pytest.mark.parametrize("published", [True, False])
async def test_entry_whose_effect_fails_is_heard_and_all_are_looked_up_before_they_hear_more(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, published: bool
) -> None:
    monkeypatch.setattr(DiarySource, "effect", lambda _, line: fail() if line.text == "bad" else None)
    monkeypatch.setattr(DiarySource, "heads", lambda *_: heads())
    async with Hub.here().listen([DIARY], person=ANN) as ann, Hub.here().listen([DIARY], person=BEN) as ben:
        for text in ("one", "bad", "three", "four"):
            (line,) = write(text)
            if published:
                await publish(line)
        async with asyncio.timeout(5):
            assert [(await anext(ann)).text for _ in range(4)] == ["one", "bad", "three", "four"]
            assert [(await anext(ben)).text for _ in range(2)] == ["one", "bad"]
            with pytest.raises(NotAllowed):
                await anext(ben)
    assert errors(caplog) == 1


async def heads() -> dict[Diary, Head]:
    """Everybody may hear the diary, as far as this knows."""
    lines = DiarySource.lines
    return {DIARY: Head(lines[-1].position if lines else Position(0), restricted=False)}


async def test_listener_whose_person_is_excluded_by_an_error_that_can_not_be_made_is_ended(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    exclusion = Effect(excludes=Exclusion(BEN.id, fail))
    monkeypatch.setattr(DiarySource, "effect", lambda _, line: exclusion if line.text == "one" else None)
    monkeypatch.setattr(DiarySource, "heads", lambda *_: heads())
    async with Hub.here().listen([DIARY], person=ANN) as ann, Hub.here().listen([DIARY], person=BEN) as ben:
        await publish(*write("one"))
        await publish(*write("two"))
        async with asyncio.timeout(5):
            assert [(await anext(ann)).text for _ in range(2)] == ["one", "two"]
            assert (await anext(ben)).text == "one"
            with pytest.raises(InternalError):
                await anext(ben)
    assert errors(caplog) == 1


async def test_start_over_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    start_over, tries = Source.start_over, []

    def fail_once(source: DiarySource, log: Diary, position: Position) -> StartOver:
        tries.append(position)
        return fail() if len(tries) == 1 else start_over(source, log, position)

    monkeypatch.setattr(DiarySource, "start_over", fail_once)
    write("one", "two")
    async with Hub.here().listen([DIARY]) as listener, asyncio.timeout(5):
        del DiarySource.lines[:]
        write("one again", series="b")
        assert (await anext(listener)).starts_over
        write("two again", series="b")
        assert (await anext(listener)).text == "two again"


@pytest.mark.parametrize("failing", [fail, lambda *_: {"type": "diary.line", "at": datetime.now(UTC)}])
async def test_entry_that_can_not_be_sent_keeps_no_other_from_being_heard(
    monkeypatch: pytest.MonkeyPatch, failing: Callable[..., Any]
) -> None:
    sent = []

    async def group_send(group: str, message: dict[str, Any]) -> None:
        msgpack.packb(message)
        sent.append(group)

    monkeypatch.setattr(get_channel_layer(), "group_send", group_send)
    monkeypatch.setattr(DiarySource, "to_group", failing)
    said = events.build(room=find("room1"), message="hi", person=None)
    async with Hub.here().listen([DIARY]) as listener, asyncio.timeout(5):
        await publish(*write("one"), said)
        assert (await anext(listener)).text == "one"
    assert sent == [find("room1").group]
    assert not Layer.here().is_any_away


async def test_listener_that_fails_is_ended_and_others_hear_on(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(QueuedListener):
        take = fail

    broken = Failing([DIARY])
    await Hub.here().join(broken)
    broken.go_live()
    async with Hub.here().listen([DIARY]) as one, Hub.here().listen([DIARY]) as two, asyncio.timeout(5):
        await publish(*write("one"))
        assert [(await anext(listener)).text for listener in (one, two)] == ["one", "one"]
        with pytest.raises(InternalError):
            await anext(broken)
    await Hub.here().leave(broken)
    assert errors(caplog) == 1


async def test_listener_of_another_source_hears_all_kinds() -> None:
    assert Listener([DIARY]).kinds is None
    assert Listener([find("room1")]).kinds == USUAL_KINDS


async def test_listener_has_logs_of_one_source() -> None:
    with pytest.raises(ValueError, match="one source"):
        Listener([DIARY, find("room1")])
