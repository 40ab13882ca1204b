"""The pages on which rooms are created, and on which members, bans and privacy are changed."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chat import member_views
from chat.domain import people
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.models import Role
from chat.storage import history, log, moderation, permissions, posting_limits, reports
from chat.storage.permissions import Permission

ROOM = find("a/b & é")
GUEST = Person(id="guest-0123456789abcdef", name="Quiet <b>Otter</b>")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def room() -> None:
    moderation.create(ROOM, private=True, by=person("owner"))
    for role in (Role.MODERATOR, Role.MEMBER):
        person(role.value)
        moderation.set_role(ROOM, role.value, role, by=None)
    log.append([log.Draft(room=ROOM, text="hi", person=GUEST, trusted=True)])


def person(name: str) -> Person:
    return people.of_user(User.objects.get_or_create(username=name)[0])


def visitor(name: str) -> Client:
    client = Client()
    if name != "guest":
        client.force_login(User.objects.get_or_create(username=name)[0])
    return client


def do(client: Client, action: str, **fields: str) -> tuple[int, str]:
    answer = client.post(ROOM.get_members_url(), {"do": action, **fields})
    return answer.status_code, answer.content.decode()


class TestNewRoomPage:
    def test_new_room_page_makes_the_user_owner_and_redirects_to_the_room(self) -> None:
        answer = visitor("ann").post("/rooms/new/", {"name": f" {ROOM.name} ", "private": "on"})
        assert answer.headers["Location"] == ROOM.get_absolute_url()
        assert permissions.permission(ROOM, person("ann")) == Permission(private=True, role=Role.OWNER)

    def test_new_room_page_creates_a_public_room(self) -> None:
        visitor("ann").post("/rooms/new/", {"name": ROOM.name})
        assert permissions.permission(ROOM, person("ann")) == Permission(private=False, role=Role.OWNER)

    def test_new_room_page_asks_guests_to_log_in(self) -> None:
        answer = visitor("guest").get("/rooms/new/")
        assert answer.headers["Location"] == "/accounts/login/?next=/rooms/new/"

    @pytest.mark.parametrize(
        ("name", "complaint"), [("", "required"), ("..", "no web address"), ("x" * 101, "100"), (ROOM.name, "already")]
    )
    def test_new_room_page_explains_a_refused_name(self, room: None, name: str, complaint: str) -> None:
        page = visitor("ann").post("/rooms/new/", {"name": name, "private": "on"})
        assert page.status_code == 200
        assert complaint in page.content.decode()


class TestPrivateRoomPage:
    @pytest.mark.parametrize("url", [ROOM.get_absolute_url(), ROOM.get_members_url()])
    def test_private_room_page_gives_strangers_advice_and_no_content(self, room: None, url: str) -> None:
        for who, advice in (("guest", "log in"), ("stranger", "<strong><bdi>stranger</bdi></strong>")):
            client = visitor(who)
            answer = client.get(url)
            page = answer.content.decode()
            assert answer.status_code == 403
            assert "is a private room" in page
            assert advice in page
            assert "owner</bdi>" not in page
            assert "room-data" not in page
            assert f'data-room="{ROOM.name}"' not in client.get("/chat/").content.decode()

    def test_private_room_is_listed_to_its_members_only(self, room: None) -> None:
        link = f'href="{ROOM.get_absolute_url()}"'
        member = visitor("member")
        assert link in member.get("/chat/").content.decode()
        assert member.get(ROOM.get_absolute_url()).status_code == 200
        moderation.remove_member(ROOM, "member", by=None)
        assert link not in member.get("/chat/").content.decode()  # though they were there lately

    def test_room_page_tells_banned_people_so(self, room: None) -> None:
        moderation.set_private(ROOM, False, by=None)
        banned = person("member")
        moderation.ban(ROOM, banned.id, by=None)
        answer = visitor("member").get(ROOM.get_absolute_url())
        assert (answer.status_code, "You are banned" in answer.content.decode()) == (403, True)


class TestMembersPage:
    @pytest.mark.parametrize(
        ("who", "offers"),
        [
            ("member", {"remove"}),  # themselves
            ("moderator", {"remove", "set_role", "ban"}),
            ("owner", {"remove", "set_role", "ban", "set_private"}),
        ],
    )
    def test_members_page_offers_the_actions_of_the_role(self, room: None, who: str, offers: set[str]) -> None:
        page = visitor(who).get(ROOM.get_members_url()).content.decode()
        assert {
            action for action in ("set_role", "remove", "ban", "set_private") if f'value="{action}"' in page
        } == offers
        assert "<b>Otter" not in page

    def test_members_and_bans_come_page_by_page(self, room: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(member_views, "SHOWN_MAX", 2)
        for number in range(3):
            moderation.ban(ROOM, f"guest-000000000000000{number}", by=None)
        owner = visitor("owner")
        first = owner.get(ROOM.get_members_url()).context
        assert [member["person"].name for member in first["members"]] == ["member", "moderator"]
        assert [banned.id[-1] for banned in first["bans"]] == ["2", "1"]
        second = owner.get(first["more_members_url"]).context
        assert [member["person"].name for member in second["members"]] == ["owner"]
        assert "more_members_url" not in second
        assert [banned.id[-1] for banned in owner.get(second["more_bans_url"]).context["bans"]] == ["0"]

    def test_members_page_comes_back_to_its_place_after_a_change(self, room: None) -> None:
        place = f"{ROOM.get_members_url()}&after=member"
        answer = visitor("owner").post(place, {"do": "set_role", "username": "moderator", "role": "member"})
        assert answer.headers["Location"] == place

    @pytest.mark.parametrize("place", ["after=%00", "before=x", "before=-1", f"before={'9' * 30}"])
    def test_members_page_begins_at_the_first_for_a_place_that_is_none(self, room: None, place: str) -> None:
        page = visitor("owner").get(f"{ROOM.get_members_url()}&{place}")
        assert page.status_code == 200
        assert page.context["members"]

    def test_member_on_another_page_is_not_among_those_who_were_only_heard(
        self, room: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(member_views, "SHOWN_MAX", 1)
        log.append([log.Draft(room=ROOM, text="hi", person=person("moderator"), trusted=True)])
        page = visitor("owner").get(ROOM.get_members_url()).context
        assert [member["person"].name for member in page["members"]] == ["member"]
        assert [other.id for other in page["others"]] == [GUEST.id]

    def test_members_page_adds_changes_and_removes_members(self, room: None) -> None:
        owner = visitor("owner")
        stranger = person("stranger")
        assert do(owner, "set_role", username="stranger")[0] == 302
        assert permissions.permission(ROOM, stranger).role is Role.MEMBER
        assert do(owner, "set_role", username="stranger", role="moderator")[0] == 302
        assert permissions.permission(ROOM, stranger).role is Role.MODERATOR
        assert do(owner, "remove", username="stranger")[0] == 302
        assert permissions.permission(ROOM, stranger).role is None

    def test_members_page_bans_and_unbans(self, room: None) -> None:
        moderator = visitor("moderator")
        assert do(moderator, "ban", person_id=GUEST.id)[0] == 302
        assert permissions.permission(ROOM, GUEST).banned
        page = moderator.get(ROOM.get_members_url()).content.decode()
        assert ('value="unban"' in page, 'value="ban"' in page) == (True, False)
        assert do(moderator, "unban", person_id=GUEST.id)[0] == 302
        assert not permissions.permission(ROOM, GUEST).banned

    def test_members_page_makes_the_room_public_and_private(self, room: None) -> None:
        owner = visitor("owner")
        for private in (False, True):
            assert do(owner, "set_private", private=str(private).lower())[0] == 302
            assert permissions.permission(ROOM, person("owner")).private is private

    def test_members_page_lets_members_leave(self, room: None) -> None:
        answer = visitor("member").post(ROOM.get_members_url(), {"do": "remove", "username": "member"})
        assert answer.headers["Location"] == ROOM.get_absolute_url()
        assert permissions.permission(ROOM, person("member")).role is None

    @pytest.mark.parametrize(
        ("who", "action", "fields", "complaint"),
        [
            ("owner", "set_role", {"username": "nobody"}, "Nobody has an account"),
            ("owner", "remove", {"username": "owner"}, "needs an owner"),
            ("moderator", "set_role", {"username": "member", "role": "owner"}, "Only an owner"),
            ("moderator", "set_private", {"private": "false"}, "Only an owner"),
            ("member", "ban", {"person_id": GUEST.id}, "up to the owners"),
            ("owner", "explode", {}, "not understood"),
            ("owner", "ban", {}, "nobody with that id"),
        ],
    )
    def test_members_page_explains_a_refused_action(
        self, room: None, who: str, action: str, fields: dict[str, str], complaint: str
    ) -> None:
        status, page = do(visitor(who), action, **fields)
        assert (status, complaint in page) == (400, True)

    def test_members_page_without_a_valid_room_is_a_bad_request(self) -> None:
        assert visitor("ann").get("/rooms/members/").status_code == 400
        assert visitor("ann").get("/rooms/members/?room=..").status_code == 400

    def test_members_page_refuses_forms_without_csrf_token(self, room: None) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(User.objects.get(username="owner"))
        assert client.post(ROOM.get_members_url(), {"do": "set_private", "private": "false"}).status_code == 403


class TestPostingOnTheMembersPage:
    @pytest.mark.parametrize("read_only", [True, False])
    def test_owner_makes_a_room_read_only_and_lets_everybody_write(self, room: None, read_only: bool) -> None:
        posting_limits.set_read_only(ROOM, not read_only, by=None)
        assert do(visitor("owner"), "set_read_only", read_only=str(read_only).lower())[0] == 302
        assert permissions.permission(ROOM, GUEST).read_only is read_only

    def test_moderator_sets_slow_mode(self, room: None) -> None:
        for seconds in ("30", "0"):
            assert do(visitor("moderator"), "set_slow_mode", seconds=seconds)[0] == 302
            assert permissions.permission(ROOM, GUEST).slow_mode == int(seconds)

    @pytest.mark.parametrize("seconds", ["", "-5", "x", "21601", "9" * 30, "٣٠", "1.5"])
    def test_slow_mode_that_can_not_be_is_refused_with_its_reason(self, room: None, seconds: str) -> None:
        status, page = do(visitor("owner"), "set_slow_mode", seconds=seconds)
        assert (status, "Slow mode takes a whole number" in page) == (400, True)

    def test_slow_mode_that_is_none_of_the_choices_is_shown(self, room: None) -> None:
        posting_limits.set_slow_mode(ROOM, 77, by=None)
        page = visitor("moderator").get(ROOM.get_members_url()).content.decode()
        assert '<option value="77" selected>77 seconds</option>' in page

    @pytest.mark.parametrize(("name", "allowed"), [("moderator", ["set_slow_mode"]), ("member", [])])
    def test_controls_are_shown_to_those_who_may_use_them(self, room: None, name: str, allowed: list[str]) -> None:
        page = visitor(name).get(ROOM.get_members_url()).content.decode()
        for action in ("set_slow_mode", "set_read_only"):
            assert (f'value="{action}"' in page) == (action in allowed)
            status, _ = do(visitor(name), action, seconds="5", read_only="true")
            assert status == (302 if action in allowed else 400)


class TestReportsOnTheMembersPage:
    @pytest.fixture
    def offset(self, room: None) -> int:
        entry = log.append([log.Draft(room=ROOM, text="<i>rude</i>", person=GUEST, trusted=True)])[0]
        assert isinstance(entry, log.Entry)
        offset = entry.event.offset or 0
        reports.report(ROOM, offset, "<b>look</b>", by=person("member"))
        return offset

    def test_moderator_sees_the_message_its_author_the_reporter_and_the_reason(self, offset: int) -> None:
        page = visitor("moderator").get(ROOM.get_members_url()).content.decode()
        for part in (
            f"?at={offset}",
            "&lt;i&gt;rude",
            "Quiet &lt;b&gt;Otter",
            "&lt;b&gt;look",
            "Reported by <bdi>member",
        ):
            assert part in page

    def test_member_sees_nothing_of_reports(self, offset: int) -> None:
        page = visitor("member").get(ROOM.get_members_url()).content.decode()
        assert "look" not in page
        assert "Reported" not in page

    @pytest.mark.parametrize("action", ["dismiss", "delete"])
    def test_moderator_dismisses_a_report_or_deletes_the_message(self, offset: int, action: str) -> None:
        assert do(visitor("member"), action, offset=str(offset))[0] == 400
        assert do(visitor("moderator"), action, offset=str(offset))[0] == 302
        assert reports.counts([ROOM], person=None)[ROOM] == 0
        assert history.message(ROOM, offset).deleted is (action == "delete")

    def test_moderator_bans_the_author(self, offset: int) -> None:
        assert do(visitor("moderator"), "ban", person_id=GUEST.id)[0] == 302
        assert permissions.permission(ROOM, GUEST).banned

    @pytest.mark.parametrize("offset_given", ["", "x", "-1", "9" * 30])
    @pytest.mark.parametrize("action", ["dismiss", "delete"])
    def test_bad_offset_is_refused(self, room: None, action: str, offset_given: str) -> None:
        assert do(visitor("moderator"), action, offset=offset_given)[0] == 400
