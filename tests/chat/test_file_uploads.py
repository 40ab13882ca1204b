"""The door for uploads: hostile bodies, limits, and people who may not upload."""

import asyncio
import io
import sys
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as site
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from chat import models
from chat.actions.moderation import carry_out
from chat.actions.uploading import FORM_BYTES
from chat.domain.rooms import Room
from chat.storage import file_usage, moderation, posting_limits
from tests.test_private_rooms import Visitor, guest, user
from tests.uploads import CONTENT_TYPE, TOKEN, ask, clean_up, form, part, picture, upload, upload_form

pytestmark = pytest.mark.django_db(transaction=True)
ROOM = Room("room1")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    """The folder of the files, of this test alone."""
    settings.CHAT_FILES_DIR = tmp_path
    options = {"location": tmp_path}
    settings.STORAGES = {**site.STORAGES, "chat_files": {**site.STORAGES["chat_files"], "OPTIONS": options}}
    return tmp_path


@pytest.fixture
async def ann() -> Visitor:
    return await guest()


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def nothing_is_left(folder: Path) -> bool:
    """Whether neither bytes nor rows nor used room are left of the uploads so far."""
    used = [used async for used in models.FileUsage.objects.values_list("bytes", flat=True)]
    return not files_in(folder) and not await models.Attachment.objects.aexists() and not any(used)


async def until_nothing_is_left(folder: Path) -> None:
    async with asyncio.timeout(5):
        while not await nothing_is_left(folder):
            await asyncio.sleep(0.01)


FILE = part(b"content")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", CONTENT_TYPE),
        (b"content", CONTENT_TYPE),
        (form(), CONTENT_TYPE),
        (form(part(b"content", field=b"files")), CONTENT_TYPE),
        (form(FILE, FILE), CONTENT_TYPE),
        (form(FILE, part(b"other", field=b"other"), FILE), CONTENT_TYPE),
        (form(*(part(b"x", field=b"other") for _ in range(11)), FILE), CONTENT_TYPE),
        (form(part(b"x" * 5_000, field=b"other"), FILE), CONTENT_TYPE),
        (FILE, CONTENT_TYPE),
        (FILE[:40], CONTENT_TYPE),
        (form(FILE)[:-6], CONTENT_TYPE),
        (form(FILE) + b"x" * 5_000, CONTENT_TYPE),
        (form(FILE).replace(b"form-data", b"attachment"), CONTENT_TYPE),
        (form(FILE).replace(b"\r\n", b"\n"), CONTENT_TYPE),
        (form(FILE).replace(b"Content-Type", b"Content-Length: 3\r\nContent-Type"), CONTENT_TYPE),
        (form(FILE).replace(b"a.txt", b"\xff\xfe"), CONTENT_TYPE),
        (form(FILE).replace(b"Content-Type: text/html", b"X: " + b"x" * 9_000), CONTENT_TYPE),
        (form(FILE), "multipart/form-data"),
        (form(FILE), "multipart/form-data; boundary="),
        (form(FILE), "multipart/form-data; boundary=other"),
        (form(FILE), "multipart/mixed; boundary=a-boundary"),
        (b"file=content", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b"content", ""),
    ],
)
async def test_body_that_is_no_form_with_one_file_is_refused_and_leaves_nothing(
    ann: Visitor, folder: Path, body: bytes, content_type: str
) -> None:
    answer = await upload_form(ann, "room1", body, content_type=content_type)
    assert (answer.status, answer.json["error"]) == (400, "invalid_upload")
    await until_nothing_is_left(folder)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
async def test_file_comes_in_whole_however_its_body_is_cut_into_pieces(ann: Visitor, folder: Path, size: int) -> None:
    content = b"\r\n--a-boundar" * 20 + b"\r\n--"
    body = form(part(b"", field=b"comment"), part(content, b"cut.bin"))
    pieces = [body[begin : begin + size] for begin in range(0, len(body), size)]
    answer = await upload_form(ann, "room1", *pieces, content_length="")
    assert answer.status == 201
    assert (await ask("GET", answer.json["url"], ann)).body == content
    assert [path.read_bytes() for path in files_in(folder)] == [content]


async def test_what_follows_a_form_is_passed_over_but_not_without_end(ann: Visitor, folder: Path) -> None:
    assert (await upload_form(ann, "room1", form(FILE), b"\r\n", b"x" * 3_000, content_length="")).status == 201
    answer = await upload_form(ann, "room1", form(FILE), *[b"x" * 1_000] * 5, content_length="")
    assert (answer.status, answer.json["error"]) == (400, "invalid_upload")


async def test_empty_file_is_a_file(ann: Visitor) -> None:
    file = await upload(ann, b"")
    assert file["size"] == 0
    assert (await ask("GET", file["url"], ann)).body == b""


async def test_name_is_cleaned_and_type_is_not_believed(ann: Visitor) -> None:
    answer = await upload_form(ann, "room1", form(part(b"<script>alert(1)</script>", b"../../x\xe2\x80\xaegpj.html")))
    assert (answer.json["name"], answer.json["type"]) == ("xgpj.html", "application/octet-stream")


def archive() -> bytes:
    """A file of zip that says that it has a gigabyte in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("zeros", bytes(50_000_000))
    return file.getvalue()


HTML = b"<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("content", "type", "disposition"),
    [
        (HTML, "application/octet-stream", "attachment"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "application/octet-stream", "attachment"),
        (b"GIF89a=1;/*" + HTML, "application/octet-stream", "attachment"),
        (b"GIF89a" + HTML, "application/octet-stream", "attachment"),
        (b"\xff\xd8\xff" + HTML, "application/octet-stream", "attachment"),
        (picture("GIF") + HTML, "image/gif", "inline"),
        (picture("PNG") + HTML, "image/png", "inline"),
        (picture("JPEG") + HTML, "image/jpeg", "inline"),
        (picture("WEBP"), "image/webp", "inline"),
        (picture("BMP"), "application/octet-stream", "attachment"),
        (b"%PDF-1.7 /JS (app.alert(1))", "application/octet-stream", "attachment"),
        (archive(), "application/octet-stream", "attachment"),
        (b"ID3\x04\0\0\0\0\0\0" + HTML, "audio/mpeg", "inline"),
        (b"\x00\x00\x00\x18ftypisom" + HTML, "video/mp4", "inline"),
    ],
)
async def test_only_what_can_do_no_harm_is_shown(ann: Visitor, content: bytes, type: str, disposition: str) -> None:
    file = await upload(ann, content, "a.html")
    assert file["type"] == type
    answer = await ask("GET", file["url"], ann)
    assert answer.headers["content-type"] == type
    assert answer.headers["content-disposition"].partition(";")[0] == disposition
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]
    if type.startswith("image/"):
        assert HTML not in answer.body
        preview = await ask("GET", file["preview"]["url"], ann)
        assert preview.headers["content-type"] == "image/webp"
        assert (
            Image.open(io.BytesIO(preview.body)).size == (file["preview"]["width"], file["preview"]["height"]) == (8, 6)
        )


@pytest.mark.parametrize("length", ["", "1", "25", "300", "99999999", "-1", "x", "٣", "9" * 50])
async def test_length_that_lies_or_is_missing_changes_nothing_but_when_it_is_noticed(
    ann: Visitor, settings: Settings, length: str
) -> None:
    settings.CHAT_FILE_SIZE = 100
    answer = await upload_form(ann, "room1", form(part(b"x" * 100)), content_length=length)
    assert answer.status == (413 if length == "99999999" else 201)
    answer = await upload_form(ann, "room1", form(part(b"x" * 101)), content_length=length)
    assert (answer.status, answer.json["error"]) == (413, "file_too_large")


async def test_file_that_is_announced_too_large_is_refused_before_it_is_read(ann: Visitor, settings: Settings) -> None:
    settings.CHAT_FILE_SIZE = 100
    answer = await upload_form(ann, "room1", content_length=str(101 + FORM_BYTES))
    assert (answer.status, answer.json["error"]) == (413, "file_too_large")
    assert not await models.Attachment.objects.aexists()


async def test_person_uploads_so_much_a_day(ann: Visitor, folder: Path, settings: Settings) -> None:
    settings.CHAT_FILES_PER_DAY = 250
    for _ in range(2):
        await upload(ann, b"x" * 100)
    answer = await upload_form(ann, "room1", form(part(b"x" * 51)), content_length="")
    assert (answer.status, answer.json["error"]) == (429, "daily_files_exceeded")
    assert 0 < answer.json["retry_after"] <= 86_400
    assert int(answer.headers["retry-after"]) > 0
    await upload(ann, b"x" * 50)
    await upload(await guest(), b"x" * 51)
    assert await sync_to_async(file_usage.total)() >= 301


async def test_site_keeps_so_much_in_all_until_something_is_deleted(
    ann: Visitor, folder: Path, settings: Settings
) -> None:
    settings.CHAT_FILES_TOTAL = 100
    file = await upload(ann, b"x" * 100)
    answer = await upload_form(ann, "room1", form(part(b"x")), content_length="")
    assert (answer.status, answer.json["error"]) == (507, "storage_full")
    await models.Attachment.objects.filter(id=file["id"]).aupdate(created_at=timezone.now() - timedelta(days=2))
    await clean_up()
    assert not files_in(folder)
    await upload(ann, b"x" * 100)


async def test_browser_has_to_bring_the_token_of_its_page(ann: Visitor, folder: Path) -> None:
    for headers in ({"x_csrftoken": "f" * 32}, {"x_csrftoken": ""}):
        answer = await upload_form(ann, "room1", form(FILE), **headers)
        assert (answer.status, answer.json["error"]) == (403, "csrf_failed")
    assert (await upload_form(ann, "room1", form(FILE), origin="http://localhost")).status == 201
    answer = await upload_form(ann, "room1", form(FILE), origin="https://evil.example")
    assert answer.status == 403


async def test_stranger_without_a_session_is_told_to_open_the_page() -> None:
    answer = await upload_form(None, "room1", form(FILE))
    assert (answer.status, answer.json["error"]) == (403, "login_required")


async def test_only_people_who_may_post_may_upload(folder: Path) -> None:
    owner, member, other = await user("owner"), await user("member"), await user("other")
    await carry_out(moderation.create, ROOM, private=True, by=owner.person)
    await carry_out(moderation.set_role, ROOM, "member", models.Role.MEMBER, by=owner.person)
    await upload(member, b"x")
    assert (await upload_form(other, "room1", form(FILE))).json["error"] == "not_a_member"
    await carry_out(posting_limits.set_read_only, ROOM, True, by=owner.person)
    answer = await upload_form(member, "room1", form(FILE))
    assert (answer.status, answer.json["error"]) == (403, "read_only")
    await upload(owner, b"x")
    await carry_out(posting_limits.set_read_only, ROOM, False, by=owner.person)
    await carry_out(moderation.ban, ROOM, member.person.id, by=owner.person)
    assert (await upload_form(member, "room1", form(FILE))).json["error"] == "banned"


async def test_room_name_that_is_not_utf8_is_refused(ann: Visitor) -> None:
    headers = {"content-type": CONTENT_TYPE, "x-csrftoken": TOKEN}
    answer = await ask("POST", "/chat/r%E4ume/files/", ann, headers, [form(FILE)])
    assert (answer.status, answer.json["error"]) == (400, "invalid_query")


@pytest.mark.parametrize(("room", "error"), [("." * 2, "invalid_room_name"), ("x" * 101, "invalid_room_name")])
async def test_room_that_cant_be_is_refused(ann: Visitor, room: str, error: str) -> None:
    answer = await upload_form(ann, room, form(FILE))
    assert (answer.status, answer.json["error"]) == (400, error)


async def test_page_of_a_room_whose_name_ends_like_the_door_is_shown(ann: Visitor) -> None:
    answer = await ask("GET", "/chat/a/files/", ann)
    assert answer.status == 200
    assert b"a/files" in answer.body


async def test_disk_that_is_full_is_told_and_leaves_nothing(
    ann: Visitor, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("chat.storage.file_store.save", full)
        answer = await upload_form(ann, "room1", form(FILE))
    assert (answer.status, answer.json["error"]) == (503, "unavailable")
    await until_nothing_is_left(folder)


async def test_picture_that_keeps_its_metadata_is_not_taken(
    ann: Visitor, folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = "import time; time.sleep(60)"
    with monkeypatch.context() as patch:
        patch.setattr("chat.pictures.prepared.PictureProcesses.command", (sys.executable, "-c", program))
        patch.setattr("chat.pictures.prepared.ENDING", 0.1)
        settings.CHAT_PICTURE_SECONDS = 0.1
        answer = await upload_form(ann, "room1", form(part(picture("JPEG"))))
    assert (answer.status, answer.json["error"]) == (400, "invalid_picture")
    await until_nothing_is_left(folder)


async def test_person_uploads_so_many_at_once(ann: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.actions.uploading.UPLOADS_PER_PERSON", 0)
    answer = await upload_form(ann, "room1", form(FILE))
    assert (answer.status, answer.json["error"]) == (429, "too_many_uploads")


async def test_address_uploads_so_many_at_once(ann: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.actions.uploading.UPLOADS_PER_ADDRESS", 0)
    answer = await upload_form(ann, "room1", form(FILE))
    assert (answer.status, answer.json["error"]) == (429, "too_many_uploads")


async def test_uploads_that_have_ended_dont_count(ann: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("UPLOADS_MAX", "UPLOADS_PER_PERSON", "UPLOADS_PER_ADDRESS"):
        monkeypatch.setattr(f"chat.actions.uploading.{limit}", 1)
    await upload(ann, b"x")
    assert (await upload_form(ann, "room1", FILE)).status == 400
    await upload(ann, b"x")
