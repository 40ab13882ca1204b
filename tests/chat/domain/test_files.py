"""Attachments: names, ids and JSON that strangers give."""

from uuid import UUID, uuid4

import pytest
from pytest_django import Settings

from chat.domain import files
from chat.domain.files import Attachment, Preview
from chat.domain.rooms import Room
from chat.file_errors import InvalidAttachments, NoSuchFile, TooManyFiles

ROOM = Room("a/b?")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("photo.jpg", "photo.jpg"),
        ("  Q3 report (final).pdf ", "Q3 report (final).pdf"),
        ("über 北京 🙂.png", "über 北京 🙂.png"),
        ("../../x", "x"),
        ("..\\..\\windows\\x.exe", "x.exe"),
        ("C:\\fakepath\\a.txt", "a.txt"),
        ("/etc/passwd", "passwd"),
        ("a/", "file"),
        ("..", "file"),
        (".", "file"),
        ("", "file"),
        (None, "file"),
        (" . . ", "file"),
        (".htaccess", "htaccess"),
        ("a\r\nb", "a b"),
        ("a\r\nSet-Cookie: x=1", "a Set-Cookie: x=1"),
        ("a\0b.txt", "a b.txt"),
        ("a\x1b[31mb", "a [31mb"),
        ("a\u2028b\u2029c", "a b c"),
        ("\u202egpj.exe", "gpj.exe"),
        ("a\u2066b\u2069c\u200ed\u200fe\u061cf", "abcdef"),
        ("\u200b\u2060\ufeff", "file"),
        ("a\ufeffb\u00adc", "abc"),
        ("\u2800", "file"),
        ("half \ud83d a character.txt", "half a character.txt"),
        ('a"b;c.txt', 'a"b;c.txt'),
        ("%2e%2e%2fx", "%2e%2e%2fx"),
        ("e\u0301.txt", "\u00e9.txt"),
        ("a" * 300 + ".txt", "a" * 251 + ".txt"),
        ("a." + "b" * 300, "a." + "b" * 253),
        ("🙂" * 64, "🙂" * 63),
        ("🙂" * 100 + ".png", "🙂" * 62 + ".png"),
        ("👩‍👩‍👧‍👦" * 20 + ".gif", "👩‍👩‍👧‍👦" * 10 + ".gif"),
    ],
)
def test_file_name_is_one_line_without_a_path_that_any_disk_takes(given: str | None, name: str) -> None:
    cleaned = files.clean_file_name(given)
    assert cleaned == name
    assert len(cleaned.encode()) <= files.NAME_BYTES
    assert files.clean_file_name(cleaned) == cleaned


ID = UUID("3f2c9a4e5b6d47f08a1b2c3d4e5f6071")  # the same in all processes: it is in names of tests


@pytest.mark.parametrize("given", [None, []])
def test_message_without_attachments_has_none(given: object) -> None:
    assert files.read_ids(given) == ()


@pytest.mark.parametrize("spelled", [ID.hex, str(ID), ID.hex.upper()])
def test_id_is_read_with_and_without_hyphens(spelled: str) -> None:
    assert files.read_ids([spelled]) == (ID,)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (ID.hex, InvalidAttachments),
        ({"0": ID.hex}, InvalidAttachments),
        ([1], InvalidAttachments),
        ([None], InvalidAttachments),
        ([[ID.hex]], InvalidAttachments),
        (True, InvalidAttachments),
        ([ID.hex, str(ID)], InvalidAttachments),
        ([""], NoSuchFile),
        (["../../x"], NoSuchFile),
        ([f"{{{ID}}}"], NoSuchFile),
        ([f"urn:uuid:{ID}"], NoSuchFile),
        (["٠" * 32], NoSuchFile),
        (["\ud83d"], NoSuchFile),
        ([uuid4().hex for _ in range(11)], TooManyFiles),
        (["x"] * 100_000, TooManyFiles),
    ],
)
def test_ids_that_are_none_are_refused(given: object, error: type[Exception], settings: Settings) -> None:
    settings.CHAT_FILES_PER_MESSAGE = 10
    with pytest.raises(error):
        files.read_ids(given)


@pytest.mark.parametrize("preview", [None, Preview(640, 480)])
def test_attachment_comes_back_from_json(preview: Preview | None) -> None:
    attachment = Attachment(ID.hex, "a.png", "image/png", 68, preview)
    assert Attachment.all_from_json([attachment.as_json()]) == (attachment,)


@pytest.mark.parametrize(
    "value", [None, "x", 1, {}, [None], [{}], [{"id": 1, "name": "a", "type": "b", "size": 1}], [{"id": "a"}]]
)
def test_json_that_is_no_attachment_is_passed_over(value: object) -> None:
    assert Attachment.all_from_json(value) == ()


def test_paths_lead_to_the_file_and_its_preview_whatever_they_are_called() -> None:
    attachment = Attachment(ID.hex, "a b?#%2F.png", "image/png", 68, Preview(1, 1))
    assert attachment.path(ROOM) == f"/chat/a%2Fb%3F/files/{ID.hex}/a%20b%3F%23%252F.png"
    assert attachment.preview_path(ROOM) == f"/chat/a%2Fb%3F/files/{ID.hex}/preview"
    called_preview = Attachment(ID.hex, "preview", "image/png", 68, Preview(1, 1))
    assert called_preview.path(ROOM) != called_preview.preview_path(ROOM)
