"""The process that delivers a webhook, also without Redis, and when it has lost its webhooks."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chat import models
from chat.delivery.layer import Layer
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.rooms import find
from chat.storage import log, webhook_couriers, webhook_outcomes
from chat.storage.database import in_database
from chat.storage.drafts import Draft
from chat.storage.webhook_outcomes import Outcome
from chat.webhooks.deliveries import Deliveries
from tests.chat.webhooks.conftest import deliver, make_webhook, say, until
from tests.receivers import Receiver

pytestmark = pytest.mark.django_db(transaction=True)


async def attend(courier: str) -> set[int]:
    return await in_database(webhook_couriers.attend, courier=courier)


async def test_webhook_is_one_couriers_until_that_is_silent_or_leaves(receiver: Receiver, ann: Person) -> None:
    await say("room1", "before", ann)
    first = await make_webhook("room1", receiver.url())
    assert await attend("a") == {first.pk}
    second = await make_webhook("room1", receiver.url())
    assert await attend("b") == {second.pk}
    assert await attend("a") == {first.pk}
    past = timezone.now() - timedelta(seconds=1)
    await models.Courier.objects.filter(pk="a").aupdate(until=past)
    assert await attend("b") == {first.pk, second.pk}
    assert await attend("a") == set()
    await in_database(webhook_couriers.leave, courier="b")
    assert await attend("a") == {first.pk, second.pk}


async def test_nothing_is_stored_by_a_courier_that_has_lost_its_webhook(receiver: Receiver, ann: Person) -> None:
    await say("room1", "before", ann)
    webhook = await make_webhook("room1", receiver.url())
    await attend("a")
    outcomes = [
        Outcome(webhook_id=webhook.pk, courier=courier, room=find("room1"), position=Position(offset, "b"))
        for courier, offset in (("a", 7), ("b", 8))
    ]
    assert await in_database(webhook_outcomes.store_all, outcomes=outcomes) == [True, False]
    assert (await webhook.positions.aget()).offset == 7


async def test_process_that_stops_leaves_its_webhooks_to_others(receiver: Receiver, ann: Person) -> None:
    await say("room1", "before", ann)
    webhook = await make_webhook("room1", receiver.url())
    await deliver()
    assert await attend("other") == set()
    await Deliveries.here().stop()
    assert await attend("other") == {webhook.pk}


async def test_attempt_is_broken_off_when_the_lease_is_over(receiver: Receiver, ann: Person) -> None:
    await say("room1", "before", ann)
    webhook = await make_webhook("room1", receiver.url())
    gone: list[Any] = []

    async def hang(_: Any, reader: Any, writer: Any) -> None:
        gone.append(await reader.read())

    receiver.answers["/"] = [hang]
    here = Deliveries()
    await here.attend()
    await say("room1", "one", ann)
    await receiver.until(lambda: len(receiver.received) == 1)
    here.hold_until(asyncio.get_running_loop().time())

    async def given_up() -> bool:
        return bool(gone)

    await until(given_up)
    assert not await webhook.deliveries.aexists()
    await here.stop()


async def test_webhooks_are_told_while_redis_is_away(
    receiver: Receiver, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(self: Layer, *sent: Any) -> None:
        return None

    monkeypatch.setattr(Layer, "send", lose)
    await say("room1", "before", ann)
    await make_webhook("room1", receiver.url())
    await deliver()
    await in_database(store_behind_the_hubs_back, ann)
    await receiver.until(lambda: receiver.texts() == ["unheard"])


def store_behind_the_hubs_back(ann: Person) -> None:
    """As another process does it, of which nothing is heard."""
    log.append([Draft(room=find("room1"), text="unheard", person=ann)])


async def test_nothing_is_written_where_no_webhook_is_on(ann: Person) -> None:
    await say("room1", "before", ann)
    await deliver()
    assert not await models.Courier.objects.aexists()
    await Deliveries.here().stop()
