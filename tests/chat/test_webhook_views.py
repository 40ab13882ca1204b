"""The pages of webhooks."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from chat.domain import people
from chat.domain.rooms import Room
from chat.models import AuditRecord, Role, Webhook, WebhookDelivery
from chat.storage import bots, moderation, webhook_outcomes
from chat.storage.webhook_outcomes import Delivery, Outcome
from tests.logged_in import client_of
from tests.webhooks import delivery

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


def test_forms_that_show_a_secret_do_nothing_when_they_are_posted_again(ann: User) -> None:
    client = client_of(ann)
    form = {**FORM, "once": mark_on(client.get(PAGE))}
    assert len(secrets_on(client.post(PAGE, form))) == 1
    again = client.post(PAGE, form)
    assert (again.status_code, again.headers["Location"]) == (302, PAGE)
    webhook = Webhook.objects.get()
    page = page_of(webhook)
    rotation = {"do": "rotate", "once": mark_on(client.get(page))}
    assert len(secrets_on(client.post(page, rotation))) == 1
    again = client.post(page, rotation)
    assert (again.status_code, again.headers["Location"]) == (302, page)
    former = webhook.secret
    webhook.refresh_from_db()
    assert webhook.former_secret == former


def mark_on(answer: Any) -> str:
    return re.findall(r'name="once" value="([0-9a-f]+)"', answer.content.decode())[0]


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
    [{"url": ""}, {"hears": "1234567"}, {"hears": ""}, {"author": ""}, {"author": "1234567"}],
    ids=lambda changed: "-".join(changed),
)
def test_what_makes_no_sense_makes_no_webhook(ann: User, changed: dict[str, str]) -> None:
    answer = client_of(ann).post(PAGE, {**FORM, **changed})
    assert "errorlist" in answer.content.decode()
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.org/", "begin with https:// or http://"),
        ("nothing", "begin with https:// or http://"),
        ("javascript:alert(1)", "begin with https:// or http://"),
        ("https://", "names no host"),
        ("https:///path", "names no host"),
        ("https://user:password@example.org/", "a user name or a password"),
        ("https://example.org:99999/", "a number from 1 to 65535"),
        ("https://example.org:0/", "a number from 1 to 65535"),
        ("https://example.org:abc/", "a number from 1 to 65535"),
        ("https://exam..ple.org/", "a name that can’t be one"),
        (f"https://{'x' * 64}.example.org/", "a name that can’t be one"),
        ("https://[::1/", "isn’t a URL that can be read"),
        (
            "https://127.0.0.1/",
            "127.0.0.1 has no public address, nor one in the networks that the setting",
        ),
        ("http://[::1]:8000/", "::1 has no public address"),
        ("http://localhost:8000/", "localhost has no public address"),
        ("https://1.1.1.1:25/", "to port 25, but to 80, 443 and those from 1024 on"),
        ("https://example.org:22/", "to port 22, but to 80, 443 and those from 1024 on"),
        ("https://example.org/" + "x" * 2000, "at most 2000 characters"),
    ],
)
def test_address_that_nothing_can_be_sent_to_is_refused_with_the_reason(ann: User, url: str, reason: str) -> None:
    page = client_of(ann).post(PAGE, {**FORM, "url": url}).content.decode()
    assert reason in page
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    ("url", "networks"),
    [
        ("https://1.1.1.1:8443/x", []),
        ("http://hooks.example.org:8080/", []),
        ("http://127.0.0.1:22/", ["127.0.0.0/8"]),
        ("http://intranet.example:22/", ["10.0.0.0/8"]),
    ],
)
def test_address_that_may_be_reached_makes_a_webhook(ann: User, url: str, networks: list[str], settings: Any) -> None:
    settings.CHAT_OUTGOING_NETWORKS = networks
    assert make(client_of(ann), url=url).url == url


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        ({"status": None, "problem": "name_not_found"}, "The name hooks.example.org wasn’t found."),
        ({"status": None, "problem": "connection_refused"}, "hooks.example.org refused the connection"),
        ({"status": None, "problem": "no_answer_in_time"}, "hooks.example.org didn’t answer within 10 seconds."),
        ({"status": None, "problem": "port"}, "Requests aren’t sent to port 443"),
        ({"status": None, "problem": "FutureError"}, "The request to hooks.example.org failed."),
        ({"status": None, "problem": "not_kept"}, "it isn’t kept any more"),
        ({"status": 301}, "redirects aren’t followed"),
        ({"reply": "too_long"}, "the answer wasn’t posted: it has more than 64,000 bytes"),
        ({"reply": "incomplete"}, "the answer wasn’t posted: it broke off"),
        ({"reply": "unsupported_type"}, "it is neither JSON nor plain text"),
        ({"reply": "too_many_answers"}, "three webhooks have answered each other"),
        ({"reply": "slow_mode"}, "the room’s slow mode"),
        ({"reply": "something_else"}, "its author may not post it there"),
    ],
)
def test_page_says_in_sentences_what_became_of_a_delivery(ann: User, outcome: dict[str, Any], shown: str) -> None:
    client = client_of(ann)
    webhook = make(client)
    made = delivery(7, room=ROOM, **outcome)
    webhook_outcomes.store_all(outcomes=[Outcome(webhook_id=webhook.pk, courier="", delivery=made)])
    page = client.get(page_of(webhook)).content.decode()
    assert shown in page
    assert "_" not in shown
    assert not any(code in page for code in outcome.values() if isinstance(code, str) and "_" in code)


def test_page_says_who_made_a_webhook_and_what_keeps_it_from_its_work(ann: User) -> None:
    client = client_of(ann)
    bot = bots.make(username="helper", room=ROOM, by=None)
    moderation.set_role(ROOM, "helper", Role.MEMBER, by=None)
    webhook = make(client, hears=str(bot.pk))
    page = client.get(page_of(webhook)).content.decode()
    assert "made by ann" in page
    assert "in charge of it: ann" in page
    assert "it hears nothing" not in page
    moderation.remove_member(ROOM, "helper", by=None)
    for address in (PAGE, page_of(webhook)):
        assert "it hears nothing" in client.get(address).content.decode()
    everything = make(client, author=str(bot.pk))
    assert "answers are posted by helper" in client.get(page_of(everything)).content.decode()
    bots.delete(user_id=bot.pk, room=ROOM, by=None)
    assert "answers aren’t posted, as helper isn’t there any more" in client.get(page_of(everything)).content.decode()


def test_owner_who_switches_a_webhook_on_is_in_charge_of_it(ann: User) -> None:
    webhook = make(client_of(ann))
    ben = User.objects.create_user("ben")
    moderation.set_role(ROOM, "ben", Role.OWNER, by=None)
    Webhook.objects.update(off_since=timezone.now(), off_reason="excluded")
    page = client_of(ben).get(page_of(webhook)).content.decode()
    assert "the person in charge of it may not read here any more" in page
    client_of(ben).post(page_of(webhook), {"do": "on"})
    assert "in charge of it: ben" in client_of(ann).get(page_of(webhook)).content.decode()


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
    one = Delivery(
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
    webhook_outcomes.store_all(outcomes=[Outcome(webhook_id=webhook.pk, courier="", delivery=one)])
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
        one = Delivery(
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
        webhook_outcomes.store_all(outcomes=[Outcome(webhook_id=webhook.pk, courier="", delivery=one)])
    assert list(webhook.deliveries.order_by("pk").values_list("offset", flat=True)) == [2, 3, 4]


def test_page_of_members_tells_owners_of_webhooks_in_trouble(ann: User) -> None:
    client = client_of(ann)
    for state in ({}, {"attempts": 2}, {"off_reason": "gone"}, {"off_reason": "by_hand"}):
        Webhook.objects.filter(pk=make(client).pk).update(**state)
    page = "/rooms/members/?room=room%2F1"
    assert "(2 aren’t delivered)" in client.get(page).content.decode()
    Webhook.objects.update(attempts=0, off_reason="")
    assert "delivered" not in client.get(page).content.decode()
