"""Links in e-mails that log in: who gets one, what it says, and when it holds."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import AsyncClient, Client
from django.utils import timezone
from pytest_django import Settings

from chat import models
from chat.actions import login_links
from chat.domain.login_links import LINKS_MAX, make_secret
from tests.chat.test_views import room_data

ASK = "/accounts/login/link/"
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')
LINK = re.compile(r"http://localhost:8000(/accounts/login/link/\S+/)")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def links_are_on(settings: Settings) -> None:
    settings.CHAT_LOGIN_LINKS = True


def account(name: str = "ann", email: str = "ann@example.org", *, confirmed: bool = True, **fields: Any) -> User:
    user = User.objects.create_user(name, password="correct horse", **fields)
    models.NotificationChoice.objects.create(user=user, email=email, is_confirmed=confirmed)
    return user


def ask(email: str = "ann@example.org", client: Client | None = None, **fields: str) -> str:
    """The page for somebody who asks for a link, without the address and the token against forgery."""
    answer = (client or Client()).post(ASK, {"email": email, **fields})
    assert answer.status_code == 200
    return CSRF.sub("", answer.content.decode()).replace(email, "***")


def paths() -> list[str]:
    """Of the links that were sent."""
    return [match.group(1) for one in mail.outbox if (match := LINK.search(str(one.body)))]


def logged_in(client: Client) -> str | None:
    person = room_data(client)["person"]
    return None if person["isGuest"] else person["name"]


def test_link_logs_in_once_and_only_by_its_button_in_any_browser() -> None:
    account()
    ask()
    (path,) = paths()
    scanner, browser = Client(), Client()
    for _ in range(3):
        page = scanner.get(path)
        assert page.status_code == 200
        assert "ann" in page.content.decode()
        assert "no-store" in page.headers["Cache-Control"]
        assert scanner.head(path).status_code == 200
    assert logged_in(scanner) is None
    assert browser.post(path).headers["Location"] == "/chat/"
    assert logged_in(browser) == "ann"
    for client in (scanner, browser):
        assert client.get(path).status_code == client.post(path).status_code == 410
    assert logged_in(scanner) is None


def test_unknown_address_gets_a_link_that_makes_an_account_where_people_can_sign_up() -> None:
    account()
    known = ask()
    assert ask("New@example.org", next="/chat/room1/") == known
    assert mail.outbox[1].subject == "Sign up at localhost:8000"
    assert mail.outbox[1].to == ["New@example.org"]
    path, client = paths()[1], Client()
    assert "new@example.org" in client.get(path).content.decode()
    for name in ("", "ANN", "аnn", "You", "a b", "x" * 151):
        answer = client.post(path, {"username": name})
        assert answer.status_code == 200
        assert answer.context["form"].errors["username"]
    assert client.post(path, {"username": "new"}).headers["Location"] == "/chat/room1/"
    assert logged_in(client) == "new"
    user = User.objects.get(username="new")
    choice = models.NotificationChoice.objects.get(pk=user.pk)
    assert (choice.email, choice.is_confirmed, choice.digest) == ("new@example.org", True, False)
    assert not user.has_usable_password()
    assert Client().post(path, {"username": "other"}).status_code == 410
    ask("new@example.org")
    assert mail.outbox[2].subject == "Log in to localhost:8000"


def test_unknown_address_gets_no_mail_where_nobody_can_sign_up_by_themselves(settings: Settings) -> None:
    for registration in ("invitation", "closed"):
        settings.CHAT_REGISTRATION = registration
        assert "confirmed address of an account" in ask()
    assert mail.outbox == []


def test_link_that_makes_an_account_ends_once_the_address_is_somebodys_or_nobody_can_sign_up(
    settings: Settings,
) -> None:
    ask()
    ask()
    first, second = paths()
    assert Client().get(first).status_code == 200
    settings.CHAT_REGISTRATION = "invitation"
    assert Client().post(first, {"username": "ann"}).status_code == 410
    settings.CHAT_REGISTRATION = "open"
    account()
    for path in (first, second):
        assert Client().get(path).status_code == Client().post(path, {"username": "ben"}).status_code == 410
    assert User.objects.count() == 1


def test_button_of_a_link_needs_the_token_against_forgery() -> None:
    account()
    ask()
    assert Client(enforce_csrf_checks=True).post(paths()[0]).status_code == 403
    assert Client().get(paths()[0]).status_code == 200


@pytest.fixture
def closed(settings: Settings) -> None:
    """Nobody can sign up."""
    settings.CHAT_REGISTRATION = "closed"


def test_addresses_that_log_in_to_nothing_get_the_same_answer_and_no_mail(closed: None) -> None:
    account()
    account("new", "new@example.org", confirmed=False)
    account("gone", "gone@example.org", is_active=False)
    models.Bot.objects.create(user=account("robot", "robot@example.org"))
    User.objects.create_user("staff", "staff@example.org")  # which the staff wrote into the account
    known = ask()
    assert len(mail.outbox) == 1
    for address in ("nobody@example.org", "new@example.org", "gone@example.org", "robot@example.org"):
        assert ask(address) == known
    assert ask("staff@example.org") == known
    assert len(mail.outbox) == 1


async def test_answer_comes_before_anything_is_looked_up(async_client: AsyncClient, eventually) -> None:
    """So its time can't tell: under a server nothing but the work for every address is done until then."""
    asked = []
    unchanged = login_links.LinkMailing.start
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(login_links.LinkMailing, "start", lambda self, request: asked.append((self, request)))
        assert (await async_client.post(ASK, {"email": "ann@example.org"})).status_code == 200
    assert mail.outbox == []
    ((mailing, request),) = asked
    unchanged(mailing, request)
    await eventually(lambda: mailing._waiting == 0)


def test_address_is_found_however_it_is_spelled_and_mailed_as_it_was_confirmed() -> None:
    account(email="Ann.Lee@Example.org")
    ask("ANN.lee@example.ORG")
    assert mail.outbox[0].to == ["Ann.Lee@Example.org"]


@pytest.mark.parametrize(
    "email", ["", "ann", "ann@", "a@b\nBcc: c@example.org", "a" * 300 + "@example.org", "\0@a.org"]
)
def test_text_that_is_no_address_is_refused(email: str) -> None:
    answer = Client().post(ASK, {"email": email})
    assert answer.status_code == 200
    assert answer.context["form"].errors["email"]
    assert mail.outbox == []


def test_each_account_with_the_address_gets_a_link_of_its_own() -> None:
    account()
    account("ben")
    ask()
    assert sorted(str(one.body).split(",")[0] for one in mail.outbox) == ["Hello ann", "Hello ben"]
    clients = [Client(), Client()]
    for client, path in zip(clients, paths(), strict=True):
        client.post(path)
    assert sorted(map(logged_in, clients)) == ["ann", "ben"]


def test_some_links_hold_at_a_time_and_all_end_with_the_first_that_is_used() -> None:
    account()
    for _ in range(LINKS_MAX + 2):
        ask()
    statuses = [Client().get(path).status_code for path in paths()]
    assert statuses == [410] * 2 + [200] * LINKS_MAX
    assert Client().post(paths()[-2]).status_code == 302
    assert {Client().post(path).status_code for path in paths()} == {410}
    assert models.LoginLink.objects.count() == 0


def new_password(user: User) -> None:
    user.set_password("another horse")
    user.save()


def deactivation(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def becoming_a_bot(user: User) -> None:
    models.Bot.objects.create(user=user)


def another_address(user: User) -> None:
    models.NotificationChoice.objects.filter(pk=user.pk).update(email="ann@example.com")


def expiry(user: User) -> None:
    models.LoginLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def deletion(user: User) -> None:
    user.delete()


@pytest.mark.parametrize("change", [new_password, deactivation, becoming_a_bot, another_address, expiry, deletion])
def test_link_ends_with_what_it_was_made_for(change: Callable[[User], None]) -> None:
    user = account()
    ask()
    change(user)
    client = Client()
    assert client.get(paths()[0]).status_code == client.post(paths()[0]).status_code == 410
    assert logged_in(client) is None


def test_made_up_link_is_refused() -> None:
    for secret in (make_secret(), "x", "%00", "ü", "x" * 5000):
        assert Client().post(f"{ASK}{secret}/").status_code == 410


def test_link_leads_to_the_page_that_was_wanted() -> None:
    account()
    ask(next="/chat/room1/?a=1")
    assert Client().post(paths()[0]).headers["Location"] == "/chat/room1/?a=1"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/" + "x" * 600]
)
def test_link_never_leads_to_a_foreign_site(target: str) -> None:
    account()
    ask(next=target)
    assert Client().post(paths()[0]).headers["Location"] == "/chat/"


def test_guest_who_logs_in_by_a_link_keeps_what_a_login_keeps() -> None:
    account()
    client = Client()
    guest = room_data(client)["person"]
    before = client.session.session_key
    ask()
    client.post(paths()[0])
    assert client.session.session_key != before
    client.post("/accounts/logout/")
    assert room_data(client)["person"] != guest


def test_mail_is_in_the_persons_language_and_says_the_same_twice() -> None:
    user = account()
    models.NotificationChoice.objects.filter(pk=user.pk).update(language="de")
    ask()
    (one,) = mail.outbox
    assert one.subject == "Bei localhost:8000 anmelden"
    ((html, kind),) = one.alternatives
    assert kind == "text/html"
    for text in (str(one.body), str(html)):
        assert "Hallo ann" in text
        assert paths()[0] in text
    assert one.extra_headers["Auto-Submitted"] == "auto-generated"
    german = Client(headers={"accept-language": "de"})
    models.NotificationChoice.objects.filter(pk=user.pk).update(language="")
    ask(client=german)
    assert mail.outbox[1].subject == one.subject


def test_mail_that_can_not_be_sent_is_logged_without_the_link(
    closed: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    account()
    said = ask("nobody@example.org")

    def fail(*_: Any) -> int:
        raise ConnectionRefusedError("chat_login_x ann@example.org")

    monkeypatch.setattr(EmailBackend, "send_messages", fail)
    assert ask() == said
    (record,) = [one for one in caplog.records if one.name == "chat.actions.login_links"]
    assert record.getMessage() == "Can't send a link that logs in: ConnectionRefusedError"


def test_database_holds_no_secret_of_a_link() -> None:
    account()
    ask()
    secret = paths()[0].split("/")[-2]
    assert secret not in str(models.LoginLink.objects.values())


def test_address_that_no_longer_logs_in_is_told_so() -> None:
    client, user = Client(), account()
    client.force_login(user)
    for email in ("ann@example.org", "ann@example.com", "ann@example.net"):
        client.post("/accounts/notifications/", {"detail": "names", "email": email})
    told = [one.to for one in mail.outbox if one.subject == "Your account has another e-mail address"]
    assert told == [["ann@example.org"]]  # the second one was never confirmed


def test_pages_are_not_there_when_links_are_off(settings: Settings) -> None:
    account()
    ask()
    assert "E-mail me a link" in Client().get("/accounts/login/").content.decode()
    settings.CHAT_LOGIN_LINKS = False
    assert "E-mail me a link" not in Client().get("/accounts/login/").content.decode()
    for path in (ASK, paths()[0]):
        assert Client().get(path).status_code == Client().post(path, {"email": "ann@example.org"}).status_code == 404


def test_address_is_confirmed_on_the_page_about_notifications_without_digests(closed: None) -> None:
    user = User.objects.create_user("ann", password="correct horse")
    client = Client()
    client.force_login(user)
    client.post("/accounts/notifications/", {"detail": "names", "email": "ann@example.org"})
    ask()
    (one,) = mail.outbox  # the question; a link comes after the answer
    assert "can log in" in str(one.body)
    path = re.search(r"/accounts/notifications/confirm/\S+", str(one.body)).group()  # type: ignore[union-attr]
    Client().post(path)
    ask()
    assert len(paths()) == 1
