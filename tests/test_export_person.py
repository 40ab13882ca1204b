"""`manage.py export_person`: all that there is of a person, and nothing of others' secrets."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError

from chat import models
from chat.storage import file_store, ignoring
from tests.chat.storage.transfer.conversation import GUEST, account
from tests.test_erasing import appear, run

pytestmark = pytest.mark.django_db(transaction=True)


def lines_of(directory: Path) -> list[dict]:
    return [json.loads(line) for line in (directory / "person.jsonl").read_text().splitlines()]


def test_person_gets_all_that_there_is_of_them(tmp_path: Path) -> None:
    ben = appear()
    id = models.Attachment.objects.values_list("id", flat=True).get()
    file_store.storage().save(file_store.name_of(id), ContentFile(b"ben"))
    ignoring.set_ignored(GUEST, ben.id, True)
    models.NotificationChoice.objects.create(user_id=ben.user_id, email="ben@example.org")
    out = run("export_person", "ben", tmp_path)
    lines = lines_of(tmp_path)
    entries = [line for line in lines if "offset" in line and "text" in line]
    assert out == f"Exported {len(entries)} entries to {tmp_path}/person.jsonl.\n"
    assert lines[0]["type"] == "person-export"
    assert lines[-1] == {"type": "end", "entries": len(entries)}
    assert all(line["person"]["id"] == ben.id for line in entries)
    texts = [line["text"] for line in entries]
    assert {"> morning\nindeed", "> morning\nindeed, @ann!", "I am Big Ben"} <= {
        *texts
    }  # its first text, and the others
    types = {line["type"] for line in lines}
    assert types >= {
        "account",
        "profile",
        "session",
        "member",
        "file",
        "reading",
        "report",
        "messagereaction",
        "notificationchoice",
    }
    (file,) = [line for line in lines if line["type"] == "file"]
    assert (file["name"], file["path"]) == ("ben.txt", f"files/{UUID(str(id)).hex}")
    assert (tmp_path / file["path"]).read_bytes() == b"ben"
    (ignored,) = [line for line in lines if line["type"] == "ignoredperson"]
    assert ignored["ignored_id"] == account("ann").id
    content = (tmp_path / "person.jsonl").read_text()
    assert GUEST.name not in content  # who ignores them
    assert "louder" not in content  # who has reported them
    assert "password" not in content


def test_broken_off_export_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.storage.transfer.person_export.BATCH_SIZE", 2)
    appear()
    run("export_person", "ben", tmp_path / "whole")
    whole = (tmp_path / "whole/person.jsonl").read_bytes()
    for size in (10, 700, len(whole) // 2, len(whole) - 5):
        directory = tmp_path / str(size)
        directory.mkdir()
        (directory / "person.jsonl.part").write_bytes(whole[:size])
        run("export_person", "ben", directory)
        assert (directory / "person.jsonl").read_bytes() == whole


def test_guest_is_exported_by_the_id(tmp_path: Path) -> None:
    appear()
    run("export_person", GUEST.id, tmp_path)
    assert "guest here" in (tmp_path / "person.jsonl").read_text()
    with pytest.raises(CommandError, match="no account of that name"):
        run("export_person", "nobody", tmp_path / "x")
