"""Logging in, signing up and choosing a name, as Django serves the pages for it."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from chat.models import Bot
from tests.chat.test_views import room_data

pytestmark = pytest.mark.django_db
PASSWORDS = {"password1": "correct horse", "password2": "correct horse"}


def test_guest_keeps_id_and_name_and_can_change_the_name(client: Client) -> None:
    guest = room_data(client)["person"]
    assert room_data(client, "room2")["person"] == guest
    assert (
        client.post("/accounts/name/", {"name": " Ann ", "next": "/chat/room1/"}).headers["Location"] == "/chat/room1/"
    )
    assert room_data(client)["person"] == guest | {"name": "Ann"}
    assert room_data(Client())["person"]["id"] != guest["id"]


@pytest.mark.parametrize(
    "name",
    ["", " ", "x" * 41, "a\nb", "ANN", "an\u200dn", "ａｎｎ", "a\u202eb", "ann\ufe0f", "аnn", "\u2800", "You", "аdmin"],
)
def test_name_form_explains_why_a_name_is_refused(client: Client, name: str) -> None:
    User.objects.create_user("ann")
    response = client.post("/accounts/name/", {"name": name})
    assert response.status_code == 200
    assert response.context["form"].errors["name"]


@pytest.mark.parametrize("name", ["ANN", "ａnn", "аnn", "an\u3164n", "You", "moderator", "x" * 151, "a b"])
def test_signup_refuses_names_that_look_like_another_account(client: Client, name: str) -> None:
    User.objects.create_user("ann")
    response = client.post("/accounts/signup/", {"username": name, **PASSWORDS})
    assert response.status_code == 200
    assert response.context["form"].errors["username"]
    assert User.objects.count() == 1


def test_bot_with_a_password_can_not_log_in(client: Client) -> None:
    user = User.objects.create_user("robot", password="correct horse")
    login = {"username": "robot", "password": "correct horse"}
    assert client.post("/accounts/login/", login).status_code == 302
    client.logout()
    Bot.objects.create(user=user)
    response = client.post("/accounts/login/", login)
    assert response.status_code == 200
    assert response.context["form"].errors["__all__"]


def test_signup_logs_in_and_logout_makes_a_guest(client: Client) -> None:
    form = {"username": "ann", "password1": "correct horse", "password2": "correct horse", "next": "/chat/room1/"}
    assert client.post("/accounts/signup/", form).headers["Location"] == "/chat/room1/"
    person = room_data(client)["person"]
    assert (person["name"], person["isGuest"]) == ("ann", False)
    client.post("/accounts/logout/")
    assert room_data(client)["person"]["isGuest"]
    client.post("/accounts/login/", {"username": "ann", "password": "correct horse"})
    assert room_data(client)["person"] == person


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/", "/accounts/name/"])
@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "https:evil.example", "javascript:alert(1)"]
    + ["\t//evil.example", "http:///evil.example", "//evil.example\\@testserver/", "\x00//evil.example"],
)
def test_account_forms_never_redirect_to_a_foreign_site(client: Client, path: str, target: str) -> None:
    get_user_model().objects.create_user("bob", password="correct horse")
    form = {
        "username": "bob" if "login" in path else "ann",
        "password": "correct horse",
        "password1": "correct horse",
        "password2": "correct horse",
        "name": "Ann",
        "next": target,
    }
    assert client.post(path, form).headers["Location"] == "/chat/"


def test_name_form_without_csrf_token_is_refused() -> None:
    assert Client(enforce_csrf_checks=True).post("/accounts/name/", {"name": "Ann"}).status_code == 403


@pytest.fixture
def logged_in_elsewhere() -> Client:
    """A browser with forms that were opened before a login in another tab."""
    User.objects.create_user("ann", password="correct horse")
    client = Client(enforce_csrf_checks=True)
    client.get("/accounts/login/")
    token = client.cookies["csrftoken"].value
    form = {"username": "ann", "password": "correct horse", "csrfmiddlewaretoken": token}
    assert client.post("/accounts/login/", form).status_code == 302
    assert client.cookies["csrftoken"].value != token
    return client


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/", "/accounts/name/"])
@pytest.mark.parametrize(
    ("target", "place"), [("/chat/room1/", "/chat/room1/"), ("//evil.example/", "/chat/"), ("", "/chat/")]
)
def test_stale_form_for_guests_sent_after_a_login_redirects_to_its_target(
    logged_in_elsewhere: Client, path: str, target: str, place: str
) -> None:
    form = {"username": "ben", "name": "Ben", "next": target, "csrfmiddlewaretoken": "a" * 32, **PASSWORDS}
    assert logged_in_elsewhere.post(path, form).headers["Location"] == place
    assert room_data(logged_in_elsewhere)["person"]["name"] == "ann"
    assert User.objects.count() == 1


def test_stale_logout_form_is_refused_with_advice_to_reload(logged_in_elsewhere: Client) -> None:
    answer = logged_in_elsewhere.post("/accounts/logout/", {"csrfmiddlewaretoken": "a" * 32})
    assert answer.status_code == 403
    assert "load it again" in answer.content.decode()


def test_form_from_a_browser_without_cookies_is_refused_with_that_reason() -> None:
    answer = Client(enforce_csrf_checks=True).post("/accounts/name/", {"name": "Ann"})
    assert answer.status_code == 403
    assert "keeps no cookies" in answer.content.decode()


def test_me_view_describes_a_guest_and_is_not_cached(client: Client) -> None:
    answer = client.get("/accounts/me/")
    assert answer.json() == room_data(client)["person"]
    assert answer.json()["isGuest"] is True
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("guests", [True, False])
def test_me_view_describes_a_user(client: Client, settings: Settings, guests: bool) -> None:
    settings.CHAT_GUESTS = guests
    user = get_user_model().objects.create_user(username="zoe")
    client.force_login(user)
    assert client.get("/accounts/me/").json() == {"id": f"user-{user.pk}", "name": "zoe", "isGuest": False}


def test_me_view_asks_guests_to_log_in_when_guests_are_not_allowed(client: Client, settings: Settings) -> None:
    settings.CHAT_GUESTS = False
    answer = client.get("/accounts/me/")
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "login_required"
    assert not client.cookies
