"""Logging in at a provider of OpenID Connect: one that tells the truth, and one that doesn't."""

import asyncio
import hmac
import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from channels.testing import HttpCommunicator
from django.contrib.auth.models import User
from django.test import Client
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.jws import JWSRegistry
from pytest_django import Settings

from chat import models
from chat.domain.people import of_user
from chat.models import ProviderIdentity, Verb
from chat.openid import answers, provider
from mysite.asgi import application
from tests import oidc_provider
from tests.chat.test_views import room_data
from tests.oidc_provider import Json, Provider

START = "/accounts/login/provider/"
CALLBACK = "/accounts/login/provider/callback/"

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server() -> Iterator[Provider]:
    with oidc_provider.running() as server:
        yield server


@pytest.fixture(autouse=True)
def elsewhere(server: Provider, settings: Settings) -> Provider:
    """The provider as it is at first, and the site that knows it."""
    server.reset()
    provider._loaded.cache_clear()
    settings.CHAT_OIDC_ISSUER, settings.CHAT_OIDC_NAME = server.issuer, "Example"
    settings.CHAT_OIDC_CLIENT_ID, settings.CHAT_OIDC_CLIENT_SECRET = (
        oidc_provider.CLIENT_ID,
        oidc_provider.CLIENT_SECRET,
    )
    return server


def go(client: Client, **query: str) -> str:
    """Goes to the provider, which logs in at once. Returns the path that it leads back to."""
    there = client.get(START, query).headers["Location"]
    back = requests.get(there, allow_redirects=False, timeout=10).headers["Location"]
    assert back.startswith(f"http://testserver{CALLBACK}?")
    return back.removeprefix("http://testserver")


def log_in(client: Client | None = None, **query: str) -> Any:
    client = client or Client()
    answer = client.get(go(client, **query))
    answer.person = room_data(client)["person"]
    return answer


def test_first_login_makes_an_account_and_later_ones_find_it(elsewhere: Provider) -> None:
    first = log_in()
    assert first.headers["Location"] == "/chat/"
    (user,) = User.objects.all()
    assert (user.username, user.email, user.has_usable_password()) == ("zoe", "", False)
    assert first.person == {"id": f"user-{user.pk}", "name": "Zoë", "isGuest": False}
    elsewhere.person |= {"preferred_username": "zoe2", "name": "Zed"}  # who is the same all the same
    assert log_in().person == first.person
    assert ProviderIdentity.objects.get().subject == "1"
    elsewhere.person["sub"] = "2"
    assert log_in().person["id"] != first.person["id"]


def test_request_has_state_nonce_and_challenge(elsewhere: Provider) -> None:
    first, second = (parse_qs(urlsplit(Client().get(START).headers["Location"]).query) for _ in range(2))
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 20
        assert first[name] != second[name]
    assert first["code_challenge_method"] == ["S256"]
    assert first["scope"] == ["openid profile email"]
    assert elsewhere.asked == ["/.well-known/openid-configuration"]  # once, for both


def test_login_leads_to_the_page_that_was_wanted_and_never_elsewhere() -> None:
    assert log_in(next="/chat/room1/").headers["Location"] == "/chat/room1/"
    for target in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        assert log_in(next=target).headers["Location"] == "/chat/"


def test_guest_gets_another_session_and_the_login_page_offers_the_provider() -> None:
    client = Client()
    guest = room_data(client)["person"]
    assert "Log in with Example" in client.get("/accounts/login/").content.decode()
    before = client.session.session_key
    assert log_in(client).person != guest
    assert client.session.session_key != before
    assert not [key for key in dict(client.session) if key.startswith("_state_")]
    assert client.get(START, {"next": "/chat/a/"}).headers["Location"] == "/chat/a/"  # who is logged in already
    client.post("/accounts/logout/")
    assert room_data(client)["person"]["isGuest"]


@pytest.mark.parametrize(
    ("claimed", "username"),
    [
        ("zoe", "zoe"),
        ("ann@example.org", "ann"),
        ("Jo  Doe!", "Jo-Doe"),
        ("ANN", "ANN-2"),
        ("аnn", "аnn-2"),
        ("admin", "admin-2"),
        ("", "mail"),
        (None, "mail"),
        (7, "mail"),
        ("\u202e\u200b", "user"),
        ("x" * 300, "x" * 140),
        ("///", "user"),
    ],
)
def test_username_is_made_valid_and_nobody_elses(elsewhere: Provider, claimed: object, username: str) -> None:
    User.objects.create_user("ann")
    User.objects.create_user("Zoë")
    elsewhere.person |= {"preferred_username": claimed, "email": "mail@example.org", "name": "ZOË"}
    if username == "ann":
        User.objects.filter(username="ann").delete()
    person = log_in().person
    assert person["name"] == username  # not the display name, which would look like somebody else's
    assert User.objects.get(username=username).pk == int(person["id"].removeprefix("user-"))


def test_names_come_from_the_userinfo_endpoint_where_the_token_has_none(elsewhere: Provider) -> None:
    elsewhere.userinfo = {**elsewhere.person, "preferred_username": "lea", "name": "Lea", "sub": "1"}
    elsewhere.person = {"sub": "1"}
    assert log_in().person["name"] == "Lea"
    elsewhere.userinfo["sub"], elsewhere.person["sub"] = "1", "2"
    assert log_in().status_code == 502


def test_verified_address_links_the_account_that_confirmed_it_to_one_identity_if_that_is_set(
    elsewhere: Provider, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    ann = User.objects.create_user("ann", password="correct horse")
    models.NotificationChoice.objects.create(user=ann, email="Ann@example.org", is_confirmed=True)
    number = iter(range(10, 20))

    def person_with(**claims: Any) -> str:
        elsewhere.person = {"sub": str(next(number)), "preferred_username": "x", **claims}
        return str(log_in().person["id"])

    verified = {"email": "ann@EXAMPLE.org", "email_verified": True}
    assert person_with(**verified) != of_user(ann).id
    settings.CHAT_OIDC_LINK_EMAIL = True
    for unverified in (False, None, "false", 1, [True]):
        assert person_with(email="ann@example.org", email_verified=unverified) != of_user(ann).id
    assert not models.AuditRecord.objects.exists()
    assert person_with(**verified) == of_user(ann).id
    linked = models.AuditRecord.objects.get(verb=Verb.IDENTITY_LINKED)
    assert (linked.target_id, linked.details) == (of_user(ann).id, {"issuer": elsewhere.issuer})
    elsewhere.person = {"sub": "20", "preferred_username": "x", **verified}
    answer = log_in()
    assert (answer.status_code, answer.person["isGuest"]) == (403, True)
    assert "belongs to somebody else at the login service" in answer.content.decode()
    assert f"Refused to link {of_user(ann).id} to a second identity at {elsewhere.issuer}" in caplog.text
    assert "example.org" not in caplog.text.lower()
    assert ProviderIdentity.objects.filter(user=ann).count() == 1
    ProviderIdentity.objects.filter(user=ann).update(issuer="https://before.example.net")  # which the site had before
    assert log_in().person["id"] == of_user(ann).id
    ProviderIdentity.objects.filter(user=ann).delete()
    ben = User.objects.create_user("ben")
    models.NotificationChoice.objects.create(user=ben, email="ann@example.org", is_confirmed=True)
    assert person_with(**verified) not in {of_user(ann).id, of_user(ben).id}  # whose it is can't be known


def test_staff_follow_the_group_that_is_set_and_superusers_stay(elsewhere: Provider, settings: Settings) -> None:
    settings.CHAT_OIDC_STAFF_GROUP = "chat-staff"
    for groups, is_staff in (
        (["a", "chat-staff"], True),
        (["chat-staff-2"], False),
        ("chat-staff", False),
        (None, False),
    ):
        elsewhere.person["groups"] = groups
        assert log_in().status_code == 302
        assert User.objects.get().is_staff is is_staff
    changes = models.AuditRecord.objects.filter(verb=Verb.STAFF_CHANGED).order_by("pk")
    assert [one.details["staff"] for one in changes] == [True, False]
    User.objects.update(is_staff=True, is_superuser=True)
    log_in()
    assert User.objects.get().is_staff
    settings.CHAT_OIDC_STAFF_GROUP = ""
    User.objects.update(is_superuser=False)
    log_in()
    assert User.objects.get().is_staff


@pytest.mark.parametrize("how", ["deactivated", "bot"])
def test_account_that_may_not_log_in_is_refused(how: str) -> None:
    log_in()
    user = User.objects.get()
    if how == "bot":
        models.Bot.objects.create(user=user)
    User.objects.update(is_active=how == "bot")
    answer = log_in()
    assert answer.status_code == 403
    assert "deactivated" in answer.content.decode()
    assert answer.person["isGuest"]


def test_nobody_is_let_in_who_has_no_account_where_none_are_made(settings: Settings) -> None:
    settings.CHAT_OIDC_REGISTER = False
    assert log_in().status_code == 403
    assert User.objects.count() == 0
    settings.CHAT_OIDC_REGISTER = True
    log_in()
    settings.CHAT_OIDC_REGISTER = False
    assert log_in().status_code == 302


def test_identity_of_a_deleted_user_gets_a_new_account() -> None:
    log_in()
    User.objects.all()._raw_delete("default")  # as an instance of the release before does
    assert log_in().status_code == 302
    assert ProviderIdentity.objects.get().user_id == User.objects.get().pk


def test_new_key_is_fetched_whether_it_has_another_name_or_not(elsewhere: Provider) -> None:
    log_in()
    for kid in ("second", "second"):
        elsewhere.rotate(kid)
        assert log_in().status_code == 302
    assert elsewhere.asked.count("/jwks") == 3


# Lies


def signed_by_a_stranger(provider: Provider) -> None:
    provider.sign = lambda header, claims: jwt.encode(header, claims, RSAKey.generate_key(2048))


def unsigned(provider: Provider) -> None:
    registry = JWSRegistry(algorithms=["none"])
    provider.sign = lambda _, claims: jwt.encode({"alg": "none"}, claims, OctKey.generate_key(), registry=registry)


def signed_with(key: Callable[[Provider], bytes]) -> Callable[[Provider], None]:
    """By HMAC, with a key that others know: the public one, or the client's secret."""

    def sign(header: Json, claims: Json, key: bytes) -> str:
        parts = [urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in (header, claims)]
        signature = hmac.digest(key, b".".join(parts), "sha256")
        return b".".join([*parts, urlsafe_b64encode(signature).rstrip(b"=")]).decode()

    def lie(provider: Provider) -> None:
        provider.sign = lambda _, claims: sign({"alg": "HS256", "kid": "first"}, claims, key(provider))

    return lie


def key_in_the_token(provider: Provider) -> None:
    key = ECKey.generate_key("P-256")
    header = {"alg": "ES256", "jwk": key.as_dict(private=False)}
    provider.sign = lambda _, claims: jwt.encode(header, claims, key)


def no_token(provider: Provider) -> None:
    provider.sign = lambda _, claims: None  # type: ignore[assignment,return-value]


def another_issuer(provider: Provider) -> None:
    provider.change_description = lambda told: told | {"issuer": "https://evil.example"}


def endpoint_that_is_no_address(provider: Provider) -> None:
    provider.change_description = lambda told: told | {"token_endpoint": "file:///etc/passwd"}


def description_without_keys(provider: Provider) -> None:
    provider.change_description = lambda told: {name: told[name] for name in told if name != "jwks_uri"}


def description_that_is_a_list(provider: Provider) -> None:
    provider.change_description = lambda told: [told]  # type: ignore[return-value]


def hanging(path: str) -> Callable[[Provider], None]:
    return lambda provider: provider.answers.update({path: lambda handler: provider.stopping.wait(30)})


def dripping(handler: Any) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(2000):
            handler.wfile.write(b" ")
            time.sleep(0.02)
    except OSError:
        pass  # as the site gave up


def huge(handler: Any) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(100):
            handler.wfile.write(b" " * 100_000)
    except OSError:
        pass


def says(path: str, status: int, body: bytes) -> Callable[[Provider], None]:
    return lambda provider: provider.answers.update({path: (status, body)})


def claims(**lies: Any) -> Callable[[Provider], None]:
    def lie(provider: Provider) -> None:
        provider.change_claims = lambda told: (
            {**told, **{k: v for k, v in lies.items() if v is not None}}
            if all(v is not None for v in lies.values())
            else {name: value for name, value in told.items() if name not in lies}
        )

    return lie


def answers_with(path: str, answer: Callable[[Any], None]) -> Callable[[Provider], None]:
    return lambda provider: provider.answers.update({path: answer})


DESCRIPTION = "/.well-known/openid-configuration"
LIES: dict[str, Callable[[Provider], None]] = {
    "signed by a stranger": signed_by_a_stranger,
    "unsigned": unsigned,
    "signed with the public key": signed_with(lambda provider: provider.key.as_pem(private=False)),
    "signed with the secret": signed_with(lambda _: oidc_provider.CLIENT_SECRET.encode()),
    "key in the token": key_in_the_token,
    "no token": no_token,
    "wrong nonce": claims(nonce="another"),
    "no nonce": claims(nonce=None),
    "wrong aud": claims(aud="another", azp=oidc_provider.CLIENT_ID),
    "no aud": claims(aud=None),
    "wrong iss": claims(iss="https://evil.example"),
    "no iss": claims(iss=None),
    "expired": claims(exp=int(time.time()) - 3600),
    "no exp": claims(exp=None),
    "exp is a text": claims(exp="never"),
    "issued in the future": claims(iat=int(time.time()) + 3600),
    "no sub": claims(sub=None),
    "sub is a number": claims(sub=7),
    "sub is too long": claims(sub="x" * 256),
    "sub that can't be stored": claims(sub="a\0"),
    "wrong at_hash": claims(at_hash="x" * 22),
    "another issuer": another_issuer,
    "endpoint that is no address": endpoint_that_is_no_address,
    "description without keys": description_without_keys,
    "description that is a list": description_that_is_a_list,
    "description fails": says(DESCRIPTION, 500, b"{}"),
    "description is no JSON": says(DESCRIPTION, 200, b"<html>"),
    "description is deep": says(DESCRIPTION, 200, b"[" * 100_000),
    "token fails": says("/token", 500, b"oh"),
    "token is refused": says("/token", 400, b'{"error": "invalid_grant", "error_description": "no"}'),
    "token is a list": says("/token", 200, b"[]"),
    "token is garbage": says("/token", 200, b'{"access_token": "a", "id_token": "a.b"}'),
    "keys fail": says("/jwks", 500, b"{}"),
    "keys are none": says("/jwks", 200, b'{"keys": []}'),
    "keys are wrong": says("/jwks", 200, b'{"keys": [{"kty": "RSA", "kid": "first"}]}'),
    "token redirects": answers_with("/token", lambda handler: redirect(handler)),
    "token is huge": answers_with("/token", huge),
    "keys are huge": answers_with("/jwks", huge),
}


def redirect(handler: Any) -> None:
    handler.send_response(307)
    handler.send_header("Location", "http://127.0.0.1:1/")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


@pytest.mark.parametrize("lie", LIES)
def test_lie_of_the_provider_logs_nobody_in_and_leads_to_a_page_that_says_so(
    elsewhere: Provider, lie: str, caplog: pytest.LogCaptureFixture
) -> None:
    LIES[lie](elsewhere)
    client = Client()
    answer = client.get(START)
    if answer.status_code == 302:
        back = requests.get(answer.headers["Location"], allow_redirects=False, timeout=10).headers["Location"]
        answer = client.get(back.removeprefix("http://testserver"))
    assert answer.status_code == 502
    assert "login service doesn’t answer as it should" in answer.content.decode()
    assert User.objects.count() == 0
    assert room_data(client)["person"]["isGuest"]
    (logged,) = [one for one in caplog.records if one.name == "chat.openid.provider"]
    assert oidc_provider.CLIENT_SECRET not in caplog.text
    assert logged.exc_info is None


@pytest.mark.parametrize("path", [DESCRIPTION, "/token", "/jwks"])
def test_provider_that_hangs_or_drips_is_given_up(
    elsewhere: Provider, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(answers, "READ_TIMEOUT", 0.3)
    monkeypatch.setattr(answers, "ANSWER_TIMEOUT", 0.3)
    for lie in (hanging(path), answers_with(path, dripping)):
        elsewhere.reset()
        provider._loaded.cache_clear()
        lie(elsewhere)
        client = Client()
        answer = client.get(START)
        if answer.status_code == 302:
            back = requests.get(answer.headers["Location"], allow_redirects=False, timeout=10).headers["Location"]
            answer = client.get(back.removeprefix("http://testserver"))
        assert answer.status_code == 502


def test_provider_that_failed_is_asked_again(elsewhere: Provider) -> None:
    elsewhere.answers[DESCRIPTION] = (500, b"")
    assert Client().get(START).status_code == 502
    elsewhere.reset()
    assert log_in().status_code == 302


def test_more_logins_than_may_wait_for_the_provider_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "WAIT_MAX", 0.01)
    for _ in range(provider.AT_ONCE):
        provider._asking.acquire()
    try:
        assert Client().get(START).status_code == 502
    finally:
        for _ in range(provider.AT_ONCE):
            provider._asking.release()
    assert log_in().status_code == 302


@pytest.mark.django_db(transaction=True)
async def test_login_that_waits_for_the_provider_keeps_no_page_waiting(
    elsewhere: Provider, monkeypatch: pytest.MonkeyPatch, eventually
) -> None:
    monkeypatch.setattr(answers, "READ_TIMEOUT", 60)
    goes_on = threading.Event()
    elsewhere.answers[DESCRIPTION] = lambda handler: goes_on.wait(60)

    async def status(path: str) -> int:
        answer = HttpCommunicator(application, "GET", path, headers=[(b"host", b"localhost")])
        return (await answer.get_response(timeout=60))["status"]

    waiting = asyncio.create_task(status(START))
    await eventually(lambda: DESCRIPTION in elsewhere.asked)
    assert await status("/chat/") == 200
    assert not waiting.done()
    goes_on.set()
    assert await waiting == 502


# The way back


def test_answer_that_comes_twice_or_in_another_browser_logs_nobody_in(elsewhere: Provider) -> None:
    client, other = Client(), Client()
    back = go(client)
    assert other.get(back).status_code == 400
    assert client.get(back).status_code == 302
    client.post("/accounts/logout/")
    tokens = elsewhere.asked.count("/token")
    answer = client.get(back)
    assert answer.status_code == 400
    assert "begin again" in answer.content.decode()
    assert elsewhere.asked.count("/token") == tokens
    assert room_data(client)["person"]["isGuest"]


def test_login_that_was_begun_long_ago_is_over(monkeypatch: pytest.MonkeyPatch, elsewhere: Provider) -> None:
    client = Client()
    back = go(client)
    session = client.session
    for key in dict(session):
        if key.startswith("_state_"):
            session[key] |= {"exp": time.time() - 1}
    session.save()
    assert client.get(back).status_code == 400


@pytest.mark.parametrize(
    "query",
    [{}, {"code": "a"}, {"state": "a"}, {"code": "a", "state": "b"}, {"error": "access_denied", "state": "x"}]
    + [{"state": "\0", "code": "\ud83d"}, {"error": "x" * 9000}],
    ids=["nothing", "code", "state", "both", "error", "unstorable", "long"],
)
def test_made_up_answer_logs_nobody_in(query: Json) -> None:
    client = Client()
    answer = client.get(f"{CALLBACK}?{urlencode(query, errors='surrogatepass')}")
    assert answer.status_code == 400
    assert room_data(client)["person"]["isGuest"]


def test_login_that_the_provider_declines_says_so_and_can_be_begun_again(elsewhere: Provider) -> None:
    client = Client()
    state = parse_qs(urlsplit(go(client)).query)["state"][0]
    answer = client.get(CALLBACK, {"error": "access_denied", "error_description": "<b>no</b>", "state": state})
    assert answer.status_code == 403
    assert "didn’t let you in" in answer.content.decode()
    assert START in answer.content.decode()
    assert log_in(client).status_code == 302


def test_pages_are_not_there_without_a_provider(settings: Settings) -> None:
    settings.CHAT_OIDC_ISSUER = settings.CHAT_OIDC_NAME = ""
    for path in (START, CALLBACK):
        assert Client().get(path).status_code == 404
    assert START not in Client().get("/accounts/login/").content.decode()


def test_passwords_can_be_switched_off_for_people_and_staff(settings: Settings) -> None:
    User.objects.create_superuser("ann", password="correct horse")
    ours = settings.AUTHENTICATION_BACKENDS
    here = Client()
    here.post("/accounts/login/", {"username": "ann", "password": "correct horse"})
    settings.CHAT_PASSWORDS = False
    settings.AUTHENTICATION_BACKENDS = ["chat.no_passwords.NoPasswords", *ours]
    assert here.get("/admin/").status_code == 200  # a login from before
    page = Client().get("/accounts/login/").content.decode()
    assert 'type="password"' not in page
    assert "Sign up" not in page
    client = Client()
    for path in ("/accounts/login/", "/admin/login/", "/accounts/signup/"):
        form = {"username": "ann", "password": "correct horse", "password1": "battery", "password2": "battery"}
        client.post(path, form)
        assert room_data(client)["person"]["isGuest"]
    assert User.objects.count() == 1
    assert client.get("/admin/login/?next=/admin/x/").headers["Location"] == "/accounts/login/?next=/admin/x/"
    log_in(client)
    assert client.get("/admin/login/").status_code == 403  # in a browser this would go in circles


def test_description_of_the_provider_is_fetched_without_following_it_elsewhere(elsewhere: Provider) -> None:
    elsewhere.change_description = lambda told: (
        told | {"scope": "everything", "code_challenge_method": None, "verify": False}
    )
    there = parse_qs(urlsplit(Client().get(START).headers["Location"]).query)
    assert there["code_challenge_method"] == ["S256"]
    assert there["scope"] == ["openid profile email"]
    assert json.dumps(provider._app().server_metadata).find("verify") == -1
