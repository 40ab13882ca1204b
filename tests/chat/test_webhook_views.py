"""The pages of webhooks."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chat.domain import people
from chat.domain.rooms import Room
from chat.models import AuditRecord, Role, Webhook, WebhookDelivery
from chat.storage import bots, moderation, webhook_outcomes
from chat.storage.webhook_outcomes import Delivery, Outcome
from tests.logged_in import client_of

PAGE = "/rooms/webhooks/?room=room%2F1"
ROOM = Room("room/1")
FORM = {"url": "https://hooks.example.org/a?key=1", "hears": "all", "author": "nobody"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    """The owner of a room."""
    user = User.objects.create_user("ann")
    moderation.create(ROOM, private=False, by=people.of_user(user))
    return user


def make(client: Client, **changed: Any) -> Webhook:
    answer = client.post(PAGE, {**FORM, **changed})
    assert answer.status_code == 200
    return Webhook.objects.latest("pk")


def page_of(webhook: Webhook) -> str:
    return f"/rooms/webhooks/{webhook.pk}/?room=room%2F1"


def secrets_on(answer: Any) -> list[str]:
    assert "no-store" in answer.headers["Cache-Control"]
    return re.findall(r"whsec_[0-9A-Za-z+/=]{32}", answer.content.decode())


def test_secret_is_shown_once_and_when_it_is_replaced(ann: User) -> None:
    client = client_of(ann)
    answer = client.post(PAGE, FORM)
    webhook = Webhook.objects.get()
    assert secrets_on(answer) == [webhook.secret]
    assert (webhook.url, webhook.bot, webhook.author, webhook.off_since) == (FORM["url"], None, None, None)
    assert secrets_on(client.get(page_of(webhook))) == []
    assert FORM["url"] in client.get(PAGE).content.decode().replace("&amp;", "&")
    answer = client.post(page_of(webhook), {"do": "rotate"})
    former = webhook.secret
    webhook.refresh_from_db()
    assert secrets_on(answer) == [webhook.secret]
    assert webhook.former_secret == former != webhook.secret
    assert webhook.former_until is not None


def test_webhook_of_mentions_answers_as_the_bot(ann: User) -> None:
    bot = bots.make(username="helper", room=ROOM, by=None)
    webhook = make(client_of(ann), hears=str(bot.pk), author="nobody")
    assert (webhook.bot_id, webhook.author_id) == (bot.pk, bot.pk)
    assert make(client_of(ann), author="me").author_id == ann.pk
    assert make(client_of(ann), author=str(bot.pk)).author_id == bot.pk
    bots.delete(user_id=bot.pk, room=ROOM, by=None)
    assert not Webhook.objects.filter(bot=bot.pk).exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"url": ""},
        {"url": "ftp://example.org/"},
        {"url": "https://user:password@example.org/"},
        {"url": "nothing"},
        {"url": "https://example.org/" + "x" * 2000},
        {"hears": "1234567"},
        {"hears": ""},
        {"author": ""},
        {"author": "1234567"},
    ],
    ids=lambda changed: "-".join(changed),
)
def test_what_makes_no_sense_makes_no_webhook(ann: User, changed: dict[str, str]) -> None:
    answer = client_of(ann).post(PAGE, {**FORM, **changed})
    assert "errorlist" in answer.content.decode()
    assert not Webhook.objects.exists()


def test_room_has_no_more_webhooks_than_the_setting_says(ann: User, settings: Any) -> None:
    settings.CHAT_WEBHOOKS_MAX = 1
    make(client_of(ann))
    assert "errorlist" in client_of(ann).post(PAGE, FORM).content.decode()
    assert Webhook.objects.count() == 1


def test_webhook_is_switched_off_and_on_again_and_removed(ann: User) -> None:
    client = client_of(ann)
    webhook = make(client)
    for do, reason in (("off", "by_hand"), ("on", ""), ("nonsense", "")):
        client.post(page_of(webhook), {"do": do})
        webhook.refresh_from_db()
        assert (webhook.off_reason, webhook.off_since is None) == (reason, not reason)
    client.post(page_of(webhook), {"do": "remove"})
    assert not Webhook.objects.exists()
    assert client.get(page_of(webhook)).status_code == 404
    verbs = list(AuditRecord.objects.filter(verb__startswith="webhook").order_by("pk").values_list("verb", flat=True))
    assert verbs == ["webhook.made", "webhook.changed", "webhook.changed", "webhook.deleted"]
    assert "hooks.example.org" not in str(list(AuditRecord.objects.values_list("details", flat=True)))


def test_page_shows_deliveries_and_has_them_sent_again(ann: User) -> None:
    client = client_of(ann)
    webhook = make(client)
    delivery = Delivery(
        message_id="msg_1_a",
        type="message.created",
        room=ROOM,
        offset=7,
        attempts=2,
        at=webhook.made_at,
        took=12,
        status=200,
        problem="",
        answer="<b>thanks",
        reply="8",
        delivered=True,
    )
    webhook_outcomes.store_all(outcomes=[Outcome(webhook_id=webhook.pk, courier="", delivery=delivery)])
    page = client.get(page_of(webhook)).content.decode()
    for shown in ("message.created", "200", "12 ms", "2 attempts", "&lt;b&gt;thanks", "posted as message 8"):
        assert shown in page
    row = WebhookDelivery.objects.get()
    client.post(page_of(webhook), {"do": "again", "delivery": "x"})
    client.post(page_of(webhook), {"do": "again", "delivery": str(row.pk)})
    client.post(page_of(webhook), {"do": "test"})
    client.post(page_of(webhook), {"do": "test"})
    assert list(WebhookDelivery.objects.filter(requested=True).order_by("pk").values_list("type", flat=True)) == [
        "message.created",
        "webhook.test",
    ]


def test_only_owners_and_the_staff_see_webhooks(ann: User) -> None:
    webhook = make(client_of(ann))
    ben = User.objects.create_user("ben")
    moderation.set_role(ROOM, "ben", Role.MODERATOR, by=None)
    for client, status in ((client_of(ben), 403), (Client(), 302)):
        for page in (PAGE, page_of(webhook), "/rooms/webhooks/", f"/rooms/webhooks/{webhook.pk}/"):
            assert client.get(page).status_code == status
            assert client.post(page, {**FORM, "do": "remove"}).status_code == status
    staff = client_of(User.objects.create_user("staff", is_staff=True))
    assert staff.get("/rooms/webhooks/").status_code == 200
    assert staff.get(f"/rooms/webhooks/{webhook.pk}/").status_code == 404  # it is the room's
    bot = bots.make(username="helper", room=None, by=None)
    answer = staff.post("/rooms/webhooks/", {"url": FORM["url"], "hears": str(bot.pk)})
    assert len(secrets_on(answer)) == 1
    assert client_of(ann).get(f"/rooms/webhooks/{Webhook.objects.latest('pk').pk}/?room=room%2F1").status_code == 404


def test_no_more_deliveries_are_kept_than_are_shown(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_outcomes, "DELIVERIES_KEPT", 3)
    webhook = make(client_of(ann))
    for number in range(5):
        delivery = Delivery(
            message_id=f"msg_{number}",
            type="message.created",
            room=ROOM,
            offset=number,
            attempts=1,
            at=webhook.made_at,
            took=1,
            status=None,
            problem="no",
            answer="",
            reply="",
            delivered=False,
        )
        webhook_outcomes.store_all(outcomes=[Outcome(webhook_id=webhook.pk, courier="", delivery=delivery)])
    assert list(webhook.deliveries.order_by("pk").values_list("offset", flat=True)) == [2, 3, 4]


def test_page_of_members_tells_owners_of_webhooks_in_trouble(ann: User) -> None:
    client = client_of(ann)
    for state in ({}, {"attempts": 2}, {"off_reason": "gone"}, {"off_reason": "by_hand"}):
        Webhook.objects.filter(pk=make(client).pk).update(**state)
    page = "/rooms/members/?room=room%2F1"
    assert "(2 aren’t delivered)" in client.get(page).content.decode()
    Webhook.objects.update(attempts=0, off_reason="")
    assert "delivered" not in client.get(page).content.decode()
