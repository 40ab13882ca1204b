"""Messages as HTML, made once for all who want it."""

import asyncio
from collections.abc import Awaitable, Iterable
from inspect import isawaitable

from chat import log_context
from chat.delivery.recent_renderings import KEPT
from chat.delivery.rendering_budget import RenderingBudget
from chat.domain import formatting
from chat.domain.events import Event
from chat.domain.people import Person
from chat.domain.presence import LiveState
from chat.errors import unforeseen
from chat.per_loop import PerLoop

KEPT_MAX = 200  # texts, of which the longest may be 50 KB of HTML

Formattable = tuple[str, tuple[Person, ...]]
"""A text, and the people whom it calls."""


class Formatted(PerLoop):
    """The HTML of the last second's texts. A long text is made in its turn, by a rendering budget.

    History has a budget of its own: what is said now doesn't wait behind somebody who reads thousands of messages.
    """

    def __init__(self) -> None:
        self._html: dict[Formattable, str | None] = {}
        self._budgets = {False: RenderingBudget.here(), True: RenderingBudget()}  # by whether it is history
        self._making: dict[tuple[Formattable, bool], asyncio.Task[str | None]] = {}

    def html(self, event: Event | LiveState, *, history: bool = False) -> str | None | Awaitable[str | None]:
        """The HTML of a message or an edit; None where there is none, or it would say no more than the text.

        If this turn of the loop is full, that is to be awaited.
        """
        given = formatting.text_of(event), formatting.people_of(event)
        effort = formatting.effort(*given)
        if not effort:
            return None
        if given in self._html:
            return self._html[given]
        making = self._making.get((given, history))
        if making is None:
            if self._budgets[history].spend(effort):
                return self._make(given)
            making = asyncio.create_task(self._make_later(given, effort, history), context=log_context.detached())
            self._making[given, history] = making
        return asyncio.shield(making)

    async def html_later(self, event: Event | LiveState) -> str | None:
        """The same, however long it takes."""
        html = self.html(event)
        return await html if isawaitable(html) else html

    async def html_of_page(self, events: Iterable[Event]) -> list[str | None]:
        """The HTML of each of `events` of the history, in their order."""
        found = [self.html(event, history=True) for event in events]
        return [await html if isawaitable(html) else html for html in found]

    async def _make_later(self, given: Formattable, effort: int, history: bool) -> str | None:
        try:
            await self._budgets[history].wait(effort)
            return self._html[given] if given in self._html else self._make(given)
        finally:
            del self._making[given, history]

    def _make(self, given: Formattable) -> str | None:
        try:
            html = formatting.to_html(*given)
        except Exception as error:  # nobody is to lose the message for that
            unforeseen(error)
            html = None
        self._html[given] = html
        if len(self._html) > KEPT_MAX:
            del self._html[next(iter(self._html))]  # the oldest
        asyncio.get_running_loop().call_later(KEPT, self._html.pop, given, None)
        return html
