"""Limits of password attempts, per address and per account."""

import secrets
import time
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
import requests
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from pytest_django import Settings

from chat.models import NotificationChoice
from tests.servers import Server

pytestmark = pytest.mark.django_db
WRONG = {"username": "ann", "password": "wrong"}
RIGHT = {"username": "ann", "password": "correct horse"}


@pytest.fixture
def address(settings: Settings) -> str:
    """An unused address that may try three passwords."""
    settings.CHAT_LIMITS, settings.CHAT_RATE_LOGIN, settings.CHAT_RATE_ACCOUNT = True, "3/1h", "1000/1h"
    async_to_sync(get_channel_layer().group_send)("nobody", {"type": "nothing"})  # which starts the embedded Valkey
    User.objects.create_superuser("ann", password=RIGHT["password"])
    return f"2001:db8:{secrets.randbelow(2**16):x}:{secrets.randbelow(2**16):x}::1"


def test_password_attempts_of_an_address_are_limited_over_all_forms(client: Client, address: str) -> None:
    for path in ("/accounts/login/", "/admin/login/", "/accounts/signup/"):
        assert client.post(path, WRONG, REMOTE_ADDR=address).status_code == 200
    for path in ("/accounts/login/", "/admin/login/", "/accounts/signup/"):
        answer = client.post(path, RIGHT, REMOTE_ADDR=address)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 1200
        assert "Please try again in" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_throttled_address_leaves_other_pages_and_addresses_alone(client: Client, address: str) -> None:
    for _ in range(4):
        client.post("/accounts/login/", WRONG, REMOTE_ADDR=address)
    assert client.get("/accounts/login/", REMOTE_ADDR=address).status_code == 200
    assert client.post("/accounts/name/", {"name": "Bob"}, REMOTE_ADDR=address).status_code == 302
    assert client.post("/accounts/login/", RIGHT, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_form_without_csrf_token_does_not_count_as_a_password_attempt(address: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    for _ in range(5):
        assert strict.post("/accounts/login/", WRONG, REMOTE_ADDR=address).status_code == 403
    assert Client().post("/accounts/login/", RIGHT, REMOTE_ADDR=address).status_code == 302


def test_password_attempts_have_no_limit_when_limits_are_off(client: Client, address: str, settings: Settings) -> None:
    settings.CHAT_LIMITS = False
    for _ in range(5):
        assert client.post("/accounts/login/", WRONG, REMOTE_ADDR=address).status_code == 200


@pytest.fixture
def name(address: str, settings: Settings) -> str:
    """A user whose password may be tried three times."""
    settings.CHAT_RATE_LOGIN, settings.CHAT_RATE_ACCOUNT = "1000/1h", "3/1h"
    return User.objects.create_user(f"zoé{secrets.token_hex(8)}", password=RIGHT["password"]).username


def log_in(client: Client, name: str, password: str = RIGHT["password"], path: str = "/accounts/login/") -> int:
    address = f"2001:db8:{secrets.randbelow(2**16):x}::1"  # another one each time
    return client.post(path, {"username": name, "password": password}, REMOTE_ADDR=address).status_code


def test_password_attempts_for_an_account_are_limited_over_all_addresses(name: str) -> None:
    spellings = [name, name.upper(), name.replace("o", "0")]  # which are one account's, or might be
    for spelling, path in zip(spellings, ["/accounts/login/", "/admin/login/", "/accounts/login/"], strict=True):
        assert log_in(Client(), spelling, "wrong", path) == 200
    for path in ("/accounts/login/", "/admin/login/"):
        assert log_in(Client(), name, path=path) == 429
    assert log_in(Client(), "somebody else", "wrong") == 200


def test_throttled_account_can_log_in_again_after_the_interval(name: str, settings: Settings) -> None:
    settings.CHAT_RATE_ACCOUNT = "1/1s"
    assert log_in(Client(), name, "wrong") == 200
    deadline = time.monotonic() + 20
    while (status := log_in(Client(), name)) == 429:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert status == 302


def test_browser_known_to_an_account_can_log_in_while_it_is_throttled(client: Client, name: str) -> None:
    assert log_in(client, name) == 302
    client.post("/accounts/logout/")
    for _ in range(4):
        log_in(Client(), name, "wrong")
    assert log_in(Client(), name) == 429
    assert log_in(client, name) == 302


def test_known_browser_cookie_of_one_account_does_not_help_with_another(client: Client, name: str) -> None:
    other = User.objects.create_user(f"ben{secrets.token_hex(8)}", password=RIGHT["password"]).username
    assert log_in(client, other) == 302
    client.post("/accounts/logout/")
    assert [log_in(client, name, "wrong") for _ in range(4)] == [200, 200, 200, 429]


@pytest.mark.parametrize("cookie", ["forged", "", "a:b:c", "x" * 3000])
def test_forged_known_browser_cookie_is_ignored(client: Client, name: str, cookie: str) -> None:
    client.cookies["chat_known"] = cookie
    assert [log_in(client, name, "wrong") for _ in range(4)] == [200, 200, 200, 429]


@pytest.fixture
def mailbox(address: str, settings: Settings) -> str:
    """The confirmed address of an account, to which three links may be sent."""
    settings.CHAT_LOGIN_LINKS, settings.CHAT_RATE_LOGIN, settings.CHAT_RATE_MAILBOX = True, "1000/1h", "3/1h"
    mailbox = f"ann{secrets.token_hex(8)}@example.org"
    NotificationChoice.objects.create(user=User.objects.get(username="ann"), email=mailbox, is_confirmed=True)
    return mailbox


def ask_for_link(client: Client, mailbox: str) -> int:
    address = f"2001:db8:{secrets.randbelow(2**16):x}::1"  # another one each time
    return client.post("/accounts/login/link/", {"email": mailbox}, REMOTE_ADDR=address).status_code


def test_links_to_a_mailbox_are_limited_over_all_addresses_and_alike_for_unknown_ones(mailbox: str) -> None:
    unknown = f"ben{secrets.token_hex(8)}@example.org"
    for one in (mailbox, unknown):
        spellings = [one, one.upper(), f" {one} "]
        assert [ask_for_link(Client(), spelling) for spelling in [*spellings, one]] == [200, 200, 200, 429]
    assert len(mail.outbox) == 6  # to log in, and to sign up


def test_links_from_one_address_are_limited_over_all_mailboxes(mailbox: str, address: str, settings: Settings) -> None:
    settings.CHAT_RATE_LOGIN = "3/1h"
    asked = [
        Client().post("/accounts/login/link/", {"email": f"{number}{mailbox}"}, REMOTE_ADDR=address).status_code
        for number in range(4)
    ]
    assert asked == [200, 200, 200, 429]


def test_browser_that_used_a_link_can_ask_for_another_while_the_mailbox_is_throttled(mailbox: str) -> None:
    client = Client()
    assert ask_for_link(client, mailbox) == 200
    path = str(mail.outbox[0].body).partition("http://localhost:8000")[2].split()[0]
    assert client.post(path, REMOTE_ADDR="2001:db8:0:1::1").status_code == 302
    client.post("/accounts/logout/")
    assert [ask_for_link(Client(), mailbox) for _ in range(3)] == [200, 200, 429]
    assert ask_for_link(client, mailbox) == 200
    assert ask_for_link(client, "b" + mailbox) == 200


@pytest.mark.parametrize("username", ["", "\0", "\ud83d", "x" * 10_000, "\u200b"])
def test_password_attempt_for_an_impossible_username_is_handled(client: Client, address: str, username: str) -> None:
    body = urlencode({"username": username.encode(errors="surrogatepass"), "password": "wrong"})
    form = "application/x-www-form-urlencoded"
    answer = client.post("/accounts/login/", body, content_type=form, REMOTE_ADDR=address)
    assert answer.status_code == 200


@pytest.mark.django_db(transaction=True)
def test_servers_share_the_count_of_password_attempts(start_servers: Callable[..., list[Server]]) -> None:
    servers = start_servers(2, CHAT_LIMITS="on", CHAT_RATE_LOGIN="3/1h")
    token = "a" * 32
    statuses = [
        requests.post(
            f"http://{server.host}/accounts/login/",
            {**WRONG, "csrfmiddlewaretoken": token},
            cookies={"csrftoken": token},
            timeout=20,
        ).status_code
        for server in servers * 3
    ]
    assert statuses == [200, 200, 200, 429, 429, 429]
