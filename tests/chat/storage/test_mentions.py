"""Mentions in texts: the people who may be called, and the rows that are stored of them."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat import models
from chat.domain import people
from chat.domain.mentions import EVERYBODY, MENTIONS_MAX
from chat.domain.people import Person
from chat.domain.profiles import ProfileChange
from chat.domain.rooms import find
from chat.errors import NotAMember
from chat.models import Role
from chat.storage import edits, log, mentions, moderation, pages, profiles, pruning
from tests.chat.storage.test_moderation import GUEST, ROOM, Cast, say

pytestmark = pytest.mark.django_db
LOBBY = find("lobby")
OTTER = Person(id="guest-00000000000000cc", name="Quiet Otter 42")


def user(name: str) -> Person:
    return people.of_user(User.objects.create_user(username=name))


def names(room, text: str, by: Person) -> list[str]:
    return [person.name for person in mentions.resolve(room, text, by=by)]


def stored() -> list[tuple[int, str, str]]:
    return [*models.Mention.objects.order_by("offset", "person_id").values_list("offset", "person_id", "caller_id")]


class TestResolve:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("@Ann", ["Ann"]),
            ("@ann.", ["Ann"]),
            ("@ANN and @ben", ["Ann", "ben"]),
            ("@ben and @Ann", ["ben", "Ann"]),
            ("@ann @Ann", ["Ann"]),
            ("@nobody", []),
            ("@carl", []),  # themselves
            ('@"quiet otter 42"', ["Quiet Otter 42"]),
            ("@gone", []),  # an account that was switched off
            ("@room", []),
        ],
    )
    def test_resolve_finds_accounts_and_guests_who_spoke_lately(self, text: str, found: list[str]) -> None:
        user("Ann"), user("ben")
        User.objects.create_user(username="gone", is_active=False)
        log.append([log.Draft(room=LOBBY, text="hi", person=OTTER)])
        assert names(LOBBY, text, user("carl")) == found

    def test_resolve_prefers_the_account_that_is_spelled_so(self) -> None:
        capital, small = user("Ann"), user("ann")
        assert mentions.resolve(LOBBY, "@ann", by=GUEST) == [small]
        assert mentions.resolve(LOBBY, "@Ann", by=GUEST) == [capital]

    @pytest.mark.parametrize("text", ["@ann", '@"Ann Hunt"', "@annhunt", '@"ANN  HUNT"', '@ann @"Ann Hunt"'])
    def test_resolve_finds_users_by_username_and_by_display_name(self, text: str) -> None:
        profiles.update(user("ann"), ProfileChange.clean(display_name="Ann Hunt"))
        assert names(LOBBY, text, user("carl")) == ["Ann Hunt"]

    def test_resolve_leaves_out_people_who_may_not_be_in_the_room(self) -> None:
        cast = Cast()
        moderation.ban(ROOM, cast["other 1"].id, by=cast["owner"])
        everybody = '@owner @member @stranger @"other 1"'
        assert names(ROOM, everybody, cast["moderator"]) == ["owner", "member"]

    @pytest.mark.parametrize(
        ("who", "heard"), [("owner", True), ("moderator", True), ("member", False), ("stranger", False)]
    )
    def test_resolve_of_the_room_is_for_owners_and_moderators(self, who: str, heard: bool) -> None:
        cast = Cast(private=False)
        assert (EVERYBODY in mentions.resolve(ROOM, "@room look", by=cast[who])) is heard

    def test_resolve_finds_no_more_than_twenty(self) -> None:
        for number in range(MENTIONS_MAX + 5):
            user(f"n{number}")
        text = " ".join(f"@n{number}" for number in range(MENTIONS_MAX + 5))
        assert len(mentions.resolve(LOBBY, text, by=GUEST)) == MENTIONS_MAX

    @pytest.mark.parametrize(("text", "queries"), [("nobody", 0), ("@a @b @c", 4)])
    def test_resolve_takes_a_constant_number_of_queries(self, text: str, queries: int) -> None:
        for name in "abc":
            user(name)
        with CaptureQueriesContext(connection) as made:
            mentions.resolve(LOBBY, text, by=GUEST)
        assert len(made) <= queries


class TestRows:
    def test_append_stores_whom_messages_mention(self) -> None:
        ann, ben = user("Ann"), user("Ben")
        drafts = [
            log.Draft(room=LOBBY, text="@Ann", person=ben, mentions=(ann,)),
            log.Draft(room=LOBBY, text="plain", person=ben),
            log.Draft(room=LOBBY, text="@Ann @Ben", person=GUEST, mentions=(ann, ben), client_id="c1"),
        ]
        entries = {entry.event.message: entry.event for entry in log.append(drafts)}
        assert entries["@Ann"].mentions == (ann,)
        both, one = entries["@Ann @Ben"].offset, entries["@Ann"].offset
        expected = [(one, ann.id, ben.id), (both, ann.id, GUEST.id), (both, ben.id, GUEST.id)]
        assert sorted(stored()) == sorted(expected)
        page = {event.offset: event.mentions for event in pages.page(LOBBY, person=None, size=3, from_end=True).events}
        assert (page[one], page[both]) == ((ann,), (ann, ben))
        log.append(drafts[2:])  # a retry
        assert len(stored()) == 3

    def test_append_that_is_refused_mentions_nobody(self) -> None:
        cast = Cast()
        log.append([log.Draft(room=ROOM, text="@owner", person=cast["stranger"], mentions=(cast["owner"],))])
        assert stored() == []

    def test_edit_replaces_the_mentions_of_its_message(self) -> None:
        cast = Cast()
        member = cast["member"]
        (entry,) = log.append([log.Draft(room=ROOM, text="@owner", person=member, mentions=(cast["owner"],))])
        offset = entry.event.offset
        edit = edits.edit_message(ROOM, offset, "@moderator", by=member)
        assert edit.mentions == (cast["moderator"],)
        assert stored() == [(offset, cast["moderator"].id, member.id)]
        edits.edit_message(ROOM, offset, "nobody", by=member)
        assert stored() == []

    @pytest.mark.parametrize("how", ["deleted", "pruned"])
    def test_mentions_go_with_their_message(self, how: str) -> None:
        cast = Cast()
        (entry,) = log.append([log.Draft(room=ROOM, text="@owner", person=cast["member"], mentions=(cast["owner"],))])
        say()
        if how == "deleted":
            moderation.delete_message(ROOM, entry.event.offset, by=cast["member"])
        else:
            pruning.prune(keep=1)
        assert stored() == []

    def test_mention_of_a_user_who_left_the_room_stays(self) -> None:
        cast = Cast(private=False)
        moderation.set_role(ROOM, "other 0", Role.MEMBER, by=cast["owner"])
        (entry,) = log.append(
            [log.Draft(room=ROOM, text='@"other 0"', person=cast["member"], mentions=(cast["other 0"],))]
        )
        moderation.remove_member(ROOM, "other 0", by=cast["owner"])
        assert stored() == [(entry.event.offset, cast["other 0"].id, cast["member"].id)]


class TestCandidates:
    @pytest.mark.parametrize("beginning", ["an", "hu", "Ann H", "x7", ""])
    def test_candidates_are_found_by_either_name_and_have_both(self, beginning: str) -> None:
        ann = user("x7")
        log.append([log.Draft(room=LOBBY, text="hi", person=ann)])
        profiles.update(ann, ProfileChange.clean(display_name="Ann Hunt"))
        (found,) = mentions.candidates(LOBBY, beginning, by=GUEST)
        assert (found.name, found.username) == ("Ann Hunt", "x7")

    def test_candidates_take_a_constant_number_of_queries(self) -> None:
        for number in range(5):
            one = user(f"n{number}")
            profiles.update(one, ProfileChange.clean(display_name=f"Name {number}"))
            log.append([log.Draft(room=LOBBY, text="hi", person=one)])
            moderation.set_role(LOBBY, one.username, Role.MEMBER, by=None)
        with CaptureQueriesContext(connection) as made:
            assert len(mentions.candidates(LOBBY, "n", by=GUEST)) == 5
        assert len(made) <= 4

    @pytest.mark.parametrize(
        ("beginning", "found"),
        [
            ("", ["Quiet Otter 42", "member", "moderator", "other 0"]),
            ("m", ["member", "moderator"]),
            ("MO", ["moderator"]),
            ("ott", ["Quiet Otter 42"]),
            ("0", ["other 0"]),
            ("wner", []),
            ("stranger", []),
            ("%", []),
        ],
    )
    def test_candidates_are_those_who_spoke_lately_then_members(self, beginning: str, found: list[str]) -> None:
        cast = Cast(private=False)
        moderation.set_role(ROOM, "other 0", Role.MEMBER, by=cast["owner"])
        say(person=cast["owner"])
        say(person=OTTER)
        assert [person.name for person in mentions.candidates(ROOM, beginning, by=cast["owner"])] == found

    def test_users_who_are_here_are_candidates_after_members_each_once(self) -> None:
        cast = Cast(private=False)
        say(person=cast["member"])
        silent, silent_too = user("mute"), user("Silent Mo")
        here = [cast["member"], OTTER, silent, cast["owner"], silent_too]
        found = mentions.candidates(ROOM, "m", by=cast["owner"], here=here)
        assert [person.name for person in found] == ["member", "moderator", "mute", "Silent Mo"]

    def test_candidates_who_are_here_are_called_as_they_are_now(self) -> None:
        ann = user("ann")
        renamed = Person(id=ann.id, name="Ann before")  # as another process has told
        assert mentions.candidates(LOBBY, "ann", by=GUEST, here=[renamed]) == [ann]

    def test_candidates_are_few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(mentions, "CANDIDATES_MAX", 2)
        assert len(mentions.candidates(ROOM, "", by=Cast()["owner"])) == 2

    @pytest.mark.parametrize("beginning", ["zo", "ZOE", "silv", "rack"])
    def test_candidates_are_found_beyond_the_members_who_are_looked_at(
        self, monkeypatch: pytest.MonkeyPatch, beginning: str
    ) -> None:
        monkeypatch.setattr(mentions, "MEMBERS_MAX", 2)
        cast, zoe = Cast(), user("zoe")
        profiles.update(zoe, ProfileChange.clean(display_name="Track Silver Rack"))
        moderation.set_role(ROOM, "zoe", Role.MEMBER, by=cast["owner"])
        assert [person.id for person in mentions.candidates(ROOM, beginning, by=cast["owner"])] == [zoe.id]

    @pytest.mark.parametrize("beginning", ["\x00", "\ud800", "x" * 100_000, "%", "_", "\\"])
    def test_candidates_of_a_beginning_that_no_name_has_are_none(self, beginning: str) -> None:
        assert mentions.candidates(ROOM, beginning, by=Cast()["owner"]) == []

    def test_candidates_are_refused_to_people_who_may_not_be_there(self) -> None:
        with pytest.raises(NotAMember):
            mentions.candidates(ROOM, "m", by=Cast()["stranger"])

    def test_candidates_of_a_room_that_does_not_exist_are_none(self) -> None:
        assert mentions.candidates(find("never"), "", by=GUEST) == []
