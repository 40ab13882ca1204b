"""Actions of owners, moderators and authors in a room, and the entries they leave in its log."""

import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from chat import models
from chat.actions import posting
from chat.delivery.hub import Hub
from chat.domain import people
from chat.domain.events import Change, Event, Kind, NewRole
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.reactions import Reaction
from chat.domain.rooms import find
from chat.errors import (
    Banned,
    ChatError,
    LastOwner,
    LoginRequired,
    NoSuchMessage,
    NoSuchPerson,
    NotAllowed,
    NotAMember,
    RoomExists,
)
from chat.models import Role
from chat.storage import entries, history, log, moderation, pages, permissions
from tests.recovering import entries_after, recover

ROOM = find("moderated é/1")
PASSER_BY = people.new_guest("Passer-by")
GUEST = Person(id="guest-0123456789abcdef", name="Quiet Otter 42")

pytestmark = pytest.mark.django_db


class Cast:
    """A private room with one person of each role, and some people who are no members."""

    def __init__(self, *, private: bool = True) -> None:
        owner = self.user("owner")
        moderation.create(ROOM, private=private, by=owner)
        for role in (Role.MODERATOR, Role.MEMBER):
            self.user(role.value)
            moderation.set_role(ROOM, role.value, role, by=owner)
        self.user("stranger")
        for number in range(2):
            self.user(f"other {number}")

    def user(self, name: str) -> Person:
        return people.of_user(User.objects.create_user(username=name))

    def __getitem__(self, name: str) -> Person | None:
        if name == "site":
            return None
        return GUEST if name == "guest" else people.of_user(User.objects.get(username=name))


@pytest.fixture
def cast() -> Cast:
    return Cast()


def say(text: str = "a secret", person: Person | None = None) -> int:
    entry = log.append([log.Draft(room=ROOM, text=text, person=person or PASSER_BY, trusted=True)])[0]
    assert isinstance(entry, log.Entry)
    return entry.event.offset or 0


def last() -> int:
    return history.heads([ROOM])[ROOM].position.offset


OTHER = "other 0"
ACTIONS: dict[str, Callable[[Cast, Person | None], object]] = {
    "enter": lambda cast, by: permissions.check(ROOM, by),
    "read": lambda cast, by: pages.page(ROOM, person=by, size=10, from_end=True),
    "recover": lambda cast, by: recover(ROOM, Position(1), person=by),
    "see the last offset": lambda cast, by: history.end(ROOM, person=by),
    "delete another's": lambda cast, by: moderation.delete_message(ROOM, say(), by=by),
    "add": lambda cast, by: moderation.set_role(ROOM, OTHER, Role.MEMBER, by=by),
    "make a moderator": lambda cast, by: moderation.set_role(ROOM, OTHER, Role.MODERATOR, by=by),
    "make an owner": lambda cast, by: moderation.set_role(ROOM, OTHER, Role.OWNER, by=by),
    "unmake a moderator": lambda cast, by: moderation.set_role(ROOM, "moderator", Role.MEMBER, by=by),
    "remove a member": lambda cast, by: moderation.remove_member(ROOM, "member", by=by),
    "remove a moderator": lambda cast, by: moderation.remove_member(ROOM, "moderator", by=by),
    "ban a guest": lambda cast, by: moderation.ban(ROOM, GUEST.id, by=by),
    "ban a member": lambda cast, by: moderation.ban(ROOM, str(cast["member"] and cast["member"].id), by=by),
    "ban a moderator": lambda cast, by: moderation.ban(ROOM, str(cast["moderator"] and cast["moderator"].id), by=by),
    "ban an owner": lambda cast, by: moderation.ban(ROOM, str(cast["owner"] and cast["owner"].id), by=by),
    "lift a ban": lambda cast, by: moderation.unban(ROOM, GUEST.id, by=by),
    "make it public": lambda cast, by: moderation.set_private(ROOM, False, by=by),
}
# Actions allowed to each role. Others raise NotAllowed for members, NotAMember for people who are none.
MEMBER = {"enter", "read", "recover", "see the last offset"}
MODERATOR = MEMBER | {"delete another's", "add", "remove a member", "ban a guest", "ban a member", "lift a ban"}
OWNER = set(ACTIONS) - {"ban an owner"}
MAY = {"guest": set(), "stranger": set(), "member": MEMBER, "moderator": MODERATOR, "owner": OWNER, "site": OWNER}
# People may remove themselves from the room, but not ban themselves.
OF_THEMSELVES = {("member", "remove a member"): None, ("moderator", "remove a moderator"): None}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("who", MAY)
def test_actions_in_a_private_room_are_allowed_or_refused_by_role(cast: Cast, who: str, action: str) -> None:
    by, before = cast[who], None
    allowed = action in MAY[who] or (who, action) in OF_THEMSELVES
    if allowed:
        ACTIONS[action](cast, by)
        return
    expected = NotAMember if who in {"guest", "stranger"} else NotAllowed
    before = last()
    with pytest.raises(ChatError) as caught:
        ACTIONS[action](cast, by)
    assert caught.type is expected
    assert last() == before + (action == "delete another's")  # nothing was done, and no offset taken


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("who", ["guest", "stranger"])
def test_strangers_may_only_enter_and_read_in_a_public_room(who: str, action: str) -> None:
    cast = Cast(private=False)
    if action in MEMBER:
        ACTIONS[action](cast, cast[who])
    else:
        with pytest.raises(NotAllowed):
            ACTIONS[action](cast, cast[who])


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("who", ["guest", "stranger", "member", "moderator"])
def test_banned_people_are_refused_every_action(who: str, action: str) -> None:
    cast = Cast(private=False)
    by = cast[who]
    assert by is not None
    moderation.ban(ROOM, by.id, by=cast["owner"])
    with pytest.raises(Banned):
        ACTIONS[action](cast, by)


class TestPosting:
    def post(self, *people: Person) -> list[str | int | None]:
        drafts = [log.Draft(room=ROOM, text="hi", person=person) for person in people]
        return [one.event.offset if isinstance(one, log.Entry) else one.code for one in log.append(drafts)]

    def test_append_in_a_private_room_is_refused_to_people_who_are_no_members(self, cast: Cast) -> None:
        before = last()
        owner, stranger = cast["owner"], cast["stranger"]
        assert self.post(owner, stranger, GUEST, owner) == [before + 1, "not_a_member", "not_a_member", before + 2]
        assert last() == before + 2

    def test_append_is_refused_to_banned_people_and_takes_no_offset(self) -> None:
        cast = Cast(private=False)
        moderation.ban(ROOM, GUEST.id, by=cast["owner"])
        before = last()
        assert self.post(GUEST) == ["banned"]
        assert self.post(cast["stranger"], GUEST) == [before + 1, "banned"]

    def test_retry_is_refused_once_its_author_is_banned(self) -> None:
        cast = Cast(private=False)
        draft = log.Draft(room=ROOM, text="hi", person=GUEST, client_id="a")
        log.append([draft])
        moderation.ban(ROOM, GUEST.id, by=cast["owner"])
        assert isinstance(log.append([draft])[0], Banned)

    def test_append_of_a_trusted_draft_is_allowed_in_a_private_room(self, cast: Cast) -> None:
        assert say() == last()


class TestDeletion:
    def test_delete_message_clears_the_text_and_appends_an_entry_that_targets_it(self, cast: Cast) -> None:
        offset = say(person=cast["member"])
        deletion = moderation.delete_message(ROOM, offset, by=cast["moderator"])
        gone, entry = entries_after(ROOM, offset - 1)
        assert (gone.offset, gone.message, gone.deleted, gone.person) == (offset, "", True, cast["member"])
        assert entry == deletion
        assert (entry.kind, entry.offset, entry.target) == (Kind.DELETION, offset + 1, offset)
        assert (entry.message, entry.person) == ("A message was deleted.", cast["moderator"])
        assert pages.page(ROOM, person=None, size=2, from_end=True).events == [gone, entry]

    def test_delete_message_clears_what_edits_and_reactions_say_of_it(self, cast: Cast) -> None:
        offset = say(person=cast["member"])
        other = say(person=cast["member"])
        with transaction.atomic():
            for target in (offset, other):
                for kind in (Kind.EDIT, Kind.REACTION):
                    said = {"called": [GUEST], "reactions": [Reaction("👍", 1, (GUEST,))]}
                    place = entries.take_offset(ROOM)
                    entries.write(place, kind=kind, text="secret", by=cast["member"], target=target, **said)
        rows = models.Message.objects.filter(room__name=ROOM.name)
        rows.filter(offset=offset).update(original_text="secret", edited_at=timezone.now(), reactions=[1], mentions=[1])
        moderation.delete_message(ROOM, offset, by=cast["member"])
        gone = rows.filter(Q(offset=offset) | Q(target=offset)).exclude(kind=Kind.DELETION)
        columns = ("text", "original_text", "edited_at", "mentions", "reactions")
        assert [*gone.values_list(*columns)] == [("", None, None, None, None)] * 3
        assert rows.filter(target=other, text="secret", mentions__isnull=False, deletion=None).count() == 2

    def test_delete_message_twice_appends_one_entry(self, cast: Cast) -> None:
        offset = say()
        first = moderation.delete_message(ROOM, offset, by=cast["owner"])
        assert moderation.delete_message(ROOM, offset, by=cast["moderator"]) == first
        assert last() == offset + 1

    def test_delete_message_is_allowed_to_its_author(self, cast: Cast) -> None:
        offset = say(person=cast["member"])
        assert moderation.delete_message(ROOM, offset, by=cast["member"]).target == offset

    def test_delete_message_is_allowed_to_an_author_with_a_new_name(self) -> None:
        Cast(private=False)
        offset = say(person=GUEST)
        assert moderation.delete_message(ROOM, offset, by=replace(GUEST, name="Ann")).target == offset

    def test_delete_message_is_refused_to_an_author_who_was_removed(self, cast: Cast) -> None:
        offset = say(person=cast["member"])
        member = cast["member"]
        moderation.remove_member(ROOM, "member", by=cast["owner"])
        with pytest.raises(NotAMember):
            moderation.delete_message(ROOM, offset, by=member)

    def test_delete_message_is_refused_for_offsets_of_no_message(self, cast: Cast) -> None:
        offset = say()
        moderation.delete_message(ROOM, offset, by=None)
        for other in (0, 1, offset + 1, offset + 99):  # none, a notice, a deletion, none
            with pytest.raises(NoSuchMessage):
                moderation.delete_message(ROOM, other, by=None)
        assert last() == offset + 1

    def test_retry_of_a_deleted_message_returns_it_deleted(self, cast: Cast) -> None:
        draft = log.Draft(room=ROOM, text="a secret", person=cast["owner"], client_id="a")
        offset = log.append([draft])[0].event.offset  # type: ignore[union-attr]
        moderation.delete_message(ROOM, offset, by=cast["owner"])
        again = log.append([draft])[0]
        assert isinstance(again, log.Entry)
        assert (again.repeated, again.event.deleted, again.event.message) == (True, True, "")

    def test_delete_message_leaves_the_text_in_no_table(self, cast: Cast) -> None:
        secret = "xyzzy 🍓 plugh"
        offset = say(secret)
        assert tables_that_hold(secret) == ["chat_message"]
        moderation.delete_message(ROOM, offset, by=None)
        assert tables_that_hold(secret) == []


@pytest.mark.sqlite  # other databases clean up when they see fit
@pytest.mark.django_db(transaction=True)
def test_delete_message_leaves_the_text_in_no_sqlite_file() -> None:
    secret, file = b"xyzzy plugh ", str(connection.settings_dict["NAME"])

    def holds() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        # By another process: closing the file would drop the locks that this one has on it, and so damage it.
        return secret in subprocess.run(["cat", file], capture_output=True, check=True).stdout

    offset = say(secret.decode() * 200)
    assert holds()
    moderation.delete_message(ROOM, offset, by=None)
    assert not holds()


def tables_that_hold(text: str) -> list[str]:
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            if any(text in str(value) for row in cursor.fetchall() for value in row):
                found.append(table)
    return found


class TestNotices:
    """Each change of members, bans or privacy is an entry with a text for people and the change for programs."""

    def test_notices_name_the_change_its_subject_and_its_author(self, cast: Cast) -> None:
        owner, stranger = cast["owner"], cast["stranger"]
        member = cast["member"]
        done = [
            moderation.set_role(ROOM, "stranger", Role.MEMBER, by=owner),
            moderation.set_role(ROOM, "stranger", Role.OWNER, by=owner),
            moderation.set_role(ROOM, "stranger", Role.MODERATOR, by=None),
            moderation.remove_member(ROOM, "stranger", by=stranger),
            moderation.ban(ROOM, stranger.id, by=owner),
            moderation.unban(ROOM, stranger.id, by=owner),
            moderation.set_private(ROOM, False, by=owner),
            moderation.remove_member(ROOM, "member", by=owner),
            moderation.set_private(ROOM, True, by=None),
        ]
        assert [(one.message, one.change, one.subject) for one in done if one] == [
            ("stranger was added by owner.", Change.ADDED, stranger.id),
            ("stranger was made an owner by owner.", Change.CHANGED, stranger.id),
            ("stranger was made a moderator by the site’s staff.", Change.CHANGED, stranger.id),
            ("stranger left.", Change.REMOVED, stranger.id),
            ("stranger was banned by owner.", Change.BANNED, stranger.id),
            ("The ban on stranger was lifted by owner.", Change.UNBANNED, stranger.id),
            ("This room was made public by owner.", Change.OPENED, None),
            ("member was removed by owner.", Change.CHANGED, member.id),
            ("This room was made private by the site’s staff.", Change.CLOSED, None),
        ]
        offsets = [one.offset for one in done if one]
        assert offsets == list(range(offsets[0] or 0, last() + 1))
        assert entries_after(ROOM, (offsets[0] or 0) - 1) == done

    def test_notices_are_not_written_when_nothing_changes(self, cast: Cast) -> None:
        owner, before = cast["owner"], last()
        assert moderation.set_role(ROOM, "member", Role.MEMBER, by=owner) is None
        assert moderation.remove_member(ROOM, "stranger", by=owner) is None
        assert moderation.unban(ROOM, GUEST.id, by=owner) is None
        assert moderation.set_private(ROOM, True, by=owner) is None
        assert last() == before
        assert moderation.ban(ROOM, GUEST.id, by=owner) is not None
        assert moderation.ban(ROOM, GUEST.id, by=owner) is None

    def test_notice_names_a_guest_by_the_name_of_their_last_message_in_the_room(self, cast: Cast) -> None:
        say(person=GUEST)
        notice = moderation.ban(ROOM, GUEST.id, by=cast["owner"])
        assert notice is not None
        assert notice.message == f"{GUEST.name} was banned by owner."
        stranger = moderation.ban(ROOM, "guest-" + "0" * 16, by=cast["owner"])
        assert stranger is not None
        assert stranger.message == "A guest was banned by owner."


class TestRooms:
    def test_create_makes_the_user_owner_and_refuses_guests(self) -> None:
        owner = people.of_user(User.objects.create_user(username="maker"))
        notice = moderation.create(ROOM, private=True, by=owner)
        assert (notice.offset, notice.change, notice.message) == (
            1,
            Change.CLOSED,
            "This private room was created by maker.",
        )
        assert permissions.permission(ROOM, owner) == permissions.Permission(private=True, role=Role.OWNER)
        assert history.names(person=owner, size=9) == [ROOM.name]
        assert history.names(person=GUEST, size=9) == []
        with pytest.raises(LoginRequired):
            moderation.create(find("mine"), private=True, by=GUEST)

    def test_create_refuses_a_room_that_exists(self) -> None:
        say()
        owner = people.of_user(User.objects.create_user(username="maker"))
        with pytest.raises(RoomExists):
            moderation.create(ROOM, private=True, by=owner)
        assert (last(), permissions.permission(ROOM, owner).role) == (1, None)

    def test_last_owner_can_not_leave_but_the_site_can_remove_them(self, cast: Cast) -> None:
        owner = cast["owner"]
        for leave in (
            lambda: moderation.remove_member(ROOM, "owner", by=owner),
            lambda: moderation.set_role(ROOM, "owner", Role.MEMBER, by=owner),
        ):
            with pytest.raises(LastOwner):
                leave()
        moderation.set_role(ROOM, "moderator", Role.OWNER, by=owner)
        moderation.remove_member(ROOM, "owner", by=owner)
        moderation.remove_member(ROOM, "moderator", by=None)
        assert not models.RoomMember.objects.filter(role=Role.OWNER).exists()

    def test_room_is_restricted_while_it_is_private_or_has_a_ban(self) -> None:
        owner = Cast(private=False)["owner"]

        def restricted() -> bool:
            return history.heads([ROOM])[ROOM].restricted

        states = [restricted()]
        for change in (
            lambda: moderation.ban(ROOM, GUEST.id, by=owner),
            lambda: moderation.set_private(ROOM, True, by=owner),
            lambda: moderation.unban(ROOM, GUEST.id, by=owner),
            lambda: moderation.set_private(ROOM, False, by=owner),
        ):
            change()
            states.append(restricted())
        assert states == [False, True, True, True, False]

    def test_ban_ends_membership_and_set_role_refuses_banned_people(self, cast: Cast) -> None:
        moderation.ban(ROOM, str(cast["member"] and cast["member"].id), by=cast["owner"])
        assert not models.RoomMember.objects.filter(user__username="member").exists()
        with pytest.raises(NotAllowed):
            moderation.set_role(ROOM, "member", Role.MEMBER, by=cast["owner"])


@pytest.mark.parametrize("name", ["nobody", "", "a\0b"])
def test_set_role_refuses_names_without_an_account(cast: Cast, name: str) -> None:
    with pytest.raises(NoSuchPerson):
        moderation.set_role(ROOM, name, Role.MEMBER, by=cast["owner"])


@pytest.mark.parametrize(
    "person_id",
    [
        "",
        "user-",
        "user-99999999",
        "user-x",
        "user-²",
        "user-٣",
        "user-" + "9" * 30,
        "guest-1",
        "other-bot",
        "a\0b",
        "x" * 999,
    ],
)
def test_ban_refuses_ids_of_nobody(cast: Cast, person_id: str) -> None:
    before = last()
    with pytest.raises(NoSuchPerson):
        moderation.ban(ROOM, person_id, by=cast["owner"])
    assert last() == before


async def test_entering_and_posting_in_an_unrestricted_room_looks_up_no_permission() -> None:
    asked = 0
    check = permissions.by_room

    def count(*args: object) -> object:
        nonlocal asked
        asked += 1
        return check(*args)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(permissions, "by_room", count)
        patch.setattr(permissions, "problems_of", count)
        async with Hub.here().listen([ROOM], {ROOM: 0}, GUEST):
            await posting.post(room=ROOM, message="hi", person=GUEST)
    assert asked == 0


@pytest.mark.parametrize(
    ("do", "role"),
    [
        (lambda cast: moderation.create(find("another"), private=False, by=cast["owner"]), NewRole.OWNER),
        (lambda cast: moderation.create(find("another"), private=True, by=None), None),
        (lambda cast: moderation.set_role(ROOM, OTHER, Role.MEMBER, by=None), NewRole.MEMBER),
        (lambda cast: moderation.set_role(ROOM, "member", Role.MODERATOR, by=None), NewRole.MODERATOR),
        (lambda cast: moderation.set_role(ROOM, "moderator", Role.OWNER, by=None), NewRole.OWNER),
        (lambda cast: moderation.set_role(ROOM, "moderator", Role.MEMBER, by=None), NewRole.MEMBER),
        (lambda cast: moderation.remove_member(ROOM, "moderator", by=None), NewRole.NONE),
        (lambda cast: moderation.ban(ROOM, GUEST.id, by=None), NewRole.NONE),
        (lambda cast: moderation.set_private(ROOM, False, by=None), None),
    ],
)
def test_notice_stores_the_new_role_of_its_subject(
    cast: Cast, do: Callable[[Cast], Event], role: NewRole | None
) -> None:
    event = do(cast)
    assert event.role is role
    kept = history.find(event.room, event.offset or 0)
    assert kept is not None
    assert kept.role is role
