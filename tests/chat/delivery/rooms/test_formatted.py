"""HTML is made once for all who want it, in turns that leave time for everything else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from inspect import isawaitable
from typing import Any

import pytest

from chat.delivery.rendering_budget import RenderingBudget
from chat.delivery.rooms import formatted
from chat.delivery.rooms.formatted import Formatted
from chat.domain import formatting
from chat.domain.events import Event, Kind
from chat.domain.people import Person
from chat.domain.rooms import find
from tests.turns import Turns

LONG = "*a* " * 250
assert formatting.effort(LONG) == 11


def said(text: str, **fields: Any) -> Event:
    return Event(room=find("formatted"), message=text, **fields)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were looked at, in their order."""
    texts: list[str] = []
    to_html = formatting.to_html

    def count(text: str, people: tuple[Person, ...]) -> str | None:
        texts.append(text)
        return to_html(text, people)

    monkeypatch.setattr(formatting, "to_html", count)
    return texts


@pytest.fixture
async def turns() -> AsyncIterator[Turns]:
    turns = Turns()
    yield turns
    turns.stop()


async def test_html_is_made_once_for_all_who_ask_for_the_same_text(made: list[str]) -> None:
    answers = {Formatted.here().html(said(text)) for text in ["*a*", "*a*", "*a*"] for _ in range(3)}
    assert answers == {"<p><em>a</em></p>"}
    assert made == ["*a*"]


async def test_html_of_a_text_without_signs_costs_nothing(made: list[str]) -> None:
    assert {Formatted.here().html(said("hello")) for _ in range(1_000)} == {None}
    assert made == []


@pytest.mark.parametrize(
    "fields", [{"kind": Kind.NOTICE}, {"kind": Kind.GREETING}, {"kind": Kind.DELETION}, {"deleted": True}]
)
async def test_only_what_people_wrote_has_html(fields: dict[str, Any]) -> None:
    assert Formatted.here().html(said("*a*", **fields)) is None
    assert Formatted.here().html(said("*a*", kind=Kind.EDIT)) == "<p><em>a</em></p>"


async def test_many_texts_are_made_over_several_turns_and_once_each(made: list[str], turns: Turns) -> None:
    events = [said(f"{number} {LONG}") for number in range(40)]
    found = [Formatted.here().html_later(event) for event in events for _ in range(2)]
    assert len(set(await asyncio.gather(*found))) == 40
    assert sorted(made) == sorted(event.message for event in events)
    assert turns.now >= 40 * 11 // RenderingBudget.per_turn - 2


async def test_what_is_said_now_does_not_wait_for_history(made: list[str]) -> None:
    page = asyncio.create_task(Formatted.here().html_of_page([said(f"{number} {LONG}") for number in range(100)]))
    await asyncio.sleep(0)
    assert not isawaitable(Formatted.here().html(said("*now*")))
    assert await Formatted.here().html_later(said("*and now*")) == "<p><em>and now</em></p>"
    assert len(made) < 20
    assert len(await page) == 100


async def test_page_has_the_html_of_its_events_in_their_order() -> None:
    page = [said("*a*"), said("b"), said("*c*", deleted=True), said("`d`")]
    html = ["<p><em>a</em></p>", None, None, "<p><code>d</code></p>"]
    assert await Formatted.here().html_of_page(page) == html


async def test_html_is_forgotten_after_its_time_and_past_the_limit(
    monkeypatch: pytest.MonkeyPatch, eventually: Callable[[Callable[[], Any]], Awaitable[None]]
) -> None:
    monkeypatch.setattr(formatted, "KEPT", 0.01)
    monkeypatch.setattr(formatted, "KEPT_MAX", 3)
    mine = Formatted()
    for number in range(5):
        mine.html(said(f"*{number}*"))
    assert [text for text, _ in mine._html] == ["*2*", "*3*", "*4*"]
    await eventually(lambda: not mine._html)


async def test_failure_of_the_parser_leaves_the_text(monkeypatch: pytest.MonkeyPatch, written_log: Any) -> None:
    monkeypatch.setattr(formatting, "to_html", lambda *given: 1 / 0)
    assert Formatted.here().html(said("*a*")) is None
    assert "ZeroDivisionError" in written_log.getvalue()


async def test_listener_that_goes_leaves_the_html_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RenderingBudget, "per_turn", 1)
    mine = Formatted()
    mine.html(said("*first*"))
    gone, stays = (asyncio.create_task(mine.html_later(said("*second*"))) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await asyncio.wait_for(stays, 5) == "<p><em>second</em></p>"
    assert mine._making == {}
