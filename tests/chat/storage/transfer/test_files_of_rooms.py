"""Files leave with their room, and come back with it."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from pytest_django import Settings

from chat import models
from chat.domain.rooms import Room
from chat.file_errors import StorageFull
from chat.storage import edits, file_store, file_usage, history, moderation
from chat.storage.transfer import import_people
from chat.storage.transfer.errors import InvalidExport
from chat.storage.transfer.room_export import export_room
from tests.chat.storage.transfer.conversation import GUEST, ROOM, say
from tests.chat.storage.transfer.test_room_transfer import COPY, bring_in, forget, lines_of, stored

pytestmark = pytest.mark.django_db

PNG = b"\x89PNG\r\n\x1a\n and more"
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 x"


def say_with_file(content: bytes, name: str, *, preview: bool = False) -> UUID:
    row = models.Attachment.objects.create(
        id=uuid4(),
        room_name=ROOM.name,
        person_id=GUEST.id,
        name=name,
        type="image/png" if preview else "application/octet-stream",
        size=len(content),
        state="ready",
        preview_width=3 if preview else None,
        preview_height=2 if preview else None,
        created_at=timezone.now(),
    )
    file_store.storage().save(file_store.name_of(row.id), ContentFile(content))
    if preview:
        file_store.storage().save(file_store.name_of(row.id, preview=True), ContentFile(WEBP))
    file_usage.take(len(content))
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
    text, picture = say_with_file(b"text", "a.txt"), say_with_file(PNG, "ä ö.png", preview=True)
    gone = say_with_file(b"gone", "gone.txt")
    moderation.delete_message(ROOM, 3, by=None)
    for words in ("words", ""):
        edits.edit_message(ROOM, 1, words, by=GUEST)
    before, files = stored(), [file for file in files_of() if file[0] != gone]
    export_room(ROOM, tmp_path / "1")
    assert {path.name for path in (tmp_path / "1/files").iterdir()} == {text.hex, picture.hex, f"{picture.hex}.preview"}
    lose(text, picture, gone)
    bring_in(tmp_path / "1")
    assert stored() == before
    assert files_of() == files
    assert (read(text), read(picture), read(picture, preview=True)) == (b"text", PNG, WEBP)
    assert file_usage.total() == len(PNG) + len(b"text")
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


def test_broken_off_import_of_files_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [say_with_file(b"%d" % number, "a.txt") for number in range(4)]
    export_room(ROOM, tmp_path)
    before, files = stored(), files_of()
    lose(*ids)
    monkeypatch.setattr("chat.storage.transfer.room_import.BATCH_SIZE", 2)
    monkeypatch.setattr("chat.storage.transfer.replay.Replay.store", lambda *_: 1 / 0)
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
        (change(preview=7), "“preview”"),
        (change(preview={"width": 0, "height": 1}), "“width”"),
        (change(preview={"width": 1, "height": 1, "sha256": "x"}), "preview is missing or damaged"),
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


def test_preview_that_is_none_is_refused(tmp_path: Path) -> None:
    id = say_with_file(PNG, "a.png", preview=True)
    export_room(ROOM, tmp_path)
    lose(id)
    lines = lines_of(tmp_path)
    (tmp_path / f"files/{id.hex}.preview").write_bytes(b"<svg>")
    lines[1]["files"][0]["preview"]["sha256"] = sha256(b"<svg>").hexdigest()
    (tmp_path / "room.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(InvalidExport, match="is no preview"):
        bring_in(tmp_path)
