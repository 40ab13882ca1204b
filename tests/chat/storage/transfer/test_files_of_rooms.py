"""Files leave with their room, and come back with it."""

import json
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from chat import models
from chat.actions.importing import take_in
from chat.domain.files import Preview
from chat.domain.rooms import Room
from chat.file_errors import StorageFull
from chat.pictures.prepared import PictureProcesses
from chat.storage import edits, file_store, file_usage, history, moderation
from chat.storage.transfer import import_people
from chat.storage.transfer.errors import InvalidExport
from chat.storage.transfer.room_export import export_room
from tests.chat.pictures.drawings import PLACE, exif, picture, png
from tests.chat.storage.transfer.conversation import GUEST, ROOM, say
from tests.chat.storage.transfer.test_room_transfer import COPY, bring_in, forget, lines_of, stored

pytestmark = pytest.mark.django_db

FROM_A_PHONE = picture("JPEG", (90, 60), exif=exif())


def say_with_file(content: bytes, name: str) -> UUID:
    """Says a file, which was uploaded and is as that leaves it. Returns its id."""
    path = file_store.new_incoming()
    path.write(content)
    path.close()
    upload = take_in(Path(path.name), name)
    assert upload is not None
    row = models.Attachment.objects.create(
        id=uuid4(),
        room_name=ROOM.name,
        person_id=GUEST.id,
        name=name,
        type=upload.type,
        size=upload.size,
        state="ready",
        preview_width=upload.preview and upload.preview.width,
        preview_height=upload.preview and upload.preview.height,
        created_at=timezone.now(),
    )
    file_store.save_upload(Path(path.name), upload.preview_content, row.id)
    file_usage.take(upload.size)
    say("", GUEST, files=(row.id,))
    return row.id


def files_of(room: Room = ROOM) -> list[tuple[Any, ...]]:
    rows = models.Attachment.objects.filter(room__name=room.name).order_by("offset")
    columns = ("id", "room_name", "offset", "person_id", "name", "type", "size", "preview_width", "state")
    return list(rows.values_list(*columns))


def lose(*ids: UUID) -> None:
    """The room is deleted, and its files are."""
    forget()
    for id in ids:
        file_store.delete(id)
    models.Attachment.objects.filter(id__in=ids).delete()
    models.FileUsage.objects.all().delete()


def read(id: UUID, *, preview: bool = False) -> bytes:
    with file_store.storage().open(file_store.name_of(id, preview=preview)) as file:
        return file.read()


def test_export_import_export_with_files_is_equal(tmp_path: Path) -> None:
    text, picture = say_with_file(b"text", "a.txt"), say_with_file(FROM_A_PHONE, "ä ö.jpg")
    gone = say_with_file(b"gone", "gone.txt")
    moderation.delete_message(ROOM, 3, by=None)
    for words in ("words", ""):
        edits.edit_message(ROOM, 1, words, by=GUEST)
    before, files = stored(), [file for file in files_of() if file[0] != gone]
    contents = read(picture), read(picture, preview=True)
    export_room(ROOM, tmp_path / "1")
    assert {path.name for path in (tmp_path / "1/files").iterdir()} == {text.hex, picture.hex, f"{picture.hex}.preview"}
    lose(text, picture, gone)
    bring_in(tmp_path / "1")
    assert stored() == before
    assert files_of() == files
    assert (read(text), read(picture), read(picture, preview=True)) == (b"text", *contents)
    assert file_usage.total() == len(contents[0]) + len(b"text")
    export_room(ROOM, tmp_path / "2")
    assert (tmp_path / "1/room.jsonl").read_bytes() == (tmp_path / "2/room.jsonl").read_bytes()


def test_copy_beside_the_original_has_files_of_its_own(tmp_path: Path) -> None:
    id = say_with_file(b"text", "a.txt")
    export_room(ROOM, tmp_path)
    bring_in(tmp_path, COPY, import_people.foreign_people)
    ((copy, room_name, _, person_id, *_),) = files_of(COPY)
    assert (copy != id, room_name, person_id[:7]) == (True, COPY.name, "import-")
    assert [one.id for one in history.find(COPY, 1).attachments] == [copy.hex]
    file_store.delete(id)
    assert read(copy) == b"text"


def test_file_whose_bytes_are_gone_is_left_out(tmp_path: Path) -> None:
    id = say_with_file(b"text", "a.txt")
    file_store.delete(id)
    export_room(ROOM, tmp_path)
    assert lines_of(tmp_path)[1]["files"][0]["path"] is None
    lose(id)
    bring_in(tmp_path)
    assert history.find(ROOM, 1).attachments == ()


@pytest.mark.parametrize("step", ["replay.Replay.store", "file_import._finish_row"])
def test_broken_off_import_of_files_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    ids = [say_with_file(b"%d" % number, "a.txt") for number in range(4)]
    export_room(ROOM, tmp_path)
    before, files = stored(), files_of()
    lose(*ids)
    monkeypatch.setattr("chat.storage.transfer.room_import.BATCH_SIZE", 2)
    monkeypatch.setattr(f"chat.storage.transfer.{step}", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bring_in(tmp_path)
    assert {file[-1] for file in files_of(Room(models.Room.objects.get().name))} == {"uploading"}
    monkeypatch.undo()
    bring_in(tmp_path)
    assert (stored(), files_of(), file_usage.total()) == (before, files, 4)


def test_import_heeds_the_limit_of_the_site(tmp_path: Path, settings: Settings) -> None:
    id = say_with_file(b"text", "a.txt")
    export_room(ROOM, tmp_path)
    lose(id)
    settings.CHAT_FILES_TOTAL = 3
    with pytest.raises(StorageFull):
        bring_in(tmp_path)
    assert not models.Room.objects.filter(name=ROOM.name).exists()


def change(**fields: object) -> Callable[[dict[str, Any], Path], None]:
    return lambda file, path: file.update(fields)


def link(file: dict[str, Any], path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (change(id="../../etc/passwd"), "32 hexadecimal digits"),
        (change(id=""), "32 hexadecimal digits"),
        (change(id=None), "“id”"),
        (change(sha256="0" * 64), "is missing or damaged"),
        (change(size=3), "of another size"),
        (change(size=-1), "“size”"),
        (change(name=7), "“name”"),
        (lambda file, path: path.unlink(), "is missing or damaged"),
        (lambda file, path: path.write_bytes(b"other"), "is missing or damaged"),
        (link, "is missing or damaged"),
    ],
)
def test_hostile_files_are_refused(tmp_path: Path, spoil: Callable[[dict[str, Any], Path], None], problem: str) -> None:
    id = say_with_file(b"text", "a.txt")
    export_room(ROOM, tmp_path)
    lose(id)
    lines = lines_of(tmp_path)
    spoil(lines[1]["files"][0], tmp_path / "files" / id.hex)
    (tmp_path / "room.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(InvalidExport, match=f"line 2: .*{problem}"):
        bring_in(tmp_path)
    assert not models.Room.objects.exists()
    assert not models.Attachment.objects.exists()


def test_types_and_names_are_not_what_an_export_says(tmp_path: Path) -> None:
    id = say_with_file(b"<script>alert(1)</script>", "a.txt")
    export_room(ROOM, tmp_path)
    lose(id)
    lines = lines_of(tmp_path)
    lines[1]["files"][0].update(type="text/html", name="../../x\r\n.html", path="/etc/passwd")
    (tmp_path / "room.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    bring_in(tmp_path)
    (file,) = history.find(ROOM, 1).attachments
    assert (file.type, file.name) == ("application/octet-stream", "x .html")


def put_in(directory: Path, content: bytes, name: str, **more: object) -> None:
    """Puts another file in the place of the first one of an export."""
    lines = lines_of(directory)
    file = lines[1]["files"][0]
    (directory / "files" / file["id"]).write_bytes(content)
    file.update(name=name, size=len(content), sha256=sha256(content).hexdigest(), **more)
    (directory / "room.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """The directory of an export with one file; the room is gone."""
    id = say_with_file(b"text", "a.txt")
    export_room(ROOM, tmp_path)
    lose(id)
    return tmp_path


def test_picture_from_elsewhere_is_taken_in_as_an_upload_is(exported: Path) -> None:
    """It tells no more where it was taken, and has a preview of our own, whatever the export has."""
    preview = {"width": 1, "height": 1, "path": "files/x.preview", "sha256": "0" * 64}
    put_in(exported, FROM_A_PHONE, "a.jpg", type="image/png", preview=preview)
    assert bring_in(exported).refused_files == []
    (file,) = history.find(ROOM, 1).attachments
    content = read(UUID(file.id))
    assert PLACE in FROM_A_PHONE
    assert PLACE not in content
    assert (file.type, file.size, file.preview) == ("image/jpeg", len(content), Preview(90, 60))
    assert read(UUID(file.id), preview=True).startswith(b"RIFF")
    assert file_usage.total() == len(content)
    assert (exported / "files" / file.id).read_bytes() == FROM_A_PHONE  # the export stays as it was


def test_picture_that_is_none_is_a_download(exported: Path) -> None:
    put_in(exported, png(30_000, 30_000), "bomb.png")
    assert bring_in(exported).refused_files == []
    (file,) = history.find(ROOM, 1).attachments
    assert (file.type, file.preview) == ("application/octet-stream", None)


def test_picture_that_keeps_its_metadata_is_left_out(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_in(exported, FROM_A_PHONE, "a.jpg")
    monkeypatch.setattr(PictureProcesses, "command", (sys.executable, "-c", ""))  # which ends and has done nothing
    assert bring_in(exported).refused_files == ["a.jpg"]
    assert history.find(ROOM, 1).attachments == ()
    assert not models.Attachment.objects.exists()
    assert file_usage.total() == 0
    assert list(file_store.incoming_folder().glob("incoming-*")) == []
