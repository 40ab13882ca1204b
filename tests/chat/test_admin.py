"""The admin pages: changes by the site's staff take effect at once, with a notice in the room."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import AsyncClient, Client

from chat import models
from chat.delivery.hub import Hub
from chat.domain import people
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.errors import Removed
from chat.models import Role
from chat.storage import log, moderation, permissions, reports, webhooks
from chat.storage.database import in_database
from chat.storage.webhooks import WebhookRequest
from tests.recovering import entries_after

ROOM = find("staffed")
GUEST = Person(id="guest-0123456789abcdef", name="Quiet Otter 42")

pytestmark = pytest.mark.django_db(transaction=True)


def make_room() -> models.Room:
    moderation.create(ROOM, private=True, by=people.of_user(User.objects.create_user(username="owner")))
    for name in ("member", "stranger"):
        User.objects.create_user(username=name)
    moderation.set_role(ROOM, "member", Role.MEMBER, by=None)
    return models.Room.objects.get()


def person(name: str) -> Person:
    return people.of_user(User.objects.get(username=name))


def form(room: models.Room, **changes: Any) -> dict[str, Any]:
    """The page’s form as it is, with `changes`, in whose names `__` stands for a hyphen."""
    rows = list(room.members.order_by("pk"))
    data = {"is_private": "on", "slow_mode": room.slow_mode}
    data |= {"members-TOTAL_FORMS": len(rows) + 1, "members-INITIAL_FORMS": len(rows)}
    for number, row in enumerate(rows):
        data |= {
            f"members-{number}-{name}": value for name, value in row_of(room, row.user.pk, row.role, row.pk).items()
        }
    bans = list(room.bans.all())
    data |= {"bans-TOTAL_FORMS": len(bans) + 1, "bans-INITIAL_FORMS": len(bans)}
    for number, ban in enumerate(bans):
        data |= {f"bans-{number}-id": ban.pk, f"bans-{number}-room": room.pk}
    data |= {
        f"members-{len(rows)}-room": room.pk,
        f"members-{len(rows)}-role": "member",
        f"bans-{len(bans)}-room": room.pk,
    }
    return {key: value for key, value in (data | changes_of(changes)).items() if value is not None}


def changes_of(changes: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("__", "-"): value for name, value in changes.items()}


def row_of(room: models.Room, user: int, role: str, pk: int) -> dict[str, Any]:
    return {"id": pk, "room": room.pk, "user": user, "role": role}


def notices() -> list[str]:
    return [event.message for event in entries_after(ROOM, 2)]


@pytest.fixture
def staff(admin_client: Client) -> Client:
    return admin_client


def save(staff: Client, room: models.Room, **changes: Any) -> None:
    url = f"/admin/chat/room/{room.pk}/change/"
    answer = staff.post(url, form(room, **changes))
    assert answer.status_code == 302, answer.context["errors"] if answer.context else answer


def test_admin_makes_a_room_public_and_private_with_notices(staff: Client) -> None:
    room = make_room()
    save(staff, room, is_private=None)
    assert not permissions.permission(ROOM, person("stranger")).private
    save(staff, room, is_private="on")
    assert permissions.permission(ROOM, person("stranger")).private
    assert notices() == [
        "This room was made public by the site’s staff.",
        "This room was made private by the site’s staff.",
    ]


def test_admin_adds_changes_and_removes_members_with_notices(staff: Client) -> None:
    room = make_room()
    save(staff, room, members__2__user=person("stranger").user_id, members__2__role="moderator")
    assert permissions.permission(ROOM, person("stranger")).role is Role.MODERATOR
    save(staff, room, members__2__role="owner", members__0__DELETE="on")
    assert permissions.permission(ROOM, person("stranger")).role is Role.OWNER
    assert permissions.permission(ROOM, person("owner")).role is None
    save(staff, room, members__0__user=person("owner").user_id)
    assert (
        permissions.permission(ROOM, person("member")).role,
        permissions.permission(ROOM, person("owner")).role,
    ) == (
        None,
        Role.MEMBER,
    )
    assert notices() == [
        "stranger was made a moderator by the site’s staff.",
        "owner was removed by the site’s staff.",
        "stranger was made an owner by the site’s staff.",
        "member was removed by the site’s staff.",
        "owner was added by the site’s staff.",
    ]


def test_admin_bans_and_unbans_people_with_notices(staff: Client) -> None:
    room = make_room()
    save(staff, room, bans__0__person_id=GUEST.id)
    assert permissions.permission(ROOM, GUEST).banned
    save(staff, room, bans__0__DELETE="on")
    assert not permissions.permission(ROOM, GUEST).banned
    assert notices() == [
        "A guest was banned by the site’s staff.",
        "The ban on A guest was lifted by the site’s staff.",
    ]


def test_admin_reports_what_failed_and_saves_the_rest(staff: Client) -> None:
    room = make_room()
    changes = form(room, is_private=None, bans__0__person_id="somebody")
    answer = staff.post(f"/admin/chat/room/{room.pk}/change/", changes, follow=True)
    assert "There is nobody with that id." in answer.content.decode()
    assert notices() == ["This room was made public by the site’s staff."]


def test_admin_action_deletes_the_text_of_messages(staff: Client) -> None:
    make_room()
    entries = [log.append([log.Draft(room=ROOM, text=f"secret {n}", person=GUEST, trusted=True)])[0] for n in range(3)]
    chosen = models.Message.objects.filter(text__in=["secret 0", "secret 2"])
    fields = {"action": "delete_text", "_selected_action": [message.pk for message in chosen]}
    assert staff.post("/admin/chat/message/", fields).status_code == 302
    kept = [message.text for message in models.Message.objects.filter(kind="message").order_by("offset")]
    assert kept == ["", "secret 1", ""]
    assert len(entries) == 3


def test_admin_limits_posting_with_notices(staff: Client) -> None:
    room = make_room()
    save(staff, room, read_only="on", slow_mode=60)
    save(staff, models.Room.objects.get(), read_only=None, slow_mode=60)
    assert notices() == [
        "This room was made read-only by the site’s staff: only owners and moderators can write here.",
        "Slow mode was set by the site’s staff: one message per person every minute.",
        "This room was opened for writing by the site’s staff.",
    ]


def test_staff_sees_what_is_reported_and_deletes_or_dismisses_it(staff: Client) -> None:
    make_room()
    for number in range(2):
        log.append([log.Draft(room=ROOM, text=f"rude {number}", person=GUEST, trusted=True)])
    offsets = [*models.Message.objects.filter(kind="message").order_by("offset").values_list("offset", flat=True)]
    for offset in offsets:
        reports.report(ROOM, offset, "look", by=person("member"))
    page = staff.get("/admin/chat/report/").content.decode()
    assert f"{GUEST.name}: rude 0" in page
    for action, offset in (("dismiss", offsets[0]), ("delete_messages", offsets[1])):
        chosen = models.Report.objects.get(offset=offset)
        fields = {"action": action, "_selected_action": [chosen.pk]}
        assert staff.post("/admin/chat/report/", fields).status_code == 302
    assert not models.Report.objects.exists()
    kept = [message.text for message in models.Message.objects.filter(kind="message").order_by("offset")]
    assert kept == ["rude 0", ""]


def test_staff_switches_webhooks_off_and_removes_them_and_sees_no_secret(staff: Client) -> None:
    make_room()
    webhook = webhooks.make(room=ROOM, request=WebhookRequest(url="https://example.org/hook"), by=None)
    page = "/admin/chat/webhook/"
    chosen = {"_selected_action": [webhook.pk]}
    staff.post(page, {"action": "switch_off", **chosen})
    webhook.refresh_from_db()
    assert webhook.off_reason == "by_hand"
    shown = staff.get(f"{page}{webhook.pk}/change/").content.decode()
    assert "https://example.org/hook" in shown
    assert webhook.secret not in shown
    staff.post(page, {"action": "delete_selected", "post": "yes", **chosen})
    assert not models.Webhook.objects.exists()
    verbs = models.AuditRecord.objects.filter(verb__startswith="webhook").order_by("pk")
    assert list(verbs.values_list("verb", flat=True)) == ["webhook.made", "webhook.changed", "webhook.deleted"]


def test_admin_with_view_permission_only_can_change_nothing() -> None:
    room = make_room()
    viewer = User.objects.create_user(username="viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_", content_type__app_label="chat"))
    client = Client()
    client.force_login(viewer)
    page = f"/admin/chat/room/{room.pk}/change/"
    assert client.get(page).status_code == 200
    assert client.post(page, form(room, is_private=None)).status_code == 403
    assert "delete_text" not in client.get("/admin/chat/message/").content.decode()
    assert client.get("/admin/chat/room/add/").status_code == 403


async def test_member_removed_in_the_admin_hears_nothing_more(async_client: AsyncClient) -> None:
    room = await in_database(make_room)
    await async_client.aforce_login(await User.objects.acreate_superuser("admin"))
    member = await in_database(person, "member")
    fields = await in_database(lambda: form(room, members__1__DELETE="on"))
    async with Hub.here().listen([ROOM], person=member) as outbox:
        await async_client.post(f"/admin/chat/room/{room.pk}/change/", fields)
        assert (await anext(outbox)).message == "member was removed by the site’s staff."
        with pytest.raises(Removed):
            await anext(outbox)
