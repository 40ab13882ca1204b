"""Files in a bucket of S3, of a real server."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as site
from pytest_django import Settings

from chat import models
from chat.actions import posting
from chat.actions.moderation import carry_out
from chat.domain.rooms import Room
from chat.storage import file_store, moderation
from chat.storage.backup import checking, making, restoring
from mysite.environment import Environment
from mysite.files import files_settings
from tests.s3 import BUCKET, s3_server, variables
from tests.test_private_rooms import Visitor, guest
from tests.uploads import Answer, ask, clean_up, form, part, upload, upload_form

pytestmark = pytest.mark.django_db(transaction=True)
ROOM = Room("room1")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server that speaks S3, and the folder in which it has the bucket."""
    folder = tmp_path_factory.mktemp("s3")
    with s3_server(folder) as url:
        yield url, folder / BUCKET


@pytest.fixture
def bucket(server: tuple[str, Path], settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    url, folder = server
    for name, value in variables(url).items():
        monkeypatch.setenv(name, value)
    settings.CHAT_FILES_DIR = tmp_path
    settings.STORAGES = {**site.STORAGES, "chat_files": files_settings(Environment(), tmp_path).storage}
    return folder


@pytest.fixture
async def ann(bucket: Path) -> Visitor:
    return await guest()


def stored(bucket: Path) -> list[Path]:
    return [path for path in bucket.rglob("*") if path.is_file()]


async def fetch(url: str, range: str = "") -> Answer:
    """The answer that anybody gets at that address."""

    def get() -> Answer:
        request = urllib.request.Request(url, headers={"Range": range} if range else {})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return Answer(
                    answer.status, {key.lower(): value for key, value in answer.headers.items()}, answer.read()
                )
        except urllib.error.HTTPError as error:
            return Answer(error.code, {}, error.read())

    return await sync_to_async(get, thread_sensitive=False)()


async def test_download_leads_to_a_signed_address_for_a_minute(ann: Visitor, bucket: Path, tmp_path: Path) -> None:
    content = bytes(range(256)) * 40_000  # more than is sent in one part
    file = await upload(ann, content, "über.html")
    assert stored(tmp_path) == []
    answer = await ask("GET", file["url"], ann)
    assert (answer.status, answer.headers["cache-control"]) == (302, "private, no-store")
    address = answer.headers["location"]
    assert parse_qs(urlsplit(address).query)["X-Amz-Expires"] == ["60"]
    assert (await fetch(address)).body == content
    assert (await fetch(address, "bytes=10-19")).body == content[10:20]


@pytest.mark.parametrize(
    "change", [("X-Amz-Expires=60", "X-Amz-Expires=600000"), ("attachment", "inline"), ("/files/", "/")]
)
async def test_address_that_was_tampered_with_is_refused(ann: Visitor, change: tuple[str, str]) -> None:
    file = await upload(ann, b"content")
    address = (await ask("GET", file["url"], ann)).headers["location"]
    assert (await fetch(address)).status == 200
    assert change[0] in address
    assert (await fetch(address.replace(*change, 1))).status in {403, 404}
    assert (await fetch(address.partition("?")[0])).status >= 400


async def test_nobody_who_may_not_read_the_room_gets_an_address(ann: Visitor) -> None:
    file = await upload(ann, b"content")
    assert (await ask("GET", file["url"], await guest())).status == 404
    await posting.post(room=ROOM, message="", person=ann.person, attachments=[file["id"]])
    other = await guest()
    assert (await ask("GET", file["url"], other)).status == 302
    await carry_out(moderation.ban, ROOM, other.person.id, by=None)
    assert (await ask("GET", file["url"], other)).status == 403


async def test_head_is_answered_without_the_bucket_s_address(ann: Visitor) -> None:
    file = await upload(ann, b"content")
    answer = await ask("HEAD", file["url"], ann)
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "7", b"")


async def test_deleted_message_leaves_nothing_in_the_bucket(ann: Visitor, bucket: Path) -> None:
    for path in stored(bucket):
        path.unlink()
    file = await upload(ann, b"content")
    assert len(stored(bucket)) == 1
    entry = await posting.post(room=ROOM, message="", person=ann.person, attachments=[file["id"]])
    await carry_out(moderation.delete_message, ROOM, entry.event.offset, by=ann.person)
    await clean_up()
    assert not stored(bucket)
    assert not await models.Attachment.objects.aexists()


async def test_bucket_that_is_away_is_told(ann: Visitor, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    options = {**settings.STORAGES["chat_files"]["OPTIONS"], "endpoint_url": "http://127.0.0.1:9"}
    settings.STORAGES = {**settings.STORAGES, "chat_files": {**settings.STORAGES["chat_files"], "OPTIONS": options}}
    answer = await upload_form(ann, "room1", form(part(b"content")))
    assert (answer.status, answer.json["error"]) == (503, "unavailable")


async def test_files_are_backed_up_from_there_and_restored(ann: Visitor, bucket: Path, tmp_path: Path) -> None:
    id = (await upload(ann, b"kept"))["id"]
    made = await sync_to_async(making.make)(tmp_path / "backups")
    assert (made.manifest.files, made.manifest.missing) == (1, [])
    await sync_to_async(checking.check)(made.folder)
    await sync_to_async(file_store.delete)(UUID(id))
    assert not stored(bucket)
    assert (await sync_to_async(restoring.restore)(made.folder, replace=True)).files == 1
    (file,) = stored(bucket)
    assert file.read_bytes() == b"kept"
