"""The deeds of the staff on the admin pages, and by commands, are in the audit log, with whose they were."""

import inspect
import io
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client

from chat.admin import Kept
from chat.audited_admin import Audited
from chat.domain import people
from chat.domain.rooms import find
from chat.models import AuditRecord, Message, Token, Verb
from chat.storage import log, moderation

ROOM = find("staffed")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser(username="staff"))
    return client


def recorded() -> list[tuple[str, str | None, dict[str, Any]]]:
    """The verbs, targets and details of what was recorded since, all of it by the staff."""
    rows = [*AuditRecord.objects.order_by("pk")]
    AuditRecord.objects.all().delete()
    assert {(row.person_name, row.via) for row in rows} <= {("staff", "admin")}
    return [(row.verb, row.target_name or None, row.details) for row in rows]


def test_accounts_made_changed_and_deleted_on_the_admin_pages_are_recorded(staff: Client) -> None:
    password = "correct horse battery"
    staff.post(
        "/admin/auth/user/add/",
        {"username": "ann", "password1": password, "password2": password, "usable_password": "true"},
    )
    ann = User.objects.get(username="ann")
    key = {"model": "auth.user", "key": str(ann.pk)}
    ((verb, target, details),) = recorded()
    assert (verb, target, details["key"]) == (Verb.ADMIN_ADDED, "ann", str(ann.pk))
    assert password not in str(details)

    joined = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    staff.post(f"/admin/auth/user/{ann.pk}/change/", {"username": "ann", "is_staff": "on", "email": "a@b.de", **joined})
    ((verb, target, details),) = recorded()
    assert (verb, target, details["is_staff"], details["is_active"]) == (Verb.ADMIN_CHANGED, "ann", True, False)
    assert "email" in details["fields"]
    assert "a@b.de" not in str(details)

    changed = {"password1": password, "password2": password, "usable_password": "true"}
    staff.post(f"/admin/auth/user/{ann.pk}/password/", changed)
    assert recorded() == [(Verb.ADMIN_CHANGED, "ann", {**key, "fields": ["password"]})]

    User.objects.create_user(username="ben")
    chosen = {"action": "delete_selected", "_selected_action": [ann.pk, ann.pk + 1], "post": "yes"}
    staff.post("/admin/auth/user/", chosen)
    assert sorted(recorded()) == [
        (Verb.ADMIN_DELETED, "ann", key),
        (Verb.ADMIN_DELETED, "ben", {**key, "key": str(ann.pk + 1)}),
    ]
    assert not User.objects.exclude(username="staff").exists()
    group = Group.objects.create(name="helpers")
    staff.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"})
    assert recorded() == [(Verb.ADMIN_DELETED, None, {"model": "auth.group", "key": str(group.pk)})]


def test_rooms_messages_tokens_and_profiles_changed_on_the_admin_pages_are_recorded(staff: Client) -> None:
    ann = people.of_user(User.objects.create_user(username="ann"))
    moderation.create(ROOM, private=False, by=ann)
    call_command("create_token", "ann", stdout=io.StringIO())
    made = AuditRecord.objects.get(verb=Verb.TOKEN_MADE)
    assert (made.person_id, made.via, made.target_id) == ("", "manage.py create_token", ann.id)
    entry = log.append([log.Draft(room=ROOM, text="hi", person=ann)])[0]
    assert isinstance(entry, log.Entry)
    AuditRecord.objects.all().delete()

    message = {"action": "delete_text", "_selected_action": [Message.objects.latest("pk").pk]}
    staff.post("/admin/chat/message/", message)
    assert recorded() == [(Verb.MESSAGE_DELETED, "ann", {"offset": entry.event.offset})]
    token = Token.objects.get()
    staff.post(f"/admin/chat/token/{token.pk}/delete/", {"post": "yes"})
    ((verb, target, details),) = recorded()
    assert (verb, target, details["token"]) == (Verb.TOKEN_REVOKED, "ann", token.pk)
    assert not Token.objects.exists()


def test_every_model_of_the_admin_pages_is_audited() -> None:
    """By Audited, or by what its admin calls as the staff; those of Kept are changed by such actions alone."""
    unaudited = [
        model.__name__
        for model, its_admin in admin.site._registry.items()
        if not isinstance(its_admin, Audited | Kept) and "by_staff" not in inspect.getsource(type(its_admin))
    ]
    assert unaudited == []
