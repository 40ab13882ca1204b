"""Files that messages are posted with: whose they may be, and that only one message has each."""

from uuid import UUID, uuid4

import pytest

from chat import models
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.file_errors import NoSuchFile
from chat.models import AttachmentState
from chat.storage import edits, history, moderation, pages, uploads
from chat.storage.drafts import Draft
from chat.storage.log import Entry, append
from chat.storage.uploads import Upload

pytestmark = pytest.mark.django_db(transaction=True)
ROOM = Room("room1")
ANN = Person("guest-0000000000000001", "Ann")
BOB = Person("guest-0000000000000002", "Bob")


def uploaded(name: str = "a.txt", by: Person = ANN, room: Room = ROOM) -> UUID:
    id = uploads.begin(room, by=by, announced=1)
    uploads.finish(room, id, Upload(name=name, type="text/x", size=1))
    return id


def draft(*files: UUID, text: str = "", person: Person = ANN, **others: object) -> Draft:
    return Draft(room=ROOM, text=text, person=person, files=files, **others)


def names(entry: object) -> list[str]:
    assert isinstance(entry, Entry), entry
    return [attachment.name for attachment in entry.event.attachments]


def test_message_has_its_files_in_the_order_in_which_they_were_named() -> None:
    b, a = uploaded("b"), uploaded("a")
    (entry,) = append([draft(a, b)])
    assert names(entry) == ["a", "b"]
    assert entry.event.text == "a\nb"
    (stored,) = pages.page(ROOM, person=ANN, size=10, from_end=True).events
    assert stored.attachments == entry.event.attachments
    assert stored.message == ""
    assert {row.offset for row in models.Attachment.objects.all()} == {1}


@pytest.mark.parametrize("case", ["other person's", "other room's", "attached", "uploading", "gone", "none"])
def test_file_that_isnt_free_is_refused_and_nothing_is_stored(case: str) -> None:
    id, own = uploaded(), uploaded("own")
    match case:
        case "other person's":
            id = uploaded(by=BOB)
        case "other room's":
            id = uploaded(room=Room("room2"))
        case "attached":
            append([draft(id)])
        case "uploading":
            id = uploads.begin(ROOM, by=ANN, announced=1)
        case "gone":
            uploads.discard(ROOM, id, by=ANN)
        case "none":
            id = uuid4()
    before = models.Message.objects.count()
    (refused,) = append([draft(own, id)])
    assert isinstance(refused, NoSuchFile)
    assert models.Message.objects.count() == before
    (entry,) = append([draft(own)])
    assert names(entry) == ["own"]


def test_of_two_messages_with_the_same_file_one_is_stored_with_it() -> None:
    id = uploaded()
    first, second = append([draft(id, text="first"), draft(id, text="second")])
    assert names(first) == ["a.txt"]
    assert isinstance(second, NoSuchFile)
    assert history.end(ROOM, person=None).offset == 1


def test_retry_is_the_first_message_with_its_files() -> None:
    id = uploaded()
    first, again = append([draft(id, client_id="1"), draft(id, client_id="1")])
    (later,) = append([draft(id, client_id="1")])
    assert names(first) == names(again) == names(later) == ["a.txt"]
    assert again.repeated
    assert later.repeated
    assert models.Message.objects.count() == 1


def test_edit_keeps_the_files() -> None:
    id = uploaded()
    append([draft(id, text="old")])
    edits.edit_message(ROOM, 1, "new", by=ANN)
    message = history.message(ROOM, 1)
    assert (message.message, [one.id for one in message.attachments]) == ("new", [id.hex])


def test_deletion_takes_the_files() -> None:
    id, other = uploaded(), uploaded()
    append([draft(id), draft(other)])
    moderation.delete_message(ROOM, 1, by=ANN)
    assert history.message(ROOM, 1).attachments == ()
    states = dict(models.Attachment.objects.values_list("id", "state"))
    assert states == {id: AttachmentState.GONE, other: AttachmentState.READY}


def test_reply_quotes_the_names_of_files_without_a_text() -> None:
    append([draft(uploaded("photo.jpg"), uploaded("b.txt"))])
    (reply,) = append([Draft(room=ROOM, text="nice", person=BOB, reply_to=1)])
    assert reply.event.reply_to.message == "photo.jpg\nb.txt"
