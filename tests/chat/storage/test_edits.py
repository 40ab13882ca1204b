"""Edits on a real database: whose they are, what they leave, and what becomes of earlier texts."""

import threading

import pytest
from django.db import connection
from django.db.models import TextField
from django.db.models.functions import Cast as CastTo

from chat import models
from chat.domain.events import Kind
from chat.domain.files import Attachment
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.errors import Banned, BlankMessage, ChatError, NoSuchMessage, NotAllowed, NotAMember
from chat.storage import edits, log, moderation, pages, pruning
from tests.chat.storage.test_moderation import PASSER_BY, ROOM, Cast, last, say
from tests.recovering import recover

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return Cast()


def texts(cast: Cast, offset: int) -> list[str]:
    return [version.text for version in edits.versions(ROOM, offset, by=cast["owner"])]


class TestEditMessage:
    def test_edit_message_changes_the_row_and_appends_an_entry_with_the_new_text(self, cast: Cast) -> None:
        member = cast["member"]
        offset = say("old", member)
        edit = edits.edit_message(ROOM, offset, "new", by=member)
        (message,) = pages.page(ROOM, person=None, size=1, from_end=True).events
        assert (message.offset, message.message, message.edited_at) == (offset, "new", edit.sent_at)
        assert (edit.kind, edit.offset, edit.target, edit.message) == (Kind.EDIT, offset + 1, offset, "new")
        assert edit.person == member
        assert recover(ROOM, Position(offset - 1), person=None).events == [message, edit]

    def test_edit_message_with_the_same_text_takes_no_offset(self, cast: Cast) -> None:
        offset = say("same", cast["member"])
        assert edits.edit_message(ROOM, offset, "same", by=cast["member"]) is None
        assert last() == offset

    @pytest.mark.parametrize("who", ["owner", "moderator", "other 0"])
    def test_edit_message_is_refused_to_all_but_its_author(self, cast: Cast, who: str) -> None:
        offset = say("mine", cast["member"])
        moderation.set_role(ROOM, "other 0", models.Role.MEMBER, by=cast["owner"])
        with pytest.raises(NotAllowed):
            edits.edit_message(ROOM, offset, "yours", by=cast[who])

    def test_edit_message_is_refused_to_an_author_who_may_not_be_there_any_more(self, cast: Cast) -> None:
        member = cast["member"]
        offset = say("mine", member)
        moderation.remove_member(ROOM, "member", by=cast["owner"])
        with pytest.raises(NotAMember):
            edits.edit_message(ROOM, offset, "late", by=member)
        moderation.ban(ROOM, member.id, by=cast["owner"])
        with pytest.raises(Banned):
            edits.edit_message(ROOM, offset, "late", by=member)

    @pytest.mark.parametrize("target", ["notice", "edit", "deletion", "deleted", "beyond", "0"])
    def test_edit_message_is_refused_for_offsets_of_no_message(self, cast: Cast, target: str) -> None:
        member = cast["member"]
        offset, deleted = say("mine", member), say("gone", member)
        edit = edits.edit_message(ROOM, offset, "new", by=member)
        deletion = moderation.delete_message(ROOM, deleted, by=member)
        of = {"notice": 1, "edit": edit.offset, "deletion": deletion.offset, "deleted": deleted, "beyond": 99, "0": 0}
        before = last()
        with pytest.raises(NoSuchMessage):
            edits.edit_message(ROOM, of[target], "newer", by=member)
        assert last() == before

    def test_retry_of_an_edited_message_returns_it_as_it_is_now(self, cast: Cast) -> None:
        draft = log.Draft(room=ROOM, text="old", person=cast["member"], client_id="c1")
        (first,) = log.append([draft])
        edits.edit_message(ROOM, first.event.offset, "new", by=cast["member"])
        (again,) = log.append([draft])
        assert (again.repeated, again.event.offset, again.event.message) == (True, first.event.offset, "new")
        assert again.event.edited_at is not None


@pytest.mark.django_db(transaction=True)
def test_edits_at_the_same_time_leave_the_text_of_the_later_entry() -> None:
    cast = Cast()
    member = cast["member"]
    offset = say("old", member)

    def edit_often(name: str) -> None:
        for number in range(10):
            edits.edit_message(ROOM, offset, f"{name} {number}", by=member)
        connection.close()

    editors = [threading.Thread(target=edit_often, args=(name,)) for name in ("one", "two")]
    for editor in editors:
        editor.start()
    for editor in editors:
        editor.join()
    message, *entries = recover(ROOM, Position(offset - 1), person=None).events
    assert [entry.offset for entry in entries] == [*range(offset + 1, offset + 21)]
    assert message.message == entries[-1].message
    assert texts(cast, offset) == ["old", *(entry.message for entry in entries)]


class TestFiles:
    """Of messages from which an edit takes the text."""

    @pytest.fixture
    def offset(self, cast: Cast) -> int:
        offset = say("words", cast["member"])
        file = Attachment("0" * 32, "secret.txt", "text/x", 1)
        models.Message.objects.filter(offset=offset).update(attachments=[file.as_json()])
        return offset

    def test_edit_to_an_empty_text_has_the_files_and_their_names_as_text(self, cast: Cast, offset: int) -> None:
        edit = edits.edit_message(ROOM, offset, "", by=cast["member"])
        assert (edit.message, edit.text, [one.name for one in edit.attachments]) == ("", "secret.txt", ["secret.txt"])
        assert texts(cast, offset) == ["words", ""]
        assert edits.edit_message(ROOM, offset, "", by=cast["member"]) is None
        again = edits.edit_message(ROOM, offset, "words", by=cast["member"])
        assert (again.message, again.attachments) == ("words", ())

    def test_message_without_files_keeps_a_text(self, cast: Cast) -> None:
        with pytest.raises(BlankMessage):
            edits.edit_message(ROOM, say("words", cast["member"]), "", by=cast["member"])

    def test_nothing_is_left_of_them_in_recovery_whoever_deletes_the_message(self, cast: Cast, offset: int) -> None:
        edits.edit_message(ROOM, offset, "", by=cast["member"])
        # As an instance of the release before does it, which knows no edits.
        models.Message.objects.filter(offset=offset).update(text="", deletion=offset + 1)
        recovered = recover(ROOM, Position(offset - 1), person=None).events
        assert [(event.kind, event.text, event.attachments) for event in recovered] == [
            (Kind.MESSAGE, "", ()),
            (Kind.EDIT, "", ()),
        ]


class TestVersions:
    def test_versions_are_all_texts_in_their_order(self, cast: Cast) -> None:
        member = cast["member"]
        offset = say("first", member)
        assert texts(cast, offset) == ["first"]
        other = say("another", member)
        for text in ("second", "first", "third"):
            edits.edit_message(ROOM, offset, text, by=member)
            edits.edit_message(ROOM, other, text, by=member)
        assert texts(cast, offset) == ["first", "second", "first", "third"]

    def test_versions_end_with_the_last_hundred(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(edits, "VERSIONS_MAX", 2)
        offset = say("1", cast["member"])
        for text in "23":
            edits.edit_message(ROOM, offset, text, by=cast["member"])
        assert texts(cast, offset) == ["2", "3"]

    @pytest.mark.parametrize(
        ("who", "error"),
        [("member", NotAllowed), ("moderator", NotAllowed), ("stranger", NotAMember), ("guest", NotAMember)],
    )
    def test_versions_are_refused_to_all_but_owners(self, cast: Cast, who: str, error: type[ChatError]) -> None:
        offset = say("first", cast["member"])
        with pytest.raises(error):
            edits.versions(ROOM, offset, by=cast[who])

    def test_versions_go_with_the_message(self, cast: Cast) -> None:
        member = cast["member"]
        offset = say("a secret", member)
        edits.edit_message(ROOM, offset, "another secret", by=member)
        edits.edit_message(ROOM, offset, "harmless", by=member)
        moderation.delete_message(ROOM, offset, by=member)
        with pytest.raises(NoSuchMessage):
            edits.versions(ROOM, offset, by=cast["owner"])
        columns = [field.name for field in models.Message._meta.concrete_fields]
        rows = models.Message.objects.annotate(**{f"{name}_": CastTo(name, TextField()) for name in columns})
        assert not [row for row in rows.values() if "secret" in str(row)]
        recovered = recover(ROOM, Position(offset - 1), person=None).events
        assert [(event.kind, event.deleted, event.message) for event in recovered[:3]] == [
            (Kind.MESSAGE, True, ""),
            (Kind.EDIT, True, ""),
            (Kind.EDIT, True, ""),
        ]

    def test_versions_of_a_pruned_message_are_gone(self, cast: Cast) -> None:
        offset = say("first", cast["member"])
        edits.edit_message(ROOM, offset, "second", by=cast["member"])
        pruning.prune(keep=1)
        with pytest.raises(NoSuchMessage):
            edits.versions(ROOM, offset, by=cast["owner"])


def test_edit_of_a_guest_without_a_session_is_refused_on_another_connection() -> None:
    offset = say("mine", PASSER_BY)
    another = Person(id="guest-00000000000000ff", name=PASSER_BY.name, lasting=False)
    with pytest.raises(NotAllowed):
        edits.edit_message(ROOM, offset, "new", by=another)
