"""Files that are in a Slack export become attachments; of the others the names stay."""

import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError
from pytest_django import Settings

from chat import models
from chat.domain.files import Preview
from chat.pictures.prepared import PictureProcesses
from chat.storage import file_store, file_usage
from tests.chat.pictures.drawings import PLACE, exif, picture
from tests.chat.storage.transfer.test_slack import entries, run, slack_export

pytestmark = pytest.mark.django_db

FROM_A_PHONE = picture("JPEG", (90, 60), exif=exif())
CONTENT = b"\0\1" * 5_000
MISSING = "files that aren’t in the ZIP file"


def said(*files: object, text: str = "", **more: object) -> dict[str, Any]:
    return {"user": "U1", "ts": "1512085950.000000", "text": text, "files": [*files], **more}


def bring_in(tmp_path: Path, *messages: dict[str, Any], **files: object) -> str:
    """Imports an export of the channel #general with these messages, a second apart, and files."""
    day = [{**message, "ts": f"{1512085950 + number}.000000"} for number, message in enumerate(messages)]
    others = dict.fromkeys(["groups.json", "dms.json", "mpims.json", "general/2017-12-02.json"])
    return run(slack_export(tmp_path / "slack.zip", **{"general/2017-12-01.json": day, **others, **files}))


def contents(offset: int = 1) -> list[tuple[str, str, bytes]]:
    """The name, type and bytes of each file of a message in #general."""
    event = next(event for event in entries("general") if event.offset == offset)
    found = []
    for file in event.attachments:
        with file_store.storage().open(file_store.name_of(UUID(file.id))) as stored:
            content = stored.read()
        assert len(content) == file.size
        found.append((file.name, file.type, content))
    return found


@pytest.mark.parametrize(
    "entry",
    [
        "__uploads/F123/plan.pdf",
        "__uploads/F123/renamed_by_the_exporter",
        "files/F123/F999-plan.pdf",
        "general/attachments/F123-plan.pdf",
        "general/attachments/F123_plan.pdf",
        "F123.pdf",
        "a/b/F123/c/plan.pdf",
        "/etc/F123/plan.pdf",
        "../../F123/plan.pdf",
    ],
)
def test_file_is_found_by_its_id_in_any_folder(tmp_path: Path, entry: str) -> None:
    out = bring_in(tmp_path, said({"id": "F123", "name": "plan.pdf"}), **{entry: b"%PDF", "__uploads/F9/plan.pdf": "9"})
    assert contents() == [("plan.pdf", "application/octet-stream", b"%PDF")]
    assert entries("general")[0].message == ""
    assert "Left out" not in out


def test_types_names_and_sizes_are_not_what_an_export_says(tmp_path: Path) -> None:
    picture = {"id": "F22", "name": "../../etc/a\nb.html", "mimetype": "text/html", "size": 1}
    messages = [said(picture, {"id": "F33", "name": "b.png", "mimetype": "image/png"}, picture, text="look")]
    files = {"files/F22/other": b"other", "files/F22/x": FROM_A_PHONE, "files/F33/b.png": b"<script>"}
    bring_in(tmp_path, *messages, **files)
    assert contents() == [
        ("a b.html", "application/octet-stream", b"other"),
        ("b.png", "application/octet-stream", b"<script>"),
    ]
    assert entries("general")[0].message == "look"


def test_file_of_two_messages_is_two_attachments(tmp_path: Path) -> None:
    plan = {"id": "F22", "name": "a.txt"}
    messages = [said(plan), said(plan, edited={"user": "U1", "ts": "1512085990.000000"})]
    bring_in(tmp_path, *messages, **{"x/F22/a.txt": b"plan"})
    assert contents(1) == contents(2) == [("a.txt", "application/octet-stream", b"plan")]
    assert {row.state for row in models.Attachment.objects.all()} == {"ready"}
    assert models.Attachment.objects.count() == len(entries("general")) == 2
    assert {event.person.id for event in entries("general") if event.person} == {
        row.person_id for row in models.Attachment.objects.all()
    }
    assert file_usage.total() == 2 * len(b"plan")


def test_picture_is_taken_in_as_an_upload_is(tmp_path: Path) -> None:
    bring_in(tmp_path, said({"id": "F22", "name": "a.jpg"}), **{"x/F22/a.jpg": FROM_A_PHONE})
    ((name, type, content),) = contents()
    assert (name, type, PLACE in FROM_A_PHONE, PLACE in content) == ("a.jpg", "image/jpeg", True, False)
    (file,) = entries("general")[0].attachments
    assert file.preview == Preview(90, 60)
    assert file_store.storage().exists(file_store.name_of(UUID(file.id), preview=True))


def test_picture_that_keeps_its_metadata_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PictureProcesses, "command", (sys.executable, "-c", ""))  # which ends and has done nothing
    out = bring_in(tmp_path, said({"id": "F22", "name": "a.jpg"}), **{"x/F22/a.jpg": FROM_A_PHONE})
    assert "Left out: 1 pictures from which it couldn’t be removed what cameras wrote into them.\n" in out
    assert not models.Attachment.objects.exists()


def test_of_several_entries_with_the_id_the_one_of_that_name_is_taken(tmp_path: Path) -> None:
    files = {"files/F22/a_360.txt": "small", "files/F22/a.txt": "whole", "x/F22-a_80.txt": "smaller"}
    bring_in(tmp_path, said({"id": "F22", "name": "a.txt"}), **files)
    assert [content for _, _, content in contents()] == [b"whole"]


def test_files_that_are_not_there_stay_names(tmp_path: Path) -> None:
    missing = [{"id": "F44", "name": "b.txt"}, {"id": ["F22"], "name": "c.txt"}, {"name": "d.txt"}, {"id": "F55"}, 7]
    deleted = said({"id": "F22", "name": "a.txt"}, subtype="tombstone")
    out = bring_in(tmp_path, said({"id": "F22", "name": "a.txt"}, *missing), deleted, **{"F22/a.txt": "a", "F44/": ""})
    assert contents() == [("a.txt", "application/octet-stream", b"a")]
    assert entries("general")[0].message == "📎 b.txt\n📎 c.txt\n📎 d.txt"
    assert f"Left out: 3 {MISSING}: only their names are taken over.\n" in out
    assert models.Attachment.objects.count() == 1


def test_limits_of_uploads_hold(tmp_path: Path, settings: Settings) -> None:
    settings.CHAT_FILE_SIZE, settings.CHAT_FILES_PER_MESSAGE = 10_000, 2
    files = [{"id": f"F{number}", "name": f"{number}.txt"} for number in range(10, 14)]
    bomb = {"files/F10/bomb": bytes(10_001), "files/F11/a": bytes(10_000), "files/F12/a": "2", "files/F13/a": "3"}
    out = bring_in(tmp_path, said(*files), **bomb)
    assert [name for name, _, _ in contents()] == ["11.txt", "12.txt"]
    assert entries("general")[0].message == "📎 10.txt\n📎 13.txt"
    assert "Left out: 1 files of more than 10,000 bytes: only their names" in out
    assert "Left out: 1 files of messages that have more than 2: only their names" in out


def test_archive_can_not_fill_the_disk(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CHAT_FILES_TOTAL = 10_000
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(CommandError, match="no room for more files"):
        bring_in(tmp_path, *[said({"id": "F22", "name": "a"})] * 3, **{"F22/a": bytes(4_000)})
    assert [path.name for path in tmp_path.iterdir()] == ["slack.zip"]
    assert not models.Room.objects.exists()


def with_entry(path: Path, compression: int, spoil: Callable[[bytearray], None]) -> Path:
    """Adds the file F22 to an export with one message that has it, and spoils the archive."""
    slack_export(path, **{"general/2017-12-01.json": [said({"id": "F22", "name": "a.txt"})]})
    with zipfile.ZipFile(path, "a", compression) as archive:
        archive.writestr("files/F22/a", CONTENT)
    content = bytearray(path.read_bytes())
    spoil(content)
    path.write_bytes(content)
    return path


def lie(field: int, value: int) -> Callable[[bytearray], None]:
    """Changes two bytes, of a field that begins there, of the last entry in the directory of a ZIP file."""

    def change(content: bytearray) -> None:
        place = content.rindex(b"PK\x01\x02") + field
        content[place : place + 2] = value.to_bytes(2, "little")

    return change


def damage(content: bytearray) -> None:
    content[content.rindex(b"PK\x03\x04") + 34 + len("files/F22/a")] ^= 0xFF


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("spoil", [lie(8, 1), lie(10, 99), lie(16, 0), lie(20, 5), lie(24, 5), lie(42, 3), damage])
def test_hostile_entries_are_left_out(tmp_path: Path, spoil: Callable[[bytearray], None], compression: int) -> None:
    """They are encrypted, of another compression, sum, size (packed or not) or place than they say, or damaged."""
    out = run(with_entry(tmp_path / "slack.zip", compression, spoil))
    assert "Left out: 1 files that can’t be read: only their names are taken over.\n" in out
    assert entries("general")[0].message == "📎 a.txt"
    assert not models.Attachment.objects.exists()


def test_entry_has_the_size_that_is_unpacked(tmp_path: Path) -> None:
    run(with_entry(tmp_path / "slack.zip", zipfile.ZIP_DEFLATED, lie(24, 65_000)))
    assert contents() == [("a.txt", "application/octet-stream", CONTENT)]


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressions_that_slack_never_uses_are_not_unpacked(tmp_path: Path, compression: int) -> None:
    path = slack_export(tmp_path / "slack.zip", **{"users.json": None})
    with zipfile.ZipFile(path, "a", compression) as archive:
        archive.writestr("users.json", "[]")
    with pytest.raises(CommandError, match=r"users.json can’t be read: It is compressed otherwise"):
        run(path)


def test_broken_off_import_with_files_goes_on_without_doubles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = [said({"id": f"F{number}", "name": "a.txt"}) for number in range(10, 14)]
    files = {f"files/F{number}/a.txt": str(number) for number in range(10, 14)}
    monkeypatch.setattr("chat.storage.transfer.room_import.BATCH_SIZE", 2)
    monkeypatch.setattr("chat.management.progress_bar.ProgressBar.__call__", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bring_in(tmp_path, *messages, **files)
    assert {row.state for row in models.Attachment.objects.all()} == {"uploading"}
    begun = {row.id for row in models.Attachment.objects.all()}
    monkeypatch.undo()
    assert bring_in(tmp_path, *messages, **files).startswith("Imported 2 entries into “general”.\n")
    assert [contents(offset)[0][2] for offset in range(1, 5)] == [b"10", b"11", b"12", b"13"]
    assert begun < {row.id for row in models.Attachment.objects.filter(state="ready")}
    assert (models.Attachment.objects.count(), file_usage.total()) == (4, 8)
    assert bring_in(tmp_path, *messages, **files).startswith("“general” is there already")
    assert (models.Attachment.objects.count(), file_usage.total()) == (4, 8)
