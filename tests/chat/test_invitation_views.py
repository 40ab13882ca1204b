"""Invitations: the page on which they are made, the one that each leads to, and who may sign up."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from chat.domain import people
from chat.domain.rooms import Room
from chat.domain.tokens import digest
from chat.models import AuditRecord, Invitation, Message, Role, RoomMember, Verb
from chat.storage import invitations, moderation
from chat.storage.invitations import InvitationRequest
from tests.logged_in import client_of

ROOM = Room("room/1")
PAGE = "/rooms/invitations/?room=room%2F1"
SITE_PAGE = "/rooms/invitations/"
FORM = {"username": "newcomer", "password1": "correct horse 7", "password2": "correct horse 7"}
WEEK = {"uses": "5", "days": "7"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    """The owner of a private room."""
    user = User.objects.create_user("ann")
    moderation.create(ROOM, private=True, by=people.of_user(user))
    return user


@pytest.fixture
def staff() -> User:
    return User.objects.create_user("staff", is_staff=True)


def invite(user: User, room: Room | None = ROOM, uses: int = 5) -> str:
    """The path of a new invitation's link."""
    secret = invitations.create(user=user, room=room, request=InvitationRequest(uses=uses, days=7))
    return f"/invitations/{secret}/"


def is_member(name: str) -> bool:
    return RoomMember.objects.filter(room__name=ROOM.name, user__username=name, role=Role.MEMBER).exists()


def used() -> int:
    return Invitation.objects.get().used


def test_link_of_a_new_invitation_is_shown_once_and_only_its_hash_is_stored(ann: User) -> None:
    client = client_of(ann)
    answer = client.post(PAGE, WEEK)
    (secret,) = re.findall(r"http://testserver/invitations/(chat_\w{36})/", answer.content.decode())
    assert "no-store" in answer.headers["Cache-Control"]
    made = Invitation.objects.get()
    assert (made.by, made.digest, made.uses, made.used) == (ann, digest(secret), 5, 0)
    assert made.expires_at - made.made_at == pytest.approx(timedelta(days=7), abs=timedelta(seconds=5))
    page = client.get(PAGE).content.decode()
    assert secret not in page
    assert "for 5 people more" in page
    (record,) = AuditRecord.objects.filter(verb=Verb.INVITATION_MADE)
    assert (record.room_name, record.person_id) == (ROOM.name, people.of_user(ann).id)
    assert secret not in str(record.details)


def test_form_that_shows_a_link_makes_none_when_it_is_posted_again(ann: User) -> None:
    client = client_of(ann)
    (mark,) = re.findall(r'name="once" value="([0-9a-f]+)"', client.get(PAGE).content.decode())[:1]
    assert client.post(PAGE, {**WEEK, "once": mark}).status_code == 200
    assert client.post(PAGE, {**WEEK, "once": mark}).headers["Location"] == PAGE
    assert Invitation.objects.count() == 1


def test_only_owners_see_invitations_to_a_room_and_only_staff_those_to_the_site(ann: User, staff: User) -> None:
    member = User.objects.create_user("member")
    moderation.set_role(ROOM, "member", Role.MODERATOR, by=people.of_user(ann))
    for user, page, status in (
        (ann, PAGE, 200),
        (member, PAGE, 403),
        (staff, PAGE, 403),
        (ann, SITE_PAGE, 403),
        (staff, SITE_PAGE, 200),
        (staff, "/rooms/invitations/?room=%00", 403),
    ):
        assert client_of(user).get(page).status_code == status, (user, page)
        assert client_of(user).post(page, WEEK).status_code == status, (user, page)
    assert Client().get(PAGE).headers["Location"].startswith("/accounts/login/")
    assert Invitation.objects.count() == 2


def test_invitation_form_refuses_values_that_it_does_not_offer(ann: User) -> None:
    client = client_of(ann)
    for form in ({}, {"uses": "0", "days": "7"}, {"uses": "5", "days": "9999"}, {"uses": "x", "days": "-1"}):
        assert client.post(PAGE, form).status_code == 200, form
    assert not Invitation.objects.exists()


def test_revoked_invitation_leads_nowhere_and_those_of_other_rooms_cannot_be_revoked(ann: User, staff: User) -> None:
    path, other = invite(ann), invite(staff, None)
    client = client_of(ann)
    for invitation in Invitation.objects.all():
        assert client.post(PAGE, {"revoke": str(invitation.pk)}).status_code == 302
    for unknown in ("", "x", "9" * 30, "-1"):
        assert client.post(PAGE, {"revoke": unknown}).status_code == 302, unknown
    assert Client().get(path).status_code == 404
    assert Client().get(other).status_code == 200
    assert AuditRecord.objects.filter(verb=Verb.INVITATION_REVOKED).count() == 1


def test_room_has_no_more_invitations_than_it_may_and_those_that_are_over_do_not_count(
    ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "INVITATIONS_MAX", 2)
    for _ in range(2):
        invite(ann)
    client = client_of(ann)
    assert "2 invitations already" in client.post(PAGE, WEEK).content.decode()
    Invitation.objects.filter(pk=Invitation.objects.earliest("pk").pk).update(used=5)
    client.post(PAGE, WEEK)
    assert Invitation.objects.filter(used=0).count() == Invitation.objects.count() == 2


def test_guest_signs_up_by_an_invitation_and_becomes_a_member(ann: User, settings: Settings) -> None:
    path = invite(ann)
    for registration in ("open", "invitation"):
        settings.CHAT_REGISTRATION = registration
        name = f"newcomer-{registration}"
        client = Client()
        page = client.get(path)
        assert "ann" in page.content.decode()
        assert ROOM.name in page.content.decode()
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert "no-store" in page.headers["Cache-Control"]
        answer = client.post(path, {**FORM, "username": name})
        assert answer.headers["Location"] == ROOM.get_absolute_url()
        assert client.get("/accounts/me/").json()["name"] == name
        assert is_member(name)
    assert used() == 2
    assert Message.objects.filter(text__contains="was added by ann").count() == 2


def test_invitation_leads_to_a_login_where_there_are_no_passwords(ann: User, settings: Settings) -> None:
    path, settings.CHAT_PASSWORDS = invite(ann), False
    for answer in (Client().get(path), Client().post(path, FORM)):
        assert answer.headers["Location"] == f"/accounts/login/?next={path}"
    assert User.objects.count() == 1
    assert client_of(User.objects.create_user("ben")).post(path).status_code == 302
    assert is_member("ben")


def test_person_with_an_account_joins_by_an_invitation_once(ann: User) -> None:
    path = invite(ann)
    client = client_of(User.objects.create_user("bob"))
    assert "Join the room" in client.get(path).content.decode()
    assert used() == 0
    for _ in range(2):
        assert client.post(path).headers["Location"] == ROOM.get_absolute_url()
    assert client.get(path).headers["Location"] == ROOM.get_absolute_url()
    assert is_member("bob")
    assert used() == 1


def test_invitation_to_the_site_lets_somebody_sign_up_and_sends_others_to_the_rooms(
    staff: User, settings: Settings
) -> None:
    settings.CHAT_REGISTRATION = "invitation"
    path = invite(staff, None)
    assert client_of(staff).get(path).headers["Location"] == "/chat/"
    assert Client().post(path, FORM).headers["Location"] == "/chat/"
    assert User.objects.filter(username="newcomer").exists()
    assert used() == 1


def test_banned_person_does_not_get_in_by_an_invitation_and_uses_none_up(ann: User) -> None:
    bob = User.objects.create_user("bob")
    moderation.ban(ROOM, people.of_user(bob).id, by=people.of_user(ann))
    answer = client_of(bob).post(invite(ann))
    assert answer.status_code == 403
    assert "You are banned" in answer.content.decode()
    assert not is_member("bob")
    assert used() == 0


def over(change: dict[str, Any]) -> None:
    Invitation.objects.update(**change)


def test_invitation_that_does_not_hold_lets_nobody_in_whatever_is_wrong(ann: User, staff: User) -> None:
    moderation.set_role(ROOM, "staff", Role.OWNER, by=people.of_user(ann))
    path = invite(ann)
    bob = client_of(User.objects.create_user("bob"))
    past = timezone.now() - timedelta(seconds=1)
    for wrong, broken, mended in (
        ("expired", lambda: over({"expires_at": past}), lambda: over({"expires_at": past + timedelta(days=1)})),
        ("used up", lambda: over({"used": 5}), lambda: over({"used": 0})),
        (
            "made by somebody who owns the room no longer",
            lambda: moderation.set_role(ROOM, "ann", Role.MODERATOR, by=people.of_user(staff)),
            lambda: moderation.set_role(ROOM, "ann", Role.OWNER, by=people.of_user(staff)),
        ),
        (
            "made by somebody who is active no longer",
            lambda: User.objects.filter(username="ann").update(is_active=False),
            lambda: User.objects.filter(username="ann").update(is_active=True),
        ),
        ("gone", lambda: over({"digest": "x"}), lambda: None),
    ):
        assert Client().get(path).status_code == 200, wrong
        broken()
        for answer in (Client().get(path), Client().post(path, FORM), bob.get(path), bob.post(path)):
            assert answer.status_code == 404, wrong
            assert "doesn’t hold" in answer.content.decode(), wrong
        mended()
    assert not is_member("bob")
    assert not User.objects.filter(username="newcomer").exists()


def test_site_invitation_of_somebody_who_is_staff_no_longer_does_not_hold(staff: User) -> None:
    path = invite(staff, None)
    User.objects.update(is_staff=False)
    assert Client().post(path, FORM).status_code == 404


def test_mistyped_and_foreign_secrets_lead_to_the_same_page(ann: User) -> None:
    secret = invite(ann).split("/")[2]
    for wrong in ("x", "%00", "a%2Fb", secret[:-1], f"{secret}a", secret.swapcase(), "chat_" + "A" * 36, "é" * 500):
        answer = Client().get(f"/invitations/{wrong}/")
        assert answer.status_code == 404, wrong


def test_sign_up_that_fails_uses_no_invitation(ann: User) -> None:
    path = invite(ann)
    for wrong in (
        {"username": "ann"},
        {"password2": "another"},
        {"username": ""},
        {"password1": "1", "password2": "1"},
    ):
        answer = Client().post(path, {**FORM, **wrong})
        assert answer.status_code == 200, wrong
    assert used() == 0
    assert User.objects.count() == 1


def test_closed_site_lets_nobody_sign_up_but_members_join(ann: User, staff: User, settings: Settings) -> None:
    settings.CHAT_REGISTRATION = "closed"
    path = invite(ann)
    page = Client().get(path).content.decode()
    assert "password1" not in page
    assert "Log in" in page
    assert "Nobody can sign up here" in Client().post(path, FORM).content.decode()
    assert not User.objects.filter(username="newcomer").exists()
    bob = client_of(User.objects.create_user("bob"))
    assert bob.post(path).status_code == 302
    assert is_member("bob")
    assert "of no use" in client_of(staff).get(SITE_PAGE).content.decode()


def test_sign_up_page_is_open_to_everybody_only_where_registration_is(settings: Settings) -> None:
    for registration, status, text in (
        ("open", 200, "password1"),
        ("invitation", 403, "by an invitation"),
        ("closed", 403, "Nobody can sign up here"),
    ):
        settings.CHAT_REGISTRATION = registration
        answer = Client().get("/accounts/signup/")
        assert (answer.status_code, text in answer.content.decode()) == (status, True), registration
        login_page = Client().get("/accounts/login/").content.decode()
        assert ("/accounts/signup/" in login_page) == (registration == "open"), registration
        made = Client().post("/accounts/signup/", {**FORM, "username": f"by-{registration}"}).status_code == 302
        assert made == (registration == "open")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("has_accounts", [False, True], ids=["signing up", "joining"])
def test_last_use_of_an_invitation_is_one_persons_of_two_at_once(has_accounts: bool) -> None:
    ann = User.objects.create_user("ann")
    moderation.create(ROOM, private=True, by=people.of_user(ann))
    path = invite(ann, uses=1)
    names = ["bob", "cid"]
    clients = [client_of(User.objects.create_user(name)) if has_accounts else Client() for name in names]
    together = threading.Barrier(2)

    def follow(client: Client, name: str) -> int:
        try:
            together.wait(30)
            return client.post(path, {**FORM, "username": name}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        statuses = sorted(threads.map(follow, clients, names))
    assert statuses == [302, 404]
    assert [is_member(name) for name in names].count(True) == 1
    assert used() == 1
