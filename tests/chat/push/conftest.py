"""People with devices, and a push service that reads what it is sent."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import AsyncClient

from chat.actions import posting
from chat.delivery.rooms import visible_pages
from chat.domain.people import Person, of_user
from chat.domain.rooms import Room, find
from chat.domain.subscriptions import BrowserKeys
from chat.push.pusher import Pusher
from chat.storage import push_due, push_subscriptions, readings
from chat.storage.database import in_database
from chat.storage.log import Entry
from chat.storage.readings import Mark
from tests.push_service import Browser, PushService, push_service


@dataclass
class Owner:
    """A user who is logged in, with a browser that shows notifications."""

    person: Person
    client: AsyncClient
    browser: Browser

    @property
    def session_key(self) -> str:
        return self.client.cookies["sessionid"].value


@pytest.fixture(autouse=True)
def pushing(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CHAT_PUSH = True
    settings.CHAT_OUTGOING_NETWORKS = ["127.0.0.0/8"]
    monkeypatch.setattr(push_due, "DELAY", timedelta(seconds=0.1))


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with push_service() as running:
        yield running
    await Pusher.here().stop()


@pytest.fixture
def owner(service: PushService) -> Callable[..., Any]:
    """`await owner("ann", "room1")`: a user of these rooms, whose browser the push service knows."""

    async def make(name: str, *rooms: str, answers: tuple[Any, ...] = ()) -> Owner:
        user = await in_database(get_user_model().objects.create_user, name)
        client = AsyncClient()
        await client.aforce_login(user)
        made = Owner(of_user(user), client, service.browser(*answers))
        await subscribe(made)
        await in_database(readings.enter, [Mark(find(room), made.person) for room in rooms])
        return made

    return make


async def subscribe(owner: Owner, browser: Browser | None = None, language: str = "en") -> None:
    browser = browser or owner.browser
    keys = BrowserKeys(**browser.keys)
    await in_database(
        push_subscriptions.subscribe,
        owner.person,
        browser.endpoint,
        keys,
        session_key=owner.session_key,
        label="Firefox – Linux",
        language=language,
    )


async def say(room: str | Room, text: str, by: Person) -> Entry:
    return await posting.post(room=find(room) if isinstance(room, str) else room, message=text, person=by)


async def round_over() -> None:
    """One round of the pusher, with all that is due by now."""
    await Pusher.here().push(sweep=True)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages are due at once, and pushed by `round_over` alone. Other processes aren't waited for."""
    monkeypatch.setattr(push_due, "DELAY", timedelta(0))
    monkeypatch.setattr(Pusher, "start", lambda self: None)
    monkeypatch.setattr(visible_pages, "ANSWER_TIME", 0)
