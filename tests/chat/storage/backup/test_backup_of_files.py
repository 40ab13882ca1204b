"""Backups have the files that their databases name."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.utils import timezone

from chat import models
from chat.storage import file_store, link_pictures
from chat.storage.backup import checking, making, manifest, restoring
from chat.storage.backup.errors import BackupError
from tests.chat.storage.transfer.conversation import GUEST, say

pytestmark = pytest.mark.django_db(transaction=True)


def keep_file(content: bytes, *, preview: bool = False, state: str = "ready") -> UUID:
    row = models.Attachment.objects.create(
        id=uuid4(),
        room_name="room1",
        person_id="user-1",
        name="a.txt",
        type="text/plain",
        size=len(content),
        state=state,
        preview_width=10 if preview else None,
        created_at=timezone.now(),
    )
    for name in [file_store.name_of(row.id), *([file_store.name_of(row.id, preview=True)] if preview else [])]:
        file_store.storage().save(name, ContentFile(content))
    return row.id


def test_avatars_and_pictures_of_linked_pages_are_backed_up(tmp_path: Path) -> None:
    avatar, picture = uuid4(), uuid4()
    models.Profile.objects.create(user_id=User.objects.create_user("ann").pk, avatar=avatar.hex)
    models.LinkPreview.objects.create(key="x", picture_id=picture, picture_width=1, used_at=timezone.now())
    models.LinkPreview.objects.create(key="y", used_at=timezone.now())
    names = [file_store.name_of(avatar), link_pictures.name_of(picture)]
    for name in names:
        file_store.storage().save(name, ContentFile(b"picture"))
    made = making.make(tmp_path)
    assert sorted(file.name for file in manifest.listed_files(made.folder)) == sorted(names)


def content_of(id: UUID, *, preview: bool = False) -> bytes:
    with file_store.storage().open(file_store.name_of(id, preview=preview)) as file:
        return file.read()


def test_files_are_backed_up_and_restored(tmp_path: Path) -> None:
    one, two = keep_file(b"one"), keep_file(b"two", preview=True)
    keep_file(b"on its way", state="uploading")
    made = making.make(tmp_path)
    assert (made.manifest.files, made.manifest.missing) == (3, [])
    file_store.delete(one)
    file_store.delete(two)
    file_store.storage().save(file_store.name_of(two), ContentFile(b"t"))  # a half
    assert restoring.restore(made.folder, replace=True).files == 3
    assert (content_of(one), content_of(two), content_of(two, preview=True)) == (b"one", b"two", b"two")
    assert restoring.restore(made.folder, replace=True).files == 0


def test_files_are_copied_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = keep_file(b"one")
    monkeypatch.setattr(manifest, "new_name", lambda: "20260101T000000Z")
    making.make(tmp_path)
    copy = tmp_path / "files" / file_store.name_of(one)
    assert copy.stat().st_nlink == 2  # on the same file system it takes no space
    keep_file(b"two")
    monkeypatch.setattr(manifest, "new_name", lambda: "20260102T000000Z")
    copied = copy.stat()
    assert making.make(tmp_path).manifest.files == 2
    assert copy.stat() == copied


def test_file_that_was_deleted_meanwhile_is_listed_as_missing(tmp_path: Path) -> None:
    one, two = keep_file(b"one"), keep_file(b"two")
    file_store.delete(two)
    made = making.make(tmp_path)
    assert (made.manifest.files, made.manifest.missing) == (1, [file_store.name_of(two)])
    checking.check(made.folder)
    assert content_of(one) == b"one"


@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(b"0ne"), lambda path: path.unlink()])
def test_file_that_is_not_what_it_was_is_noticed(tmp_path: Path, spoil) -> None:
    one = keep_file(b"one")
    made = making.make(tmp_path)
    copy = tmp_path / "files" / file_store.name_of(one)
    content = copy.read_bytes()
    copy.unlink()
    copy.write_bytes(content)
    spoil(copy)
    with pytest.raises(BackupError, match="Files are missing or damaged"):
        checking.check(made.folder)


def test_files_of_dropped_backups_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = keep_file(b"one"), keep_file(b"two")
    say("hello", GUEST)
    monkeypatch.setattr(manifest, "new_name", lambda: "20260101T000000Z")
    making.make(tmp_path, keep=1)
    models.Attachment.objects.filter(id=one).delete()
    monkeypatch.setattr(manifest, "new_name", lambda: "20260102T000000Z")
    assert making.make(tmp_path, keep=1).dropped == 1
    left = [path.name for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert left == [two.hex]
