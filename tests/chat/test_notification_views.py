"""The page on which people choose how they are notified, and what browsers tell it."""

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client

from chat import models
from chat.domain.people import Person, of_user
from chat.domain.rooms import find
from chat.domain.subscriptions import as_base64
from chat.storage import push_keys, push_subscriptions, readings
from chat.storage.readings import Mark
from tests.push_service import PushService

PAGE = "/accounts/notifications/"
DEVICES = "/accounts/notifications/devices/"
SERVICE = PushService()


@pytest.fixture(autouse=True)
def own_network(settings: Any) -> None:
    settings.CHAT_PUSH = True
    settings.CHAT_OUTGOING_NETWORKS = ["127.0.0.0/8"]
    SERVICE.port = 1234


@pytest.fixture
def ann(db: None) -> Any:
    return get_user_model().objects.create_user("ann", password="correct horse")


@pytest.fixture
def client_of_ann(ann: Any) -> Client:
    client = Client(headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
    client.force_login(ann)
    return client


def post(client: Client, **said: Any) -> Any:
    return client.post(DEVICES, json.dumps(said), content_type="application/json")


def subscriptions() -> list[tuple[str, str]]:
    return [*models.PushSubscription.objects.order_by("pk").values_list("person_id", "endpoint")]


def person_of(user: Any) -> Person:
    return of_user(user)


def test_browser_is_given_the_key_and_subscribes(client_of_ann: Client, ann: Any) -> None:
    browser = SERVICE.browser()
    given = client_of_ann.get(DEVICES).json()
    assert given == {"key": as_base64(push_keys.public_key()), "endpoints": []}
    assert post(client_of_ann, subscription=browser.subscription).json() == {}
    assert subscriptions() == [(person_of(ann).id, browser.endpoint)]
    assert client_of_ann.get(DEVICES).json()["endpoints"] == [browser.endpoint]
    assert "Firefox – Linux" in client_of_ann.get(PAGE).content.decode()


def test_key_is_made_once(db: None) -> None:
    assert push_keys.public_key() == push_keys.public_key()
    assert models.VapidKey.objects.count() == 1


def test_key_that_another_process_made_meanwhile_is_the_key(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    first = push_keys.private_key()
    monkeypatch.setattr(models.VapidKey.objects, "filter", lambda **_: models.VapidKey.objects.none())
    assert push_keys.private_key().private_numbers() == first.private_numbers()


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"subscription": None},
        {"subscription": {"endpoint": "https://push.example.org/1"}},
        {"subscription": {"endpoint": "https://push.example.org/1", "keys": {"p256dh": "", "auth": ""}}},
        {"subscription": {"endpoint": "https://push.example.org/1", "keys": {"p256dh": "AAAA", "auth": "AAAA"}}},
        {"subscription": {"endpoint": 7, "keys": SERVICE.browser().keys}},
        {"subscription": {"endpoint": "", "keys": SERVICE.browser().keys}},
        {"subscription": {"endpoint": "ftp://push.example.org/1", "keys": SERVICE.browser().keys}},
        {"subscription": {"endpoint": "https://ann:secret@push.example.org/1", "keys": SERVICE.browser().keys}},
        {"subscription": {"endpoint": "https:///1", "keys": SERVICE.browser().keys}},
        {"subscription": {"endpoint": "https://push.example.org:a/1", "keys": SERVICE.browser().keys}},
        {"subscription": {"endpoint": "https://push.example.org/\n1", "keys": SERVICE.browser().keys}},
        {"subscription": {"endpoint": "https://push.example.org/\udce4", "keys": SERVICE.browser().keys}},
        {"subscription": {"endpoint": "https://push.example.org/" + "a" * 2000, "keys": SERVICE.browser().keys}},
        {"subscription": {"endpoint": "https://push.example.org/1", "keys": {"p256dh": "é", "auth": []}}},
        {"subscription": [[]]},
    ],
)
def test_subscription_that_makes_no_sense_is_refused(client_of_ann: Client, said: dict[str, Any]) -> None:
    answer = post(client_of_ann, **said)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_subscription"
    assert subscriptions() == []


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b"[" * 3000, b'"a"', b"\xff", b'{"a": "' + b"a" * 9000 + b'"}'])
def test_body_that_is_no_subscription_is_refused(client_of_ann: Client, body: bytes) -> None:
    assert client_of_ann.post(DEVICES, body, content_type="application/json").status_code == 400


def test_form_of_another_site_subscribes_nobody(client_of_ann: Client) -> None:
    said = json.dumps({"subscription": SERVICE.browser().subscription})
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a"):
        assert client_of_ann.post(DEVICES, said, content_type=content_type).status_code == 400
    assert subscriptions() == []


def test_plain_http_is_refused_outside_of_the_own_network(client_of_ann: Client, settings: Any) -> None:
    settings.CHAT_OUTGOING_NETWORKS = []
    assert post(client_of_ann, subscription=SERVICE.browser().subscription).status_code == 400


def test_guest_has_no_devices(client: Client, db: None) -> None:
    answer = post(client, subscription=SERVICE.browser().subscription)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "login_required"
    assert client.get(PAGE).status_code == 302


def test_browser_is_that_of_the_person_who_logged_in_last(client_of_ann: Client, ann: Any) -> None:
    browser = SERVICE.browser()
    post(client_of_ann, subscription=browser.subscription)
    ben, other = get_user_model().objects.create_user("ben"), Client()
    other.force_login(ben)
    assert post(other, subscription=browser.subscription).json() == {}
    assert subscriptions() == [(person_of(ben).id, browser.endpoint)]


def test_endpoint_of_somebody_else_is_not_taken_without_its_keys(client_of_ann: Client, ann: Any) -> None:
    browser = SERVICE.browser()
    post(client_of_ann, subscription=browser.subscription)
    ben, other = get_user_model().objects.create_user("ben"), Client()
    other.force_login(ben)
    stolen = {**browser.subscription, "keys": SERVICE.browser().keys}
    assert post(other, subscription=stolen).json()["error"]["code"] == "not_allowed"
    assert subscriptions() == [(person_of(ann).id, browser.endpoint)]


def test_logout_ends_the_subscription_of_that_browser_alone(client_of_ann: Client, ann: Any) -> None:
    here, elsewhere, other = SERVICE.browser(), SERVICE.browser(), Client()
    other.force_login(ann)
    post(client_of_ann, subscription=here.subscription)
    post(other, subscription=elsewhere.subscription)
    client_of_ann.post("/accounts/logout/")
    assert subscriptions() == [(person_of(ann).id, elsewhere.endpoint)]


def test_browser_ends_its_subscription(client_of_ann: Client) -> None:
    browser = SERVICE.browser()
    post(client_of_ann, subscription=browser.subscription)
    assert post(client_of_ann, ended="https://push.example.org/other").json() == {}
    assert len(subscriptions()) == 1
    post(client_of_ann, ended=browser.endpoint)
    assert subscriptions() == []


def test_browser_moves_its_subscription(client_of_ann: Client, ann: Any) -> None:
    browser, later = SERVICE.browser(), SERVICE.browser()
    post(client_of_ann, subscription=browser.subscription)
    post(client_of_ann, subscription=later.subscription, before=browser.endpoint)
    assert subscriptions() == [(person_of(ann).id, later.endpoint)]
    post(client_of_ann, subscription=SERVICE.browser().subscription, before="https://push.example.org/unknown")
    assert len(subscriptions()) == 1, "somebody else may be logged in by now, who didn't ask for it"


def test_device_is_removed_by_its_person_alone(client_of_ann: Client, ann: Any) -> None:
    post(client_of_ann, subscription=SERVICE.browser().subscription)
    device, other = models.PushSubscription.objects.get(), Client()
    other.force_login(get_user_model().objects.create_user("ben"))
    other.post(PAGE, {"device": device.pk})
    assert len(subscriptions()) == 1
    client_of_ann.post(PAGE, {"device": device.pk})
    assert subscriptions() == []


def test_devices_beyond_the_limit_go_by_their_age(
    client_of_ann: Client, ann: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_subscriptions, "DEVICES_MAX", 2)
    browsers = [SERVICE.browser() for _ in range(3)]
    for browser in browsers:
        post(client_of_ann, subscription=browser.subscription)
    assert [endpoint for _, endpoint in subscriptions()] == [browser.endpoint for browser in browsers[1:]]


def test_subscriptions_go_with_the_account(client_of_ann: Client, ann: Any) -> None:
    post(client_of_ann, subscription=SERVICE.browser().subscription)
    ann.delete()
    assert subscriptions() == []


def test_room_is_chosen_to_be_told_of_all(client_of_ann: Client, ann: Any) -> None:
    readings.enter([Mark(find("room1"), person_of(ann))])
    assert 'aria-checked="false"' in client_of_ann.get(PAGE).content.decode()
    client_of_ann.post(PAGE, {"room": "room1", "on": "true"})
    assert 'aria-checked="true"' in client_of_ann.get(PAGE).content.decode()
    client_of_ann.post(PAGE, {"room": "room1", "on": "false"})
    assert models.PushedRoom.objects.count() == 0


def test_room_of_others_cannot_be_chosen(client_of_ann: Client) -> None:
    models.Room.objects.create(name="secret", is_private=True, restricted=True)
    answer = client_of_ann.post(PAGE, {"room": "secret", "on": "true"})
    assert answer.status_code == 400
    assert models.Reading.objects.count() == 0


def test_address_gets_digests_once_it_is_confirmed(client_of_ann: Client, ann: Any) -> None:
    client_of_ann.post(PAGE, {"detail": "names", "digest": "on", "email": "ann@example.org"})
    (sent,) = mail.outbox
    assert sent.to == ["ann@example.org"]
    link = next(line for line in sent.body.splitlines() if line.startswith("http"))
    path = link.removeprefix("http://localhost:8000")
    stranger = Client()
    assert "ann@example.org" in stranger.get(path).content.decode()
    assert not models.NotificationChoice.objects.get().is_confirmed, "programs open links, too"
    stranger.post(path)
    assert models.NotificationChoice.objects.get().is_confirmed
    client_of_ann.post(PAGE, {"detail": "names", "digest": "on", "email": "ann@example.com"})
    assert not models.NotificationChoice.objects.get().is_confirmed
    stranger.post(path)
    assert not models.NotificationChoice.objects.get().is_confirmed, "that was another address"


@pytest.mark.parametrize("form", [{"detail": "names", "digest": "on", "email": ""}, {"detail": "all"}, {"email": "@"}])
def test_form_that_makes_no_sense_is_shown_again(client_of_ann: Client, form: dict[str, str]) -> None:
    answer = client_of_ann.post(PAGE, form)
    assert answer.status_code == 200
    assert models.NotificationChoice.objects.count() == 0
    assert mail.outbox == []


@pytest.mark.parametrize("kind", ["confirm", "unsubscribe"])
def test_link_that_was_made_up_leads_nowhere(client: Client, db: None, kind: str) -> None:
    for token in ("a", "a:b:c", "%00", "é"):
        assert client.get(f"{PAGE}{kind}/{token}/").status_code == 404
        assert client.post(f"{PAGE}{kind}/{token}/").status_code == 404
