"""Passwords are not to be guessed, nor a server kept busy with hashing them."""

import secrets
from collections.abc import Callable

import pytest
import requests
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from tests.servers import Server

pytestmark = pytest.mark.django_db
WRONG = {"username": "ann", "password": "wrong"}
RIGHT = {"username": "ann", "password": "correct horse"}


@pytest.fixture
def address(settings: Settings) -> str:
    """One that nobody has used yet, and that may try three passwords."""
    settings.CHAT_LIMITS, settings.CHAT_RATE_LOGIN = True, "3/1h"
    async_to_sync(get_channel_layer().group_send)("nobody", {"type": "nothing"})  # which starts the embedded Valkey
    User.objects.create_superuser("ann", password=RIGHT["password"])
    return f"2001:db8:{secrets.randbelow(2**16):x}:{secrets.randbelow(2**16):x}::1"


def test_an_address_may_try_so_many_passwords_in_so_long_at_all_forms_together(client: Client, address: str) -> None:
    for path in ("/accounts/login/", "/admin/login/", "/accounts/signup/"):
        assert client.post(path, WRONG, REMOTE_ADDR=address).status_code == 200
    for path in ("/accounts/login/", "/admin/login/", "/accounts/signup/"):
        answer = client.post(path, RIGHT, REMOTE_ADDR=address)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 1200
        assert "Please try again in" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_others_and_other_pages_are_not_concerned(client: Client, address: str) -> None:
    for _ in range(4):
        client.post("/accounts/login/", WRONG, REMOTE_ADDR=address)
    assert client.get("/accounts/login/", REMOTE_ADDR=address).status_code == 200
    assert client.post("/accounts/name/", {"name": "Bob"}, REMOTE_ADDR=address).status_code == 302
    assert client.post("/accounts/login/", RIGHT, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_a_form_from_a_foreign_site_costs_an_address_nothing(address: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    for _ in range(5):
        assert strict.post("/accounts/login/", WRONG, REMOTE_ADDR=address).status_code == 403
    assert Client().post("/accounts/login/", RIGHT, REMOTE_ADDR=address).status_code == 302


def test_a_site_that_has_a_limiter_of_its_own_needs_none(client: Client, address: str, settings: Settings) -> None:
    settings.CHAT_LIMITS = False
    for _ in range(5):
        assert client.post("/accounts/login/", WRONG, REMOTE_ADDR=address).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_servers_count_together(start_servers: Callable[..., list[Server]]) -> None:
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
