"""Previews of links: the site asks once for a page that a message links to, and has the message show it.

This comes after the message is stored, and nobody waits for it. Work that the end of the process cuts off is left
undone; of a message without previews nothing is missing.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from chat.actions import rate_limits
from chat.actions.linked_pages import ask
from chat.delivery.detached_tasks import DetachedTasks
from chat.delivery.rendering_budget import RenderingBudget
from chat.delivery.rooms import link_news
from chat.domain.formatting import effort
from chat.domain.grants import Scope
from chat.domain.links import Link, links_in, may_have_links
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import RateLimited, unforeseen
from chat.outgoing.client import Stopped
from chat.per_loop import PerLoop
from chat.storage import links
from chat.storage.database import in_database

AT_ONCE = 8  # messages whose links are asked for
WAITING_MAX = 200  # messages; of more than that, the oldest go without previews
LOOK_EVERY = 0.5  # seconds, where another process asks for the same page
LOOKS = 60


@dataclass(frozen=True, slots=True)
class LinkingMessage:
    """A message that is stored, with the text that it got just now."""

    room: Room
    offset: int
    text: str
    person: Person


async def remove(*, room: Room, offset: int, url: str, person: Person) -> None:
    """Takes the preview of the page at `url` from the message at `offset`, for good; everyone hears it.

    Nothing happens if the message doesn't show that page. Raises NoSuchMessage, NotAllowed, InsufficientScope,
    RateLimited, Banned, NotAMember or Unavailable.
    """
    person.require(Scope.WRITE, Scope.MODERATE)
    await rate_limits.spend(person)
    left = await in_database(links.remove, room, offset, url, by=person)
    if left is not None:
        await link_news.tell(room, offset, left)


class LinkPreviews(PerLoop):
    """The messages of this event loop that wait for previews of their links."""

    def __init__(self) -> None:
        self._waiting: deque[LinkingMessage] = deque(maxlen=WAITING_MAX)
        self._working = 0
        self._budget = RenderingBudget()

    def consider(self, message: LinkingMessage) -> None:
        """Sees to previews of the message's links, if it may have any. Nobody waits for that."""
        if not settings.CHAT_LINK_PREVIEWS or not may_have_links(message.text):
            return
        self._waiting.append(message)
        if self._working < AT_ONCE:
            self._working += 1
            DetachedTasks.here().start(self._work())

    async def _work(self) -> None:
        try:
            while self._waiting:
                try:
                    await self._show_links(self._waiting.popleft())
                except Exception as error:
                    unforeseen(error)  # into the log, if it is anything but Unavailable
        finally:
            self._working -= 1

    async def _show_links(self, message: LinkingMessage) -> None:
        await self._budget.wait(effort(message.text))
        urls = links_in(message.text)
        if not urls or not await in_database(links.are_shown, message.room):
            return
        found = await asyncio.gather(*(self._link(url, message) for url in urls))
        shown = [link for link in found if link is not None]
        if not shown:
            return
        now_shown = await in_database(links.show, message.room, message.offset, message.text, shown)
        if now_shown:
            await link_news.tell(message.room, message.offset, now_shown)

    async def _link(self, url: str, message: LinkingMessage) -> Link | None:
        if known := await in_database(links.known, url):
            return known.link
        try:
            await rate_limits.spend_link(message.person, urlsplit(url).hostname or "")
        except RateLimited:
            return None
        picture_id = await in_database(links.claim, message.room, url)
        if picture_id is None:
            return await self._answer_of_another(url)
        try:
            facts, size = await ask(url, picture_id)
        except Stopped:
            await in_database(links.release, message.room, url)
            return None
        return await in_database(links.finish, message.room, url, facts, size)

    async def _answer_of_another(self, url: str) -> Link | None:
        for _ in range(LOOKS):
            if known := await in_database(links.known, url):
                return known.link
            await asyncio.sleep(LOOK_EVERY)
        return None
