"""The audit log: no deed of owners, moderators and staff without its record, and no record without its deed."""

import inspect
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone
from pytest_django import Settings

from chat.actions import profiles
from chat.domain import people
from chat.domain.grants import Grant, Scope
from chat.domain.links import Link, MessageLinks
from chat.domain.people import Person
from chat.domain.profiles import ProfileChange
from chat.domain.rooms import find
from chat.domain.token_requests import TokenRequest
from chat.errors import ChatError
from chat.member_views import MembersView
from chat.models import AuditRecord, Invitation, Message, Role, Token, Verb
from chat.storage import (
    audit,
    bots,
    database,
    edits,
    invitations,
    links,
    log,
    moderation,
    posting_limits,
    reports,
    tokens,
    uploads,
    webhooks,
)
from chat.storage.audit import Filter
from chat.storage.invitations import InvitationRequest
from chat.storage.webhooks import WebhookRequest
from gqlchat.schema import moderation as mutations
from tests.servers import ROOT

ROOM = find("audited é/1")
GUEST = Person(id="guest-0123456789abcdef", name="Quiet Otter 42")
URL = "https://example.org/secret-page"

pytestmark = pytest.mark.django_db


def account(name: str) -> Person:
    return people.of_user(User.objects.get_or_create(username=name)[0])


@pytest.fixture
def owner() -> Person:
    owner = account("owner")
    moderation.create(ROOM, private=False, by=owner)
    AuditRecord.objects.all().delete()
    return owner


def say(person: Person = GUEST) -> int:
    entry = log.append([log.Draft(room=ROOM, text="a secret text", person=person, trusted=True)])[0]
    assert isinstance(entry, log.Entry)
    return entry.event.offset or 0


def show_link() -> int:
    offset = say()
    links_of = MessageLinks.from_json(None).with_shown([Link(URL, "Title", "", "", None)])
    Message.objects.filter(room__name=ROOM.name, offset=offset).update(links=links_of.as_json())
    return offset


def make_token(by: Person | None) -> int:
    request = TokenRequest.clean(name="backup", scopes=["read"], rooms=[ROOM.name], days=30)
    tokens.create(user_id=account("member").user_id, request=request, by=by)
    return Token.objects.latest("pk").pk


def make_invitation() -> int:
    account("member")
    request = InvitationRequest(uses=1, days=1)
    invitations.create(user=User.objects.get(username="member"), room=ROOM, request=request)
    return Invitation.objects.latest("pk").pk


def make_bot(by: Person | None) -> Any:
    return bots.make(username=f"bot{User.objects.count()}", room=ROOM, by=by)


def make_webhook(by: Person | None) -> int:
    return webhooks.make(room=ROOM, request=WebhookRequest(url="https://example.org/secret"), by=by).pk


def add(username: str = "member", role: Role = Role.MEMBER) -> str:
    account(username)
    moderation.set_role(ROOM, username, role, by=None)
    return username


def report() -> int:
    offset = say()
    reports.report(ROOM, offset, "a secret reason", by=account("member"))
    return offset


# First the things that each deed needs, which are done by the site, then the deed itself.
Deed = tuple[Callable[[], Any], Callable[[Any, Person | None], object]]
DEEDS: dict[Callable[..., Any], dict[Verb, Deed]] = {
    moderation.create: {
        Verb.ROOM_CREATED: (lambda: None, lambda _, by: moderation.create(find("another"), private=True, by=by))
    },
    moderation.set_role: {
        Verb.MEMBER_ADDED: (
            lambda: account("member"),
            lambda _, by: moderation.set_role(ROOM, "member", Role.MEMBER, by=by),
        ),
        Verb.MEMBER_ROLE_CHANGED: (add, lambda name, by: moderation.set_role(ROOM, name, Role.MODERATOR, by=by)),
    },
    moderation.remove_member: {
        Verb.MEMBER_REMOVED: (add, lambda name, by: moderation.remove_member(ROOM, name, by=by)),
        Verb.MEMBER_LEFT: (
            lambda: add("deputy", Role.OWNER),
            lambda name, by: moderation.remove_member(ROOM, name, by=account(name)),
        ),
    },
    moderation.ban: {Verb.MEMBER_BANNED: (say, lambda _, by: moderation.ban(ROOM, GUEST.id, by=by))},
    moderation.unban: {
        Verb.MEMBER_UNBANNED: (
            lambda: moderation.ban(ROOM, GUEST.id, by=None),
            lambda _, by: moderation.unban(ROOM, GUEST.id, by=by),
        )
    },
    moderation.delete_message: {
        Verb.MESSAGE_DELETED: (say, lambda offset, by: moderation.delete_message(ROOM, offset, by=by))
    },
    moderation.set_private: {
        Verb.ROOM_PRIVACY_CHANGED: (lambda: None, lambda _, by: moderation.set_private(ROOM, True, by=by))
    },
    posting_limits.set_read_only: {
        Verb.ROOM_READ_ONLY_CHANGED: (lambda: None, lambda _, by: posting_limits.set_read_only(ROOM, True, by=by))
    },
    posting_limits.set_slow_mode: {
        Verb.ROOM_SLOW_MODE_CHANGED: (lambda: None, lambda _, by: posting_limits.set_slow_mode(ROOM, 60, by=by))
    },
    links.set_link_previews: {
        Verb.ROOM_LINK_PREVIEWS_CHANGED: (lambda: None, lambda _, by: links.set_link_previews(ROOM, False, by=by))
    },
    links.remove: {Verb.PREVIEW_REMOVED: (show_link, lambda offset, by: links.remove(ROOM, offset, URL, by=by))},
    reports.dismiss: {Verb.REPORTS_DISMISSED: (report, lambda offset, by: reports.dismiss(ROOM, offset, by=by))},
    bots.make: {Verb.BOT_MADE: (lambda: None, lambda _, by: make_bot(by))},
    bots.delete: {
        Verb.BOT_DELETED: (
            lambda: make_bot(None),
            lambda user, by: bots.delete(user_id=user.pk, room=ROOM, by=by),
        )
    },
    webhooks.make: {Verb.WEBHOOK_MADE: (lambda: None, lambda _, by: make_webhook(by))},
    webhooks.rotate_secret: {
        Verb.WEBHOOK_CHANGED: (
            lambda: make_webhook(None),
            lambda id, by: webhooks.rotate_secret(webhook_id=id, room=ROOM, by=by),
        )
    },
    webhooks.switch: {
        Verb.WEBHOOK_CHANGED: (
            lambda: make_webhook(None),
            lambda id, by: webhooks.switch(webhook_id=id, on=False, room=ROOM, by=by),
        )
    },
    webhooks.delete: {
        Verb.WEBHOOK_DELETED: (
            lambda: make_webhook(None),
            lambda id, by: webhooks.delete(webhook_id=id, room=ROOM, by=by),
        )
    },
    tokens.create: {Verb.TOKEN_MADE: (lambda: None, lambda _, by: make_token(by))},
    tokens.delete: {
        Verb.TOKEN_REVOKED: (
            lambda: make_token(None),
            lambda id, by: tokens.delete(user_id=account("member").user_id, token_id=id, by=by),
        )
    },
    invitations.delete: {
        Verb.INVITATION_REVOKED: (
            make_invitation,
            lambda id, by: invitations.delete(room=ROOM, invitation_id=id, by=by),
        )
    },
}
# Things that people do with what is their own: none is a deed of somebody who may do more than others.
OWN = {edits.edit_message, invitations.accept, reports.report, uploads.begin, uploads.discard}


def test_every_write_that_names_who_does_it_is_recorded_or_is_about_their_own() -> None:
    """A new one belongs in DEEDS, with a record in its transaction, or in OWN."""
    written_by = {
        function
        for function, work in database._work.items()
        if work is database.Work.WRITE
        and function.__module__.startswith("chat.")
        and "by" in inspect.signature(function).parameters
    }
    assert written_by == DEEDS.keys() | OWN
    assert {action for action, _ in MembersView.ACTIONS.values()} <= DEEDS.keys()
    for call in re.findall(r"done\(info, (\w+)\.(\w+)", inspect.getsource(mutations)):
        assert (
            getattr({"links": links, "moderation": moderation, "posting_limits": posting_limits}[call[0]], call[1])
            in DEEDS
        )


def test_every_verb_is_recorded_somewhere() -> None:
    sources = [path.read_text() for path in (ROOT / "chat").rglob("*.py") if path.name != "audit.py"]
    assert [verb for verb in Verb if not any(f"Verb.{verb.name}" in source for source in sources)] == []


def test_each_deed_leaves_one_record_with_its_person_room_and_verb(owner: Person) -> None:
    for deeds in DEEDS.values():
        for verb, (prepare, do) in deeds.items():
            for by in (owner, None):
                with transaction.atomic():
                    prepared = prepare()
                    AuditRecord.objects.all().delete()
                    do(prepared, by)
                    (row,) = AuditRecord.objects.all()
                    expected = account("deputy") if verb is Verb.MEMBER_LEFT else by
                    assert row.verb == verb
                    assert (row.person_id, row.person_name) == ((expected.id, expected.name) if expected else ("", ""))
                    assert row.room_name == (
                        "another"
                        if verb is Verb.ROOM_CREATED
                        else ""
                        if verb in {Verb.TOKEN_MADE, Verb.TOKEN_REVOKED}
                        else ROOM.name
                    ), verb
                    assert abs(timezone.now() - row.at) < timedelta(minutes=1)
                    told = f"{audit.as_json(row)}"
                    assert "secret" not in told, told
                    transaction.set_rollback(True)


def test_deed_that_fails_or_changes_nothing_leaves_no_record(owner: Person) -> None:
    own = say(owner)
    with pytest.raises(ChatError):
        moderation.ban(ROOM, owner.id, by=owner)
    with pytest.raises(ChatError):
        moderation.set_private(ROOM, True, by=GUEST)
    moderation.set_private(ROOM, False, by=owner)
    posting_limits.set_slow_mode(ROOM, 0, by=owner)
    reports.dismiss(ROOM, own, by=owner)
    moderation.unban(ROOM, GUEST.id, by=owner)
    moderation.delete_message(ROOM, own, by=owner)  # their own
    moderation.delete_message(ROOM, own, by=owner)
    member = add("member")
    AuditRecord.objects.all().delete()
    moderation.remove_member(ROOM, member, by=account(member))  # who leaves
    assert not AuditRecord.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_record_and_deed_are_committed_together_or_not_at_all(owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TransactionManagementError):
        audit.record(owner, Verb.MEMBER_BANNED)
    account("member")
    for deeds in DEEDS.values():
        for prepare, do in deeds.values():
            prepared = prepare()
            before = AuditRecord.objects.count()
            state = (Message.objects.count(), Token.objects.count(), User.objects.filter(is_active=True).count())
            with monkeypatch.context() as patch:
                patch.setattr(AuditRecord.objects, "create", fail)
                with pytest.raises(ZeroDivisionError):
                    do(prepared, None)
            assert AuditRecord.objects.count() == before
            assert state == (
                Message.objects.count(),
                Token.objects.count(),
                User.objects.filter(is_active=True).count(),
            )
            User.objects.filter(username__in=["member", "deputy"]).delete()
            account("member")


def fail(**_: object) -> None:
    raise ZeroDivisionError


def test_record_tells_of_the_staff_the_command_and_the_token_behind_it(owner: Person) -> None:
    staff = account("staff")
    with audit.by_staff(staff):
        moderation.set_private(ROOM, True, by=None)
    with audit.by_command("some_command"):
        moderation.set_private(ROOM, False, by=None)
    grant = Grant(7, frozenset(Scope), None)
    moderation.set_private(ROOM, True, by=Person(owner.id, owner.name, grant=grant))
    rows = AuditRecord.objects.order_by("pk").values_list("person_id", "via", "details")
    assert [*rows] == [
        (staff.id, "admin", {"private": True}),
        ("", "manage.py some_command", {"private": False}),
        (owner.id, "token 7", {"private": True}),
    ]


def test_read_filters_by_room_person_verb_and_time_and_pages_by_number(owner: Person) -> None:
    say(GUEST)
    moderation.ban(ROOM, GUEST.id, by=owner)
    moderation.unban(ROOM, GUEST.id, by=None)
    moderation.create(find("another"), private=True, by=owner)
    ban, unban, created = AuditRecord.objects.order_by("pk")
    AuditRecord.objects.filter(pk=ban.pk).update(at=timezone.now() - timedelta(days=3))
    found: list[tuple[Filter, list[AuditRecord]]] = [
        (Filter(), [created, unban, ban]),
        (Filter(room=ROOM), [unban, ban]),
        (Filter(person="owner"), [created, ban]),
        (Filter(person=owner.id), [created, ban]),
        (Filter(person=GUEST.id), [unban, ban]),
        (Filter(person=GUEST.name), [unban, ban]),
        (Filter(person="nobody"), []),
        (Filter(verb=Verb.MEMBER_BANNED), [ban]),
        (Filter(since=timezone.now() - timedelta(days=1)), [created, unban]),
        (Filter(until=timezone.now() - timedelta(days=1)), [ban]),
    ]
    for wanted, expected in found:
        assert audit.read(wanted, size=5) == expected, wanted
        assert [*audit.read_all(wanted)] == expected[::-1]
    assert audit.read(Filter(), size=1, before=created.pk) == [unban]


def test_prune_deletes_records_older_than_the_setting(owner: Person, settings: Settings) -> None:
    moderation.ban(ROOM, GUEST.id, by=owner)
    AuditRecord.objects.update(at=timezone.now() - timedelta(days=10))
    moderation.unban(ROOM, GUEST.id, by=owner)
    for days, deleted in ((0, 0), (11, 0), (9, 1)):
        settings.CHAT_AUDIT_DAYS = days
        assert audit.prune() == deleted
    assert AuditRecord.objects.get().verb == Verb.MEMBER_UNBANNED


def test_profile_changed_by_the_staff_is_recorded_without_what_it_says(owner: Person) -> None:
    with audit.by_staff(account("staff")):
        profiles.update_on_commit(ProfileChange(about="a secret"), of=owner)
    row = AuditRecord.objects.get()
    assert (row.verb, row.target_id, row.details) == (Verb.PROFILE_CHANGED, owner.id, {"fields": ["about"]})
