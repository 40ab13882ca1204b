"""Receivers that fail, are slow, redirect, and lie: what is tried again, what is not, and who is held up."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from chat import models
from chat.actions import erasing, hooking
from chat.actions.moderation import carry_out
from chat.domain import webhooks as domain
from chat.domain.people import Person, of_user
from chat.domain.rooms import Room, find
from chat.domain.webhooks import GIVE_UP_AFTER
from chat.errors import Unavailable
from chat.models import Role
from chat.outgoing import deliveries as outgoing_deliveries
from chat.storage import history, moderation, posting_limits, webhooks
from chat.storage.backup.restoring import mark_webhooks
from chat.storage.database import in_database
from chat.webhooks import attempt, replies
from chat.webhooks.deliveries import Deliveries
from tests.chat.webhooks.conftest import deliver, last_delivery, make_bot, make_webhook, say, until
from tests.hosts import http, redirect
from tests.receivers import TAKEN, Received, Receiver, says

pytestmark = pytest.mark.django_db(transaction=True)

JSON = "Content-Type: application/json"


async def due_now(webhook: models.Webhook) -> None:
    await in_database(webhooks.try_now, webhook_id=webhook.pk)
    Deliveries.here().tell([webhook.pk])


def failed(webhook: models.Webhook, attempts: int) -> Any:
    return lambda: models.Webhook.objects.filter(pk=webhook.pk, attempts=attempts).aexists()


async def test_what_fails_is_tried_again_with_its_id_before_what_comes_after_it(
    receiver: Receiver, ann: Person
) -> None:
    await say("room1", "before", ann)
    webhook = await make_webhook("room1", receiver.url())
    receiver.answers["/"] = [http(status="500 Oh"), redirect(receiver.url("/elsewhere")), TAKEN]
    await deliver()
    await say("room1", "one", ann)
    await say("room1", "two", ann)
    for attempts in (1, 2):
        await until(failed(webhook, attempts))
        row = await models.Webhook.objects.aget(pk=webhook.pk)
        assert row.due_at > timezone.now()
        await due_now(webhook)
    await receiver.until(lambda: len(receiver.received) == 4)
    assert receiver.texts() == ["one", "one", "one", "two"]
    assert len({one.id for one in receiver.received[:3]}) == 1
    assert receiver.at("/elsewhere") == []
    await until(failed(webhook, 0))
    delivery = await webhook.deliveries.order_by("pk").afirst()
    assert (delivery.status, delivery.attempts, delivery.delivered) == (204, 3, True)


async def test_receiver_is_left_alone_as_long_as_it_asks(receiver: Receiver, ann: Person) -> None:
    await say("room1", "before", ann)
    webhook = await make_webhook("room1", receiver.url())
    receiver.answers["/"] = [http(b"", "Retry-After: 7200", status="429 Too Many Requests")]
    await deliver()
    await say("room1", "one", ann)
    await until(failed(webhook, 1))
    row = await models.Webhook.objects.aget(pk=webhook.pk)
    assert row.due_at - timezone.now() > timedelta(seconds=7000)


async def test_webhook_that_fails_for_three_days_is_switched_off_with_a_notice(
    receiver: Receiver, ann: Person, django_user_model: Any
) -> None:
    await say("room1", "before", ann)
    owner = await in_database(django_user_model.objects.create_user, "olga")
    room = await models.Room.objects.aget(name="room1")
    await models.RoomMember.objects.acreate(room=room, user=owner, role=models.Role.OWNER)
    webhook = await make_webhook("room1", receiver.url())
    receiver.answers["/"] = [http(status="500 Oh"), http(status="500 Oh"), TAKEN]
    await deliver()
    await say("room1", "one", ann)
    await until(failed(webhook, 1))
    since = timezone.now() - GIVE_UP_AFTER
    await models.Webhook.objects.filter(pk=webhook.pk).aupdate(failing_since=since)
    await due_now(webhook)
    await until(lambda: models.Webhook.objects.filter(pk=webhook.pk, off_reason="failed").aexists())

    async def told() -> bool:
        return await models.Message.objects.filter(room=room, person_id=f"webhook-{webhook.pk}").aexists()

    await until(told)
    notice = await models.Message.objects.aget(room=room, person_id=f"webhook-{webhook.pk}")
    assert "@olga" in notice.text
    assert [one["id"] for one in notice.mentions] == [f"user-{owner.pk}"]
    # Switched on again, it goes on where it was: nothing is missing, the notice included.
    await in_database(webhooks.switch, webhook_id=webhook.pk, on=True, room=find("room1"), by=None)
    await Deliveries.here().attend()
    await receiver.until(lambda: len(receiver.received) == 4)
    assert [one.data["offset"] for one in receiver.received] == [2, 2, 2, 3]


async def test_receiver_that_is_gone_switches_its_webhook_off_at_once(receiver: Receiver, ann: Person) -> None:
    await say("room1", "before", ann)
    webhook = await make_webhook("room1", receiver.url())
    receiver.answers["/"] = [http(status="410 Gone")]
    await deliver()
    await say("room1", "one", ann)
    await until(lambda: models.Webhook.objects.filter(pk=webhook.pk, off_reason="gone").aexists())
    await say("room1", "two", ann)
    assert receiver.texts() == ["one"]


async def hang(_: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()  # until the client gives up


async def hang_after_head(_: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(http(b"{", JSON, length=1000))
    await writer.drain()
    await reader.read()


async def break_off(_: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


FAILING = {
    "broken off": break_off,
    "nonsense": b"no HTTP at all\r\n\r\n",
    "empty": b"",
    "redirect": redirect("http://127.0.0.1:9/"),
    "client error": http(status="404 Not Found"),
    "hanging": hang,
}
# Its end is another answer, which is none: what aiohttp makes of that depends on how much it reads at once.
DOUBTFUL = {"longer than it says": http(b'{"text": "more"}', JSON, length=3)}
TAKEN_ALL_THE_SAME = {
    "cut": http(b'{"text": "cut', JSON, length=1000),
    "huge": http(b'{"text": "' + b"x" * 3_000_000, JSON, length=100_000_000),
    "too long": says("x" * 70_000),
    "no JSON": http(b"{[}", JSON),
    "no object": http(b'["text"]', JSON),
    "no text": http(b'{"text": 7}', JSON),
    "deep": http(b"[" * 50_000, JSON),
    "no UTF-8": http(b'{"text": "\xff"}', JSON),
    "null character": http(b'{"text": "\\u0000"}', JSON),
    "page": http(b"<html>thanks</html>", "Content-Type: text/html"),
    "no type": http(b"thanks"),
    "hanging after its head": hang_after_head,
    "bomb": http(b"\x1f\x8b nonsense", JSON, "Content-Encoding: gzip"),
    "too long a message": says("x" * 10_000),
}
PROBLEMS = {
    "broken off": "broken_off",
    "nonsense": "no_http",
    "empty": "no_answer_in_time",
    "hanging": "no_answer_in_time",
}
NOT_POSTED = {
    "cut": "incomplete",
    "huge": "too_long",
    "too long": "too_long",
    "no JSON": "invalid_hook",
    "deep": "invalid_hook",
    "page": "unsupported_type",
    "no type": "unsupported_type",
    "hanging after its head": "incomplete",
    "bomb": "incomplete",
    "too long a message": "message_too_long",
}


async def test_receivers_that_lie_harm_nobody_and_post_nothing(
    receiver: Receiver, ann: Person, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CHAT_WEBHOOK_TIMEOUT = 1
    settings.CHAT_WEBHOOKS_MAX = 100
    monkeypatch.setattr(domain, "RETRY_DELAYS", [timedelta(seconds=1)])
    monkeypatch.setattr(outgoing_deliveries, "BODY_TIMEOUT", 0.5)
    await say("room1", "before", ann)
    bot = await make_bot("echo", "room1")
    made = {}
    for number, (name, answer) in enumerate({**FAILING, **DOUBTFUL, **TAKEN_ALL_THE_SAME}.items()):
        receiver.answers[f"/{number}"] = [answer]
        made[name] = await make_webhook("room1", receiver.url(f"/{number}"), author_id=bot.user_id)
    await make_webhook("room1", receiver.url("/good"))
    await deliver()
    said = (await say("room1", "one", ann)).event.offset
    await receiver.until(lambda: "one" in receiver.texts("/good"))  # nobody waits for the others
    for name, webhook in made.items():
        # On a busy machine, one that takes it may have been too slow at first.
        awaited = {"delivered": True} if name in TAKEN_ALL_THE_SAME else {"attempts__gte": 1}
        await until(lambda webhook=webhook, awaited=awaited: webhook.deliveries.filter(**awaited).aexists())
        delivery = await last_delivery(webhook)
        taken = delivery.delivered if name in DOUBTFUL else name in TAKEN_ALL_THE_SAME
        assert delivery.delivered == taken, (name, delivery.status, delivery.problem)
        assert not delivery.reply.isdigit() or name == "null character", (name, delivery.reply)
        assert delivery.reply == NOT_POSTED.get(name, delivery.reply), name
        assert delivery.problem in {PROBLEMS.get(name, delivery.problem), "no_answer_in_time"}, name
        assert len(delivery.answer) <= 500
    end = (await in_database(history.heads, [find("room1")]))[find("room1")].position.offset
    assert end - said <= 1


async def test_webhook_that_is_slow_takes_no_place_from_those_that_are_not(
    receiver: Receiver, ann: Person, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "AT_ONCE", 1)
    settings.CHAT_WEBHOOK_TIMEOUT = 600
    receiver.answers["/slow"] = [http(status="500 Oh"), hang]
    await say("room1", "before", ann)
    slow = await make_webhook("room1", receiver.url("/slow"))
    await make_webhook("room1", receiver.url("/quick"))
    await deliver()
    await say("room1", "one", ann)
    await until(failed(slow, 1))
    await receiver.until(lambda: "one" in receiver.texts("/quick"))
    await due_now(slow)
    await receiver.until(lambda: len(receiver.at("/slow")) == 2)
    await say("room1", "two", ann)
    await receiver.until(lambda: "two" in receiver.texts("/quick"))
    assert await failed(slow, 1)()  # its second attempt is still under way


async def test_webhooks_that_hang_take_no_connection_and_no_place_from_others(
    receiver: Receiver, ann: Person, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "AT_ONCE", 1)
    monkeypatch.setattr(attempt, "SLOW", 0.01)
    settings.CHAT_WEBHOOK_TIMEOUT = 600
    settings.CHAT_WEBHOOKS_MAX = 100
    receiver.answers["/hanging"] = [hang]
    await say("room1", "before", ann)
    for _ in range(25):
        await make_webhook("room1", receiver.url("/hanging"))
    quick = await make_webhook("room1", receiver.url("/quick"))
    await deliver()
    await say("room1", "one", ann)
    await receiver.until(lambda: "one" in receiver.texts("/quick") and len(receiver.at("/hanging")) == 25)
    await until(lambda: quick.deliveries.filter(delivered=True).aexists())
    assert not await models.Webhook.objects.filter(attempts__gt=0).aexists()


async def test_webhook_that_fails_takes_no_place_from_one_that_is_slow(
    receiver: Receiver, ann: Person, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "AT_ONCE", 1)
    monkeypatch.setattr(attempt, "SLOW", 0)
    settings.CHAT_WEBHOOK_TIMEOUT = 600
    receiver.answers["/failing"] = [http(status="500 Oh"), hang]
    await say("room1", "before", ann)
    failing = await make_webhook("room1", receiver.url("/failing"))
    slow = await make_webhook("room1", receiver.url("/slow"))
    await deliver()
    await say("room1", "one", ann)
    await until(failed(failing, 1))
    await until(lambda: slow.deliveries.filter(delivered=True).aexists())
    await due_now(failing)
    await receiver.until(lambda: len(receiver.at("/failing")) == 2)
    await say("room1", "two", ann)
    await receiver.until(lambda: "two" in receiver.texts("/slow"))


async def test_private_addresses_are_asked_for_nothing_unless_the_setting_allows_it(
    receiver: Receiver, ann: Person, settings: Any
) -> None:
    settings.CHAT_OUTGOING_NETWORKS = []
    await say("room1", "before", ann)
    webhook = await make_webhook("room1", receiver.url())
    await deliver()
    await say("room1", "one", ann)
    await until(failed(webhook, 1))
    assert (await last_delivery(webhook)).problem == "private_address"
    assert receiver.received == []


async def test_log_that_went_back_or_was_pruned_is_told(receiver: Receiver, ann: Person) -> None:
    room = Room("room1")
    for text in ("one", "two", "three"):
        await say(room, text, ann)
    await make_webhook("room1", receiver.url("/back"))
    await models.WebhookPosition.objects.aupdate(entry_id="0" * 32)  # its last entry was another one
    pruned = await make_webhook("room1", receiver.url("/pruned"))
    await models.WebhookPosition.objects.filter(webhook=pruned).aupdate(offset=0, entry_id="")
    await models.Room.objects.aupdate(pruned_to=2)
    await models.Message.objects.filter(offset__lte=2).adelete()
    await say(room, "four", ann)
    await deliver()
    await receiver.until(lambda: len(receiver.at("/back")) == 1 and len(receiver.at("/pruned")) == 3)
    (back,) = receiver.at("/back")
    assert (back.type, back.data["offset"]) == ("room.start_over", 4)
    told = receiver.at("/pruned")
    assert [(one.type, one.data["offset"]) for one in told] == [
        ("room.start_over", 2),
        ("message.created", 3),
        ("message.created", 4),
    ]


async def test_database_that_was_set_back_under_a_running_process_is_told(receiver: Receiver, ann: Person) -> None:
    await say("room1", "before", ann)
    webhook = await make_webhook("room1", receiver.url())
    await deliver()
    await say("room1", "one", ann)
    await say("room1", "two", ann)
    await until(lambda: webhook.positions.filter(offset=3).aexists())
    await models.Message.objects.filter(offset=3).adelete()
    await models.Room.objects.aupdate(last_offset=2)
    one = await models.Message.objects.aget(offset=2)
    await webhook.positions.aupdate(offset=2, entry_id=one.entry_id)
    await say("room1", "another", ann)
    await receiver.until(lambda: len(receiver.received) == 4)
    told = receiver.received[2:]
    assert [(one.type, one.data["offset"]) for one in told] == [("room.start_over", 2), ("message.created", 3)]
    assert told[1].data["message"] == "another"
    assert len({one.id for one in receiver.received}) == 4


async def test_restored_log_is_told_and_nothing_of_it_is_missing(receiver: Receiver, ann: Person) -> None:
    await say("room1", "before", ann)
    await make_webhook("room1", receiver.url("/behind"))
    await say("room1", "one", ann)
    await make_webhook("room1", receiver.url("/at-the-end"))
    await in_database(mark_webhooks)
    await deliver()
    await receiver.until(lambda: len(receiver.at("/behind")) == 2 and len(receiver.at("/at-the-end")) == 1)
    assert [(one.type, one.data["offset"]) for one in receiver.at("/behind")] == [
        ("room.start_over", 1),
        ("message.created", 2),
    ]
    (told,) = receiver.at("/at-the-end")
    assert (told.type, told.data["offset"]) == ("room.start_over", 2)
    await say("room1", "two", ann)
    await receiver.until(lambda: receiver.texts("/at-the-end")[1:] == ["two"])


async def test_log_that_is_restored_again_is_told_by_another_id(receiver: Receiver, ann: Person) -> None:
    await say("room1", "before", ann)
    webhook = await make_webhook("room1", receiver.url())
    await deliver()
    for times in (1, 2):
        await in_database(mark_webhooks)
        Deliveries.here().tell([webhook.pk])
        await receiver.until(lambda times=times: len(receiver.received) == times)  # type: ignore[misc]
        await until(lambda: webhook.positions.exclude(entry_id__startswith="restored").aexists())
    first, second = receiver.received
    assert first.type == second.type == "room.start_over"
    assert first.data == second.data
    assert first.id != second.id
    assert len(first.id) <= 100


async def test_webhook_is_told_nothing_that_its_bot_may_not_read_until_it_may(receiver: Receiver, ann: Person) -> None:
    await say("room1", "before", ann)
    bot = await make_bot("helper", "room1")
    webhook = await make_webhook("room1", receiver.url(), bot_id=bot.user_id, author_id=bot.user_id)
    await models.RoomMember.objects.filter(user=bot.user_id).adelete()
    await deliver()
    await say("room1", "@helper one", ann)
    test = await in_database(webhooks.ask_for_test, webhook_id=webhook.pk)
    assert test is None
    Deliveries.here().tell([webhook.pk])
    await receiver.until(lambda: len(receiver.received) == 1)
    assert receiver.received[0].type == "webhook.test"
    room = await models.Room.objects.aget(name="room1")
    await models.RoomMember.objects.acreate(room=room, user_id=int(bot.user_id))
    Deliveries.here().tell([webhook.pk])
    await receiver.until(lambda: len(receiver.received) == 2)
    assert receiver.texts()[1] == "@helper one"


@pytest.fixture
async def olga(django_user_model: Any) -> Person:
    """An owner of a room."""
    owner = of_user(await in_database(django_user_model.objects.create_user, "olga"))
    await carry_out(moderation.create, find("room1"), private=False, by=owner)
    return owner


async def removed_from_private_room(member: Person, owner: Person) -> None:
    await carry_out(moderation.set_private, find("room1"), True, by=owner)
    await carry_out(moderation.remove_member, find("room1"), member.name, by=owner)


async def banned(member: Person, owner: Person) -> None:
    await carry_out(moderation.set_role, find("room1"), member.name, Role.MEMBER, by=owner)
    await carry_out(moderation.ban, find("room1"), member.id, by=owner)


async def deactivated(member: Person, owner: Person) -> None:
    await get_user_model().objects.filter(pk=member.user_id).aupdate(is_active=False)


async def deleted(member: Person, owner: Person) -> None:
    await get_user_model().objects.filter(pk=member.user_id).adelete()


async def erased(member: Person, owner: Person) -> None:
    await erasing.erase(member)


@pytest.mark.parametrize("exclude", [removed_from_private_room, banned, deactivated, deleted, erased])
@pytest.mark.parametrize("of_bot", [False, True], ids=["all", "mentions"])
async def test_webhook_ends_when_the_person_in_charge_is_excluded(
    receiver: Receiver, olga: Person, django_user_model: Any, exclude: Any, of_bot: bool
) -> None:
    room = find("room1")
    eve = of_user(await in_database(django_user_model.objects.create_user, "eve"))
    await carry_out(moderation.set_role, room, "eve", Role.OWNER, by=olga)
    bot = await make_bot("helper", "room1")
    webhook = await make_webhook("room1", receiver.url(), by=eve, bot_id=bot.user_id if of_bot else None)
    await deliver()
    await carry_out(moderation.set_role, room, "eve", Role.MEMBER, by=olga)
    await say(room, "@helper one", olga)
    await receiver.until(lambda: "@helper one" in receiver.texts())  # a member may read
    await exclude(eve, olga)
    said = await say(room, "@helper two", olga)
    await until(lambda: models.Webhook.objects.filter(pk=webhook.pk, off_reason="excluded").aexists())
    notices = models.Message.objects.filter(room__name="room1", person_id=f"webhook-{webhook.pk}")
    await until(notices.aexists)
    assert "@olga A webhook" in (await notices.aget()).text
    record = await models.AuditRecord.objects.filter(verb="webhook.changed").aget()
    assert record.details == {"webhook": webhook.pk, "on": False, "reason": "excluded"}
    assert "@helper two" not in receiver.texts()
    # An owner can take it over.
    await in_database(webhooks.switch, webhook_id=webhook.pk, on=True, room=room, by=olga)
    await Deliveries.here().attend()
    await receiver.until(lambda: "@helper two" in receiver.texts())
    assert receiver.received[-1].data["offset"] >= said.event.offset


async def test_webhook_of_the_sites_bot_ends_when_the_person_in_charge_is_no_staff(
    receiver: Receiver, ann: Person, django_user_model: Any
) -> None:
    user = await in_database(django_user_model.objects.create_user, "stan", is_staff=True)
    bot = await make_bot("helper")
    await say("room1", "before", ann)
    webhook = await make_webhook(None, receiver.url(), by=of_user(user), bot_id=bot.user_id)
    await deliver()
    await say("room1", "@helper one", ann)
    await receiver.until(lambda: receiver.texts() == ["@helper one"])
    await django_user_model.objects.filter(pk=user.pk).aupdate(is_staff=False)
    await say("room1", "@helper two", ann)
    await until(lambda: models.Webhook.objects.filter(pk=webhook.pk, off_reason="excluded").aexists())
    assert receiver.texts() == ["@helper one"]


async def test_bots_that_answer_each_other_come_to_an_end(receiver: Receiver, ann: Person) -> None:
    await say("room1", "before", ann)
    for name, other in (("ping", "pong"), ("pong", "ping")):
        bot = await make_bot(name, "room1")
        receiver.answers[f"/{name}"] = [says(f"@{other} go on")]
        await make_webhook("room1", receiver.url(f"/{name}"), bot_id=bot.user_id, author_id=bot.user_id)
    await deliver()
    await say("room1", "@ping go on", ann)

    async def stopped() -> bool:
        return await models.WebhookDelivery.objects.filter(reply="too_many_answers").aexists()

    await until(stopped)
    for name in ("ping", "pong"):
        assert len({one.id for one in receiver.at(f"/{name}")}) == 2
    assert await models.Message.objects.filter(text__endswith="go on").acount() == 4


async def test_answers_wait_for_their_turn_and_take_none_from_their_author(
    receiver: Receiver, ann: Person, settings: Any
) -> None:
    await say("room1", "before", ann)
    bot = await make_bot("echo", "room1")
    receiver.answers["/"] = [says("I heard you")]
    webhook = await make_webhook("room1", receiver.url(), author_id=bot.user_id)
    settings.CHAT_LIMITS, settings.CHAT_RATE_TOKEN, settings.CHAT_RATE_PERSON = True, "1/s", "1/h"
    await deliver()
    for number in range(3):
        await say("room1", "one", Person(id=f"guest-00000000000000b{number}", name="Ben"))

    async def all_are_answered() -> bool:
        return await models.Message.objects.filter(text="I heard you").acount() == 3

    await until(all_are_answered)
    await say("room1", "by myself", bot)
    assert await webhook.deliveries.filter(reply="").acount() == 0


async def test_answer_that_would_wait_too_long_is_not_posted(
    receiver: Receiver, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "WAIT_MAX", 1)
    await say("room1", "before", ann)
    bot = await make_bot("echo", "room1")
    receiver.answers["/"] = [says("I heard you")]
    webhook = await make_webhook("room1", receiver.url(), author_id=bot.user_id)
    await carry_out(posting_limits.set_slow_mode, find("room1"), 600, by=None)
    await deliver()
    for number in range(2):
        await say("room1", "one", Person(id=f"guest-00000000000000b{number}", name="Ben"))
    await until(lambda: webhook.deliveries.filter(reply="slow_mode", delivered=True).aexists())
    assert await models.Message.objects.filter(text="I heard you").acount() == 1


async def test_answer_is_posted_once_the_database_answers_again(
    receiver: Receiver, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "PAUSE", 0.01)
    post, tries = hooking.post, 0

    async def post_at_last(**given: Any) -> Any:
        nonlocal tries
        tries += 1
        if tries < 20:
            raise Unavailable("The database is away.")
        return await post(**given)

    monkeypatch.setattr(hooking, "post", post_at_last)
    await say("room1", "before", ann)
    bot = await make_bot("echo", "room1")
    receiver.answers["/"] = [says("I heard you")]
    webhook = await make_webhook("room1", receiver.url(), author_id=bot.user_id)
    await deliver()
    said = (await say("room1", "one", ann)).event.offset
    await until(lambda: webhook.deliveries.filter(delivered=True, reply=str(said + 1)).aexists())
    assert len(receiver.received) == 1


async def test_delivery_is_sent_once_more_on_request_and_its_answer_is_posted_once(
    receiver: Receiver, ann: Person
) -> None:
    await say("room1", "before", ann)
    bot = await make_bot("echo", "room1")
    receiver.answers["/"] = [says("I heard you")]
    webhook = await make_webhook("room1", receiver.url(), author_id=bot.user_id)
    await deliver()
    await say("room1", "one", ann)
    await until(lambda: webhook.deliveries.filter(delivered=True).aexists())
    first = await last_delivery(webhook)
    await in_database(webhooks.ask_for_another, webhook_id=webhook.pk, delivery_id=first.pk)
    Deliveries.here().tell([webhook.pk])
    await until(lambda: webhook.deliveries.filter(requested=False).aexists())
    assert [one.id for one in receiver.received] == [first.message_id] * 2
    assert (await last_delivery(webhook)).reply == first.reply
    assert await models.Message.objects.filter(text="I heard you").acount() == 1
