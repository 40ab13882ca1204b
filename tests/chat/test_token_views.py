"""The pages of tokens and bots."""

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from chat.domain import people
from chat.domain.rooms import Room
from chat.domain.tokens import digest
from chat.models import Bot, Role, RoomMember, Token
from chat.storage import moderation
from tests.logged_in import client_of

PAGE = "/accounts/tokens/"
BOTS = "/rooms/bots/?room=room%2F1"
ROOM = Room("room/1")
FORM = {"name": "backup", "scopes": ["read"], "rooms": "room/1\n\n room2 ", "days": "30"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    """The owner of a room."""
    user = User.objects.create_user("ann")
    moderation.create(ROOM, private=False, by=people.of_user(user))
    return user


def secrets_on(page: str) -> list[str]:
    return re.findall(r"chat_[0-9A-Za-z]{36}", page)


def test_new_token_is_shown_once(ann: User) -> None:
    client = client_of(ann)
    answer = client.post(PAGE, FORM)
    (secret,) = secrets_on(answer.content.decode())
    assert "no-store" in answer.headers["Cache-Control"]
    token = Token.objects.get()
    assert (token.user, token.digest, token.name, token.scopes) == (ann, digest(secret), "backup", "read")
    assert token.rooms == ["room/1", "room2"]
    page = client.get(PAGE).content.decode()
    assert secrets_on(page) == []
    assert "backup" in page


def test_form_that_shows_a_token_makes_none_when_it_is_posted_again(ann: User) -> None:
    client = client_of(ann)
    (mark,) = re.findall(r'name="once" value="([0-9a-f]+)"', client.get(PAGE).content.decode())[:1]
    assert client.post(PAGE, {**FORM, "name": "", "once": mark}).status_code == 200  # which makes none
    assert client.post(PAGE, {**FORM, "once": mark}).status_code == 200
    assert client.post(PAGE, {**FORM, "once": mark}).headers["Location"] == PAGE
    assert Token.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"scopes": ["write"], "rooms": "room1"}, True),
        ({"scopes": ["write"], "rooms": ""}, False),
        ({"scopes": ["read"], "rooms": "room1"}, False),
    ],
)
def test_new_token_for_writing_in_one_room_is_shown_as_a_webhook(
    ann: User, changed: dict[str, object], shown: bool
) -> None:
    page = client_of(ann).post(PAGE, {**FORM, **changed}).content.decode()
    assert (f"http://testserver/hooks/{secrets_on(page)[0]}/" in page) is shown


def test_tokens_are_listed_with_when_they_were_made_and_scopes_in_the_language_of_the_page(ann: User) -> None:
    client_of(ann).post(PAGE, {**FORM, "scopes": ["read", "write"]})
    Token.objects.update(made_at=datetime(2026, 11, 28, 7, 31, tzinfo=UTC))
    english = client_of(ann).get(PAGE).content.decode()
    german = client_of(ann).get(PAGE, headers={"Accept-Language": "de"}).content.decode()
    assert ("read, write" in english, "made on Nov. 28, 2026, 7:31 a.m." in english) == (True, True)
    assert ("lesen, schreiben" in german, "erstellt am 28. November 2026 07:31" in german) == (True, True)


def test_expired_token_is_shown_so(ann: User) -> None:
    client_of(ann).post(PAGE, FORM)
    Token.objects.update(expires_at=timezone.now())
    assert "expired," in client_of(ann).get(PAGE).content.decode()


def test_staff_revokes_tokens_on_admin_pages(ann: User) -> None:
    client_of(ann).post(PAGE, FORM)
    token = Token.objects.get()
    boss = client_of(User.objects.create_superuser("boss"))
    assert "backup" in boss.get("/admin/chat/token/").content.decode()
    assert token.digest not in boss.get(f"/admin/chat/token/{token.pk}/change/").content.decode()
    assert boss.post(f"/admin/chat/token/{token.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Token.objects.exists()
    assert boss.get("/admin/chat/token/add/").status_code == 403


@pytest.mark.parametrize(
    "changed", [{"name": ""}, {"name": "x" * 101}, {"scopes": []}, {"scopes": ["all"]}, {"rooms": "."}, {"days": "8"}]
)
def test_bad_form_makes_no_token(ann: User, changed: dict[str, object]) -> None:
    answer = client_of(ann).post(PAGE, {**FORM, **changed})
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not Token.objects.exists()


def test_token_without_rooms_and_expiry_is_for_all_and_forever(ann: User) -> None:
    client_of(ann).post(PAGE, {**FORM, "rooms": "", "days": ""})
    token = Token.objects.get()
    assert (token.rooms, token.expires_at) == (None, None)


def test_user_revokes_their_own_tokens_alone(ann: User) -> None:
    client_of(ann).post(PAGE, FORM)
    token = Token.objects.get()
    ben = client_of(User.objects.create_user("ben"))
    for revoked in (token.pk, "x", "", "9" * 30):
        assert ben.post(PAGE, {"revoke": revoked}).status_code == 302
    assert Token.objects.exists()
    assert client_of(ann).post(PAGE, {"revoke": token.pk}).status_code == 302
    assert not Token.objects.exists()


@pytest.mark.parametrize("page", [PAGE, BOTS, "/rooms/bots/", "/rooms/bots/tokens/?bot=1"])
def test_guest_is_asked_to_log_in(page: str) -> None:
    answer = Client().get(page)
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/accounts/login/")


def test_owner_makes_a_bot_with_a_token_and_deletes_it(ann: User) -> None:
    client = client_of(ann)
    assert client.post(BOTS, {"username": "robot"}).status_code == 302
    bot = Bot.objects.get()
    assert RoomMember.objects.get(user=bot.user).room == bot.room
    assert "robot" in client.get(BOTS).content.decode()
    page = f"/rooms/bots/tokens/?room=room%2F1&bot={bot.pk}"
    answer = client.post(page, {"name": "deploys", "scopes": ["write"], "days": "7"})
    assert len({*secrets_on(answer.content.decode())}) == 1
    assert Token.objects.get().user == bot.user
    assert "1 token" in client.get(BOTS).content.decode()

    assert client.post(BOTS, {"delete": bot.pk}).status_code == 302

    assert not Token.objects.exists()
    assert not User.objects.get(username="robot").is_active
    assert "robot" not in client.get(BOTS).content.decode()
    assert client.get(page).status_code == 404


@pytest.mark.parametrize("name", ["ann", "ANN", "a b", "", "You", "x" * 151])
def test_bot_is_refused_a_name_that_it_can_not_have(ann: User, name: str) -> None:
    assert "errorlist" in client_of(ann).post(BOTS, {"username": name}).content.decode()
    assert not Bot.objects.exists()


@pytest.mark.parametrize("role", [None, Role.MEMBER, Role.MODERATOR])
@pytest.mark.parametrize(
    "page", [BOTS, "/rooms/bots/", "/rooms/bots/tokens/?room=room%2F1&bot={bot}", "/rooms/bots/?room=."]
)
def test_bots_are_for_owners_and_staff(ann: User, page: str, role: Role | None) -> None:
    client_of(ann).post(BOTS, {"username": "robot"})
    ben = User.objects.create_user("ben")
    if role:
        moderation.set_role(ROOM, "ben", role, by=None)
    page = page.format(bot=Bot.objects.get().pk)
    assert client_of(ben).get(page).status_code == 403
    assert client_of(ben).post(page, {"username": "other", "name": "x", "scopes": ["read"]}).status_code == 403


def test_staff_makes_bots_of_the_site() -> None:
    client = client_of(User.objects.create_user("boss", is_staff=True))
    assert client.post("/rooms/bots/", {"username": "robot"}).status_code == 302
    bot = Bot.objects.get()
    assert bot.room is None
    assert "robot" in client.get("/rooms/bots/").content.decode()
    assert "/rooms/bots/" in client.get("/people/boss/").content.decode()
    assert "Rooms" in client.get(f"/rooms/bots/tokens/?bot={bot.pk}").content.decode()
    assert client.get(f"/rooms/bots/tokens/?bot={bot.pk}&room=room1").status_code == 403


def test_bot_that_was_removed_is_shown_so(ann: User) -> None:
    client = client_of(ann)
    client.post(BOTS, {"username": "robot"})
    moderation.remove_member(ROOM, "robot", by=people.of_user(ann))
    assert "no member any more" in client.get(BOTS).content.decode()
    assert client.post(BOTS, {"delete": Bot.objects.get().pk}).status_code == 302


def test_members_page_leads_owners_to_the_bots(ann: User) -> None:
    assert "/rooms/bots/?room=room%2F1" in client_of(ann).get(ROOM.get_members_url()).content.decode()
    ben = client_of(User.objects.create_user("ben"))
    assert "/rooms/bots/" not in ben.get(ROOM.get_members_url()).content.decode()
