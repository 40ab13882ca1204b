"""Avatars: changing one's own on its page, and who is shown it."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from chat.domain import people
from chat.models import Profile
from chat.storage import avatars, file_store
from tests.chat.pictures.drawings import PLACE, exif, picture, png
from tests.chat.test_views import room_data

pytestmark = pytest.mark.django_db
EDIT = reverse("edit_avatar")


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.CHAT_FILES_DIR = tmp_path
    chat_files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = settings.STORAGES | {"chat_files": chat_files}
    return tmp_path


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann")


@pytest.fixture
def client_of_ann(ann: User) -> Iterator[Client]:
    client = Client()
    client.force_login(ann)
    return client


def send(client: Client, content: bytes, name: str = "me.jpg"):
    return client.post(EDIT, {"picture": SimpleUploadedFile(name, content)})


def address(user: User) -> str | None:
    id = people.of_user(user).id
    return avatars.paths([id]).get(id)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_avatar_is_a_square_without_a_place_that_browsers_keep(client_of_ann: Client, ann: User, folder: Path) -> None:
    response = send(client_of_ann, picture("JPEG", (900, 600), exif=exif(6)))
    assert (response.status_code, response.url) == (302, people.of_user(ann).profile_path)

    shown = Client().get(address(ann))

    assert shown["Content-Type"] == "image/webp"
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in shown["Cache-Control"]
    with Image.open(io.BytesIO(shown.content)) as image:
        assert (image.format, image.size) == ("WEBP", (256, 256))
    assert PLACE not in shown.content
    assert len(files(folder)) == 1
    assert PLACE not in files(folder)[0].read_bytes()


def test_users_keep_avatars_too(client_of_ann: Client, ann: User) -> None:
    send(client_of_ann, picture("PNG"))
    assert "immutable" in client_of_ann.get(address(ann))["Cache-Control"]


def test_new_avatar_has_another_address_and_the_old_one_is_gone(client_of_ann: Client, ann: User, folder: Path) -> None:
    send(client_of_ann, picture("PNG"))
    first = address(ann)
    send(client_of_ann, picture("PNG", mode="L"))

    assert address(ann) != first
    assert Client().get(first).status_code == 204
    assert Client().get(address(ann)).status_code == 200
    assert len(files(folder)) == 1


def test_address_without_a_version_is_asked_for_again_soon(client_of_ann: Client, ann: User) -> None:
    plain = reverse("avatar", args=[people.of_user(ann).id])
    assert Client().get(plain).status_code == 204
    send(client_of_ann, picture("PNG"))
    shown = Client().get(plain)
    assert (shown.status_code, shown["Cache-Control"]) == (200, "private, max-age=60")


@pytest.mark.parametrize("person_id", ["user-99999", "user-x", "guest-0123456789abcdef", "x", "user-1' or 1=1"])
def test_person_without_avatar_is_no_error(person_id: str) -> None:
    assert Client().get(reverse("avatar", args=[person_id])).status_code == 204


def test_avatar_is_removed(client_of_ann: Client, ann: User, folder: Path) -> None:
    send(client_of_ann, picture("PNG"))
    assert "Remove the picture" in client_of_ann.get(EDIT).content.decode()

    client_of_ann.post(EDIT, {"remove": "on"})

    assert address(ann) is None
    assert files(folder) == []


def test_avatar_goes_with_the_account(
    client_of_ann: Client, ann: User, folder: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    send(client_of_ann, picture("PNG"))
    with django_capture_on_commit_callbacks(execute=True):
        ann.delete()
    assert files(folder) == []


def test_inactive_account_shows_no_avatar(client_of_ann: Client, ann: User) -> None:
    send(client_of_ann, picture("PNG"))
    before = address(ann)
    User.objects.update(is_active=False)
    assert Client().get(before).status_code == 204


BAD = {
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "This is no picture"),
    "nothing": (b"", "This is no picture"),
    "half a picture": (picture("JPEG", (300, 300))[:500], "The picture is damaged."),
    "bomb": (png(60_000, 60_000), "too many pixels"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_picture_is_refused_with_the_reason_and_leaves_nothing(
    client_of_ann: Client, ann: User, folder: Path, kind: str
) -> None:
    send(client_of_ann, picture("PNG"))
    before = address(ann)
    content, reason = BAD[kind]

    page = send(client_of_ann, content)

    assert reason in page.content.decode()
    assert address(ann) == before
    assert len(files(folder)) == 1


def test_picture_that_is_too_large_is_refused(client_of_ann: Client, settings: Settings) -> None:
    settings.CHAT_FILE_SIZE = 1_000_000
    assert "too large: 1 MB" in send(client_of_ann, bytes(1_000_001)).content.decode()


def test_form_without_a_picture_asks_for_one(client_of_ann: Client) -> None:
    assert "Choose a picture." in client_of_ann.post(EDIT, {}).content.decode()


def test_guests_have_no_avatar() -> None:
    assert Client().post(EDIT, {"remove": "on"}).url.startswith(reverse("login"))


def test_storage_that_does_not_answer_is_told(
    client_of_ann: Client, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(file_store, "save", fail)
    assert "Files can’t be stored at the moment" in send(client_of_ann, picture("PNG")).content.decode()
    assert Profile.objects.filter(avatar__gt="").count() == 0


def test_avatar_whose_file_is_missing_is_none(client_of_ann: Client, ann: User, folder: Path) -> None:
    send(client_of_ann, picture("PNG"))
    for path in files(folder):
        path.unlink()
    shown = Client().get(address(ann))
    assert (shown.status_code, shown["Cache-Control"]) == (204, "private, max-age=60")


def test_pages_show_avatars(client_of_ann: Client, ann: User) -> None:
    send(client_of_ann, picture("PNG"))
    me = people.of_user(ann)
    assert address(ann) in client_of_ann.get(me.profile_path, follow=True).content.decode()
    assert room_data(client_of_ann, "den")["avatars"] == {me.id: address(ann)}
    assert list(room_data(Client(), "den")["avatars"].values()) == [None]
