"""Uploads and the room that they take, whichever processes and threads are at it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from chat import models
from chat.domain.files import Preview
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import ChatError
from chat.file_errors import DailyFilesExceeded, NoSuchFile, StorageFull
from chat.models import AttachmentState
from chat.storage import file_cleaning, file_usage, uploads
from chat.storage.drafts import Draft
from chat.storage.log import append
from chat.storage.uploads import Upload

pytestmark = pytest.mark.django_db(transaction=True)
ROOM = Room("room1")
ANN = Person("guest-0000000000000001", "Ann")
BOB = Person("guest-0000000000000002", "Bob")


def uploaded(size: int = 10, by: Person = ANN) -> UUID:
    id = uploads.begin(ROOM, by=by, announced=size)
    uploads.finish(ROOM, id, Upload(name="a.txt", type="text/x", size=size))
    return id


def used() -> dict[str, int]:
    """The bytes that are counted: of the site, and of each person today."""
    rows = models.FileUsage.objects.values_list("key", "bytes")
    return {key.rpartition(" ")[2]: size for key, size in rows}


def test_finished_upload_is_what_was_found_of_it() -> None:
    id = uploads.begin(ROOM, by=ANN, announced=100)
    uploads.check_fits(ROOM, id, 80)
    found = Upload(name="a.png", type="image/png", size=70, preview=Preview(4, 3))
    attachment = uploads.finish(ROOM, id, found)
    assert (attachment.id, attachment.name, attachment.size) == (id.hex, "a.png", 70)
    assert attachment.preview == Preview(4, 3)
    assert used() == {"site": 70, ANN.id: 70}


def test_upload_that_is_given_up_counts_until_its_bytes_are_gone_and_not_for_its_person() -> None:
    id = uploads.begin(ROOM, by=ANN, announced=100)
    uploads.give_up(ROOM, id)
    uploads.give_up(ROOM, id)
    assert used() == {"site": 100, ANN.id: 0}
    assert file_cleaning.gone() == [(ROOM, [id])]
    assert file_cleaning.forget(ROOM, [id]) == 1
    assert file_cleaning.forget(ROOM, [id]) == 0
    assert used() == {"site": 0, ANN.id: 0}
    with pytest.raises(NoSuchFile):
        uploads.check_fits(ROOM, id, 1)
    with pytest.raises(NoSuchFile):
        uploads.finish(ROOM, id, Upload(name="a", type="x", size=1))


def test_what_is_deleted_still_counts_for_its_uploader_s_day() -> None:
    id = uploaded(60)
    uploads.discard(ROOM, id, by=ANN)
    file_cleaning.forget(ROOM, [id])
    assert used() == {"site": 0, ANN.id: 60}


def test_only_the_uploader_takes_back_a_file_that_no_message_has() -> None:
    id = uploaded()
    with pytest.raises(NoSuchFile):
        uploads.discard(ROOM, id, by=BOB)
    with pytest.raises(NoSuchFile):
        uploads.discard(Room("room2"), id, by=ANN)
    uploads.discard(ROOM, id, by=ANN)
    with pytest.raises(NoSuchFile):
        uploads.discard(ROOM, id, by=ANN)


@pytest.mark.parametrize(
    ("setting", "error"), [("CHAT_FILES_PER_DAY", DailyFilesExceeded), ("CHAT_FILES_TOTAL", StorageFull)]
)
def test_limit_holds_at_each_step_to_the_byte(settings: Settings, setting: str, error: type[ChatError]) -> None:
    setattr(settings, setting, 100)
    with pytest.raises(error):
        uploads.begin(ROOM, by=ANN, announced=101)
    id = uploads.begin(ROOM, by=ANN, announced=0)
    uploads.check_fits(ROOM, id, 100)
    with pytest.raises(error):
        uploads.check_fits(ROOM, id, 101)
    with pytest.raises(error):
        uploads.begin(ROOM, by=ANN, announced=1)
    uploads.check_fits(ROOM, id, 40)
    assert used() == {"site": 40, ANN.id: 40}


@pytest.mark.parametrize("setting", ["CHAT_FILES_PER_DAY", "CHAT_FILES_TOTAL"])
def test_limit_holds_for_uploads_that_begin_at_once(settings: Settings, setting: str) -> None:
    setattr(settings, setting, 100)
    people = [ANN] * 8 if setting == "CHAT_FILES_PER_DAY" else [Person(f"guest-{n:016x}", "x") for n in range(8)]
    barrier = threading.Barrier(8)

    def begin(person: Person) -> bool:
        barrier.wait()
        try:
            uploads.begin(ROOM, by=person, announced=30)
        except (DailyFilesExceeded, StorageFull):
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        begun = list(threads.map(begin, people))
    assert begun.count(True) == 3
    assert used()["site"] == 90
    assert models.Attachment.objects.count() == 3


def test_days_are_counted_by_themselves_and_forgotten() -> None:
    uploaded(10)
    models.FileUsage.objects.exclude(key="site").update(key=f"2020-01-31 {ANN.id}")
    id = uploaded(20)
    assert models.FileUsage.objects.count() == 3
    uploads.discard(ROOM, id, by=ANN)
    file_cleaning.forget(ROOM, [id])
    assert models.FileUsage.objects.filter(key__startswith="2020").count() == 0
    assert file_usage.total() == 10


def age(**how: object) -> UUID:
    return models.Attachment.objects.create(
        id=uuid4(),
        room_name="room1",
        person_id=ANN.id,
        type="",
        size=1,
        created_at=timezone.now() - timedelta(hours=25),
        **how,
    ).id


def test_cleaning_finds_what_processes_that_died_have_left() -> None:
    uploading, ready = age(), age(state=AttachmentState.READY)
    age(state=AttachmentState.READY, offset=1)
    uploaded()
    ((room, ids),) = file_cleaning.unattached()
    assert (room, set(ids)) == (ROOM, {uploading, ready})
    file_cleaning.give_up(room, ids)
    assert file_cleaning.unattached() == []
    assert {id for _, some in file_cleaning.gone() for id in some} == {uploading, ready}


def test_file_that_a_message_has_just_got_is_not_given_up() -> None:
    id = uploaded()
    append([Draft(room=ROOM, text="", person=ANN, files=(id,))])
    file_cleaning.give_up(ROOM, [id])
    assert models.Attachment.objects.get(id=id).state == AttachmentState.READY
