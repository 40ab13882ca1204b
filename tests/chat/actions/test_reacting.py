"""Reactions of many to one message, on a real database: few entries, and an answer for each."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings

from chat.actions import posting, reacting
from chat.actions.reaction_collector import ReactionCollector
from chat.delivery.hub import Hub
from chat.domain.events import Event, Kind
from chat.domain.people import Person
from chat.domain.reactions import ReactionRequest
from chat.domain.rooms import Room, find
from chat.errors import ChatError, InvalidEmoji, NoSuchMessage, RateLimited, TooManyReactions, Unavailable
from chat.storage import history, reactions
from chat.storage.database import in_database
from tests.recovering import entries_after

ROOM, OTHER = find("reacting"), find("reäcting")
PEOPLE = [Person(id=f"guest-{number:016x}", name=f"Guest {number}") for number in range(60)]
ANN, BEN, *_ = PEOPLE
INTERVAL = 0.3


@pytest.fixture(autouse=True)
def short_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.actions.reaction_collector.ENTRY_INTERVAL", INTERVAL)


@pytest.fixture
async def target() -> int:
    return await say()


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, int, int]]:
    """The commits: the time at which each began, its message, and its number of requests."""
    seen: list[tuple[float, int, int]] = []
    react = reactions.react

    def watched(room: Room, target: int, requests: Sequence[ReactionRequest]) -> reactions.Reacted:
        seen.append((time.monotonic(), target, len(requests)))
        return react(room, target, requests)

    monkeypatch.setattr(reactions, "react", watched)
    return seen


async def say(room: Room = ROOM) -> int:
    entry = await posting.post(room=room, message="hello", person=ANN)
    assert entry.event.offset
    return entry.event.offset


async def react(person: Person, target: int, emoji: object = "👍", on: bool = True, room: Room = ROOM) -> Event | None:
    return await (await reacting.react(room=room, offset=target, emoji=emoji, on=on, person=person))


async def entries(room: Room = ROOM) -> list[Event]:
    found = await in_database(entries_after, room)
    return [event for event in found if event.kind is Kind.REACTION]


async def test_lone_reaction_is_stored_at_once(target: int, commits: list) -> None:
    entry = await asyncio.wait_for(react(ANN, target), INTERVAL)
    assert [(one.emoji, one.count, one.people) for one in entry.reactions] == [("👍", 1, (ANN,))]
    assert [size for _, _, size in commits] == [1]


async def test_many_who_react_to_a_message_cause_one_entry_for_each_interval(target: int, commits: list) -> None:
    answers = [await react(ANN, target)]
    answers += await asyncio.gather(*(react(person, target) for person in PEOPLE[1:]))
    assert [(of, size) for _, of, size in commits] == [(target, 1), (target, len(PEOPLE) - 1)]
    assert commits[1][0] - commits[0][0] >= INTERVAL
    first, second = await entries()
    assert answers == [first] + [second] * (len(PEOPLE) - 1)
    assert [(one.emoji, one.count) for one in second.reactions] == [("👍", len(PEOPLE))]


async def test_requests_of_one_person_are_met_in_their_order(target: int) -> None:
    stored = [
        await reacting.react(room=ROOM, offset=target, emoji="👍", on=on, person=ANN)
        for on in (True, False, True, False)
    ]
    await asyncio.gather(*stored)
    assert (await in_database(history.find, ROOM, target)).reactions == ()


async def test_reactions_to_different_messages_do_not_wait_for_each_other(target: int) -> None:
    other = await say()
    await react(ANN, target)
    waiting = asyncio.create_task(react(BEN, target))
    await react(ANN, other)
    await react(ANN, await say(OTHER), room=OTHER)
    assert not waiting.done()
    await waiting


async def test_reaction_that_is_set_already_is_answered_without_an_entry(target: int, commits: list) -> None:
    first = await react(ANN, target)
    again = await asyncio.gather(*(react(ANN, target) for _ in range(3)))
    assert [answer and answer.offset for answer in again] == [first.offset] * 3
    assert len(await entries()) == 1
    assert await react(BEN, target, on=False) == again[0]


@pytest.mark.parametrize("given", ["", "1", "👍👍", ":+1:", None, 7])
async def test_what_is_no_emoji_is_refused_at_once(target: int, commits: list, given: object) -> None:
    with pytest.raises(InvalidEmoji):
        await react(ANN, target, given)
    assert commits == []


async def test_problem_of_one_is_not_that_of_the_others(target: int) -> None:
    emoji = [chr(0x1F600 + number) for number in range(21)]
    answers = await asyncio.gather(*(react(ANN, target, one) for one in emoji), return_exceptions=True)
    assert [type(answer) for answer in answers if isinstance(answer, ChatError)] == [TooManyReactions]


async def test_message_that_is_not_there_is_told_to_each(commits: list) -> None:
    answers = await asyncio.gather(*(react(person, 99) for person in (ANN, BEN)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [NoSuchMessage] * 2


async def test_everybody_hears_the_entry_before_those_who_react_are_answered(target: int) -> None:
    async with Hub.here().listen([ROOM], {}, ANN, frozenset({Kind.REACTION})) as listener:
        entry = await react(ANN, target)
        assert listener.positions[ROOM.group] == entry.offset
        assert await anext(listener) == entry


async def test_failing_database_fails_those_of_the_commit_and_not_later_ones(
    target: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any) -> Any:
        raise OperationalError("away")

    with monkeypatch.context() as patched:
        patched.setattr(reactions, "react", broken)
        failed = await asyncio.gather(react(ANN, target), react(BEN, target), return_exceptions=True)
    assert [type(error) for error in failed] == [Unavailable] * 2
    assert (await react(ANN, target)).reactions[0].count == 1


async def test_reaction_whose_caller_is_cancelled_is_stored_all_the_same(target: int) -> None:
    gone = await reacting.react(room=ROOM, offset=target, emoji="👍", on=True, person=ANN)
    stays = await reacting.react(room=ROOM, offset=target, emoji="👍", on=True, person=BEN)
    gone.cancel()
    assert (await stays).reactions[0].people == (ANN, BEN)


@pytest.mark.parametrize("same", [True, False], ids=["one message", "many messages"])
async def test_requests_past_the_limit_of_waiting_ones_are_refused(
    target: int, monkeypatch: pytest.MonkeyPatch, same: bool
) -> None:
    monkeypatch.setattr("chat.actions.reaction_collector.WAITING_MAX", 3)
    targets = [target if same else await say() for _ in range(5)]
    answers = await asyncio.gather(
        *(react(person, one) for person, one in zip(PEOPLE, targets, strict=False)), return_exceptions=True
    )
    assert [isinstance(answer, Unavailable) for answer in answers] == [False, False, False, True, True]


async def test_collector_keeps_nothing_once_all_is_answered(target: int, eventually: Callable) -> None:
    await asyncio.gather(*(react(person, target) for person in PEOPLE))
    collector = ReactionCollector.here()
    await eventually(lambda: not collector._waiting)
    assert collector._count == 0


async def test_rate_of_reactions_is_not_that_of_messages(target: int, settings: Settings) -> None:
    settings.CHAT_LIMITS, settings.CHAT_RATE_PERSON = True, "2/1h"
    for emoji in "👍🎉":
        await react(ANN, target, emoji)
    with pytest.raises(RateLimited):
        await react(ANN, target, "🎈")
    await say()


async def test_posts_are_stored_while_reactions_wait(target: int) -> None:
    await react(ANN, target)
    waiting = asyncio.create_task(react(BEN, target))
    await say()
    assert not waiting.done()
    await waiting
