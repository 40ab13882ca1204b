"""The pages of the audit log, and its export: everything for the staff, the part of their room for owners."""

import io
import json
import re

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from chat import audit_views
from chat.domain import people
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.models import AuditRecord, Role, Verb
from chat.storage import audit, moderation

ROOM, OTHER = find("a/b & é"), find("other")
GUEST = "guest-0123456789abcdef"
PAGE = "/rooms/audit/"
OF_ROOM = "/rooms/audit/?room=a/b%20%26%20%C3%A9"

pytestmark = pytest.mark.django_db


def user(name: str, **rights: bool) -> Person:
    return people.of_user(User.objects.get_or_create(username=name, defaults=rights)[0])


def visitor(name: str) -> Client:
    client = Client()
    if name:
        client.force_login(User.objects.get(username=name))
    return client


@pytest.fixture(autouse=True)
def deeds() -> None:
    owner, staff = user("owner"), user("<b>staff</b>", is_staff=True)
    for name in ("moderator", "member"):
        user(name)
    moderation.create(ROOM, private=True, by=owner)
    moderation.set_role(ROOM, "moderator", Role.MODERATOR, by=owner)
    moderation.set_role(ROOM, "member", Role.MEMBER, by=owner)
    with audit.by_staff(staff):
        moderation.set_private(ROOM, False, by=None)
    moderation.create(OTHER, private=False, by=user("elsewhere"))


def listed(client: Client, url: str) -> list[str]:
    """The verbs on the page, from the top."""
    answer = client.get(url)
    assert answer.status_code == 200, answer
    return re.findall(r"<code>([a-z._]+)</code>", answer.content.decode())


def test_audit_page_is_for_the_staff_and_that_of_a_room_for_its_owners() -> None:
    for name, site, room in (
        ("<b>staff</b>", 200, 403),
        ("owner", 403, 200),
        ("moderator", 403, 403),
        ("member", 403, 403),
        ("elsewhere", 403, 403),
        ("", 302, 302),
    ):
        found = tuple(visitor(name).get(url).status_code for url in (PAGE, OF_ROOM))
        assert found == (site, room), name
    assert visitor("owner").get("/rooms/audit/?room=..").status_code == 403


def test_audit_page_of_the_site_tells_who_did_what_by_which_way() -> None:
    staff = visitor("<b>staff</b>")
    assert listed(staff, PAGE)[:2] == [Verb.ROOM_CREATED, Verb.ROOM_PRIVACY_CHANGED]
    page = staff.get(PAGE).content.decode()
    assert "&lt;b&gt;staff&lt;/b&gt;" in page
    assert "via: admin · private: false" in page
    assert "a/b &amp; é" in page


def test_audit_page_of_a_room_has_only_its_deeds_and_hides_which_of_the_staff_it_was() -> None:
    owner = visitor("owner")
    assert listed(owner, OF_ROOM) == [
        Verb.ROOM_PRIVACY_CHANGED,
        Verb.MEMBER_ADDED,
        Verb.MEMBER_ADDED,
        Verb.ROOM_CREATED,
    ]
    page = owner.get(OF_ROOM).content.decode()
    assert "The site’s staff" in page
    assert "&lt;b&gt;staff" not in page
    assert listed(owner, f"{OF_ROOM}&in_room=other&person=elsewhere") == []
    assert OF_ROOM.partition("?")[0] in owner.get(ROOM.get_members_url()).content.decode()


def test_audit_page_filters_and_refuses_what_is_no_filter() -> None:
    staff = visitor("<b>staff</b>")
    for query, count in (
        ("person=owner", 3),
        ("person=moderator", 1),
        (f"person={GUEST}", 0),
        ("in_room=other", 1),
        ("verb=member.added", 2),
        ("verb=member.added&in_room=other", 0),
        ("since=2020-01-01&until=2999-12-31", 5),
        ("until=2020-01-01", 0),
        ("until=9999-12-31", 5),
        ("before=x", 5),
        ("before=1", 0),
    ):
        assert len(listed(staff, f"{PAGE}?{query}")) == count, query
    for query in ("verb=x", "since=yesterday", "person=" + "x" * 200, "person=%00"):
        assert staff.get(f"{PAGE}?{query}").status_code == 400, query


def test_audit_page_goes_on_where_the_page_before_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_views, "PAGE_SIZE", 2)
    staff, url, found = visitor("<b>staff</b>"), f"{PAGE}?in_room=a/b%20%26%20%C3%A9", []
    while url:
        found.append(listed(staff, url))
        older = re.search(r'href="([^"]+)">Older ones', staff.get(url).content.decode())
        url = older[1].replace("&amp;", "&") if older else ""
    assert found == [[Verb.ROOM_PRIVACY_CHANGED, Verb.MEMBER_ADDED], [Verb.MEMBER_ADDED, Verb.ROOM_CREATED]]


def exported(*arguments: str) -> list[dict]:
    out = io.StringIO()
    call_command("export_audit", *arguments, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_export_audit_writes_json_lines_the_oldest_first() -> None:
    assert len(exported()) == AuditRecord.objects.count() == 5
    assert [line["room"] for line in exported("--room", "other")] == ["other"]
    assert exported("--verb", "member.added", "--person", "member", "--newer-than", "1h") == [
        {
            "id": AuditRecord.objects.get(target_name="member").pk,
            "at": AuditRecord.objects.get(target_name="member").at.isoformat(),
            "verb": "member.added",
            "person": {"id": user("owner").id, "name": "owner"},
            "via": None,
            "room": ROOM.name,
            "target": {"id": user("member").id, "name": "member"},
            "details": {"role": "member"},
        }
    ]
    with pytest.raises(CommandError):
        exported("--room", "..")
