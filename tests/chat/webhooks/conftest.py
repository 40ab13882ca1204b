"""Webhooks of rooms and bots, a receiver, and processes that deliver."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from chat import models
from chat.actions import posting
from chat.domain import webhooks as domain
from chat.domain.people import Person, of_user
from chat.domain.rooms import Room, find
from chat.models import Role
from chat.storage import bots, moderation, webhooks
from chat.storage.database import in_database
from chat.storage.log import Entry
from chat.storage.webhooks import WebhookRequest
from chat.webhooks.deliveries import Deliveries
from tests.receivers import Receiver, running_receiver


@pytest.fixture(autouse=True)
def delivering(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing is tried again by itself while a test looks at what has failed.
    monkeypatch.setattr(domain, "RETRY_DELAYS", [timedelta(hours=1)])
    settings.CHAT_WEBHOOKS = True
    settings.CHAT_WEBHOOK_TIMEOUT = 60  # on a busy machine, a receiver in this very process may be slow
    settings.CHAT_OUTGOING_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with running_receiver() as running:
        yield running
        await Deliveries.here().stop()


@pytest.fixture
def ann() -> Person:
    return Person(id="guest-00000000000000aa", name="Ann")


async def say(room: str | Room, text: str, by: Person, **more: Any) -> Entry:
    return await posting.post(room=find(room) if isinstance(room, str) else room, message=text, person=by, **more)


async def make_webhook(room: str | None, url: str, *, by: Person | None = None, **more: Any) -> models.Webhook:
    return await in_database(
        webhooks.make, room=find(room) if room else None, request=WebhookRequest(url=url, **more), by=by
    )


async def make_bot(name: str, room: str | None = None) -> Person:
    user = await in_database(bots.make, username=name, room=find(room) if room else None, by=None)
    if room:
        await in_database(moderation.set_role, find(room), name, Role.MEMBER, by=None)
    return of_user(user)


async def deliver() -> Deliveries:
    """Has this process take all webhooks, and deliver from now on."""
    here = Deliveries.here()
    here.start()
    await here.attend()
    return here


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits until it holds in the database."""
    async with asyncio.timeout(60):
        while not await condition():
            await asyncio.sleep(0.02)


async def last_delivery(webhook: models.Webhook) -> models.WebhookDelivery:
    found = await webhook.deliveries.order_by("-pk").afirst()
    assert found is not None
    return found
