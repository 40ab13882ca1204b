"""Deliveries to receivers, their order, and what becomes of the answers."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from standardwebhooks import WebhookVerificationError

from chat import models
from chat.actions import editing
from chat.actions.moderation import carry_out
from chat.domain.people import Person, of_user
from chat.domain.rooms import find
from chat.models import Role
from chat.storage import history, moderation, posting_limits, webhooks
from chat.storage.database import in_database
from tests.chat.webhooks.conftest import deliver, last_delivery, make_bot, make_webhook, say, until
from tests.receivers import Receiver, says

pytestmark = pytest.mark.django_db(transaction=True)


async def test_webhook_is_told_all_entries_in_order_signed_and_as_frames(receiver: Receiver, ann: Person) -> None:
    await say("room1", "before", ann)
    webhook = await make_webhook("room1", receiver.url())
    await say("room1", "before it is taken", ann)
    await deliver()
    first = await say("room1", "hello", ann)
    await editing.edit(room=find("room1"), offset=first.event.offset, message="hello!", person=ann)
    await carry_out(moderation.delete_message, find("room1"), 2, by=None)
    await receiver.until(lambda: len(receiver.received) == 4)
    for received in receiver.received:
        received.verify(webhook.secret)
    assert [one.data["offset"] for one in receiver.received] == [2, 3, 4, 5]
    assert [one.type for one in receiver.received] == [
        "message.created",
        "message.created",
        "message.edited",
        "message.deleted",
    ]
    event = first.event
    shown = receiver.received[1]
    assert {key: shown.data[key] for key in ("room", "id", "kind", "user", "user_id")} == {
        "room": "room1",
        "id": event.id,
        "kind": "message",
        "user": "Ann",
        "user_id": ann.id,
    }
    assert shown.id == f"msg_{webhook.pk}_{event.id}"
    assert shown.headers["content-type"] == "application/json"


async def test_answers_are_posted_once_as_replies_by_the_author(receiver: Receiver, ann: Person) -> None:
    await say("room1", "before", ann)
    bot = await make_bot("echo", "room1")
    receiver.answers["/"] = [says("I heard you")]
    webhook = await make_webhook("room1", receiver.url(), author_id=bot.user_id)
    await deliver()
    said = await say("room1", "hello", ann)

    async def replied() -> bool:
        delivery = await webhook.deliveries.filter(delivered=True, offset=said.event.offset).afirst()
        return delivery is not None and delivery.reply != ""

    await until(replied)
    delivery = await webhook.deliveries.aget(offset=said.event.offset)
    reply = await in_database(history.find, find("room1"), int(delivery.reply))
    assert (reply.message, reply.person.id, reply.reply_to.offset) == ("I heard you", bot.id, said.event.offset)
    await say("room1", "bye", ann)
    await receiver.until(lambda: "bye" in receiver.texts())
    assert "I heard you" not in receiver.texts()  # its own replies aren't told


async def test_mentions_of_a_rooms_bot_are_told_and_nothing_else(receiver: Receiver, ann: Person) -> None:
    await say("room1", "before", ann)
    bot = await make_bot("helper", "room1")
    webhook = await make_webhook("room1", receiver.url(), bot_id=bot.user_id, author_id=bot.user_id)
    await deliver()
    await say("room1", "nobody", ann)
    await say("room1", "@helper one", ann)
    await say("room1", "nobody", ann)
    await say("room1", "@helper two", ann)
    await receiver.until(lambda: len(receiver.received) == 2)
    assert receiver.texts() == ["@helper one", "@helper two"]

    async def at_the_end() -> bool:
        position = await webhook.positions.aget()
        return bool(position.offset == await room_end("room1"))

    await until(at_the_end)


async def room_end(name: str) -> int:
    return (await in_database(history.heads, [find(name)]))[find(name)].position.offset


async def test_mentions_of_the_sites_bot_are_told_from_every_room_that_it_may_read(
    receiver: Receiver, ann: Person, django_user_model: Any
) -> None:
    bot = await make_bot("helper")
    for room in ("open", "closed"):
        await say(room, "before @helper", ann)
    await carry_out(moderation.set_private, find("closed"), True, by=None)
    await make_webhook(None, receiver.url(), bot_id=bot.user_id, author_id=bot.user_id)
    await deliver()
    await say("open", "@helper one", ann)
    await say("open", "nobody", ann)
    await receiver.until(lambda: receiver.texts() == ["@helper one"])
    owner = await in_database(django_user_model.objects.create_user, "owner")
    assert owner
    await say("another", "@helper two", ann)
    await receiver.until(lambda: receiver.texts() == ["@helper one", "@helper two"])


async def test_deliveries_are_shown_by_status_and_answer(receiver: Receiver, ann: Person) -> None:
    await say("room1", "before", ann)
    webhook = await make_webhook("room1", receiver.url())
    await deliver()
    receiver.answers["/"] = [says("thanks")]
    said = await say("room1", "hello", ann)
    await until(lambda: webhook.deliveries.filter(delivered=True).aexists())
    delivery = await last_delivery(webhook)
    assert (delivery.status, delivery.offset, delivery.attempts) == (200, said.event.offset, 1)
    assert "thanks" in delivery.answer
    assert delivery.reply == ""  # nobody is to post it


async def test_former_secret_signs_beside_the_new_one(receiver: Receiver, ann: Person) -> None:
    await say("room1", "before", ann)
    webhook = await make_webhook("room1", receiver.url())
    new = await in_database(webhooks.rotate_secret, webhook_id=webhook.pk, room=find("room1"), by=None)
    await deliver()
    await say("room1", "one", ann)
    await receiver.until(lambda: len(receiver.received) == 1)
    for secret in (webhook.secret, new):
        receiver.received[0].verify(secret)
    await models.Webhook.objects.aupdate(former_until=timezone.now() - timedelta(seconds=1))
    await say("room1", "two", ann)
    await receiver.until(lambda: len(receiver.received) == 2)
    receiver.received[1].verify(new)
    with pytest.raises(WebhookVerificationError):
        receiver.received[1].verify(webhook.secret)


async def test_author_who_may_not_post_there_posts_nothing(receiver: Receiver, ann: Person) -> None:
    await say("room1", "before", ann)
    bot = await make_bot("echo", "room1")
    receiver.answers["/"] = [says("I heard you")]
    webhook = await make_webhook("room1", receiver.url(), author_id=bot.user_id)
    await carry_out(posting_limits.set_read_only, find("room1"), True, by=None)
    await deliver()
    await until(lambda: webhook.deliveries.filter(delivered=True, type="room.notice").aexists())
    assert not await webhook.deliveries.exclude(reply="").aexists()  # notices aren't answered
    owner = await in_database(make_owner, "olga")
    await say("room1", "hello", owner)
    await until(lambda: webhook.deliveries.filter(reply="read_only").aexists())


def make_owner(name: str) -> Person:
    user = get_user_model().objects.create_user(name)
    moderation.set_role(find("room1"), name, Role.OWNER, by=None)
    return of_user(user)
