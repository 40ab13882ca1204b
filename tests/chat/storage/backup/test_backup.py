"""A backup has all that was there, shows whether it still does, and brings it back."""

import json
import re
import shlex
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from chat import models
from chat.storage import history
from chat.storage.backup import checking, making, manifest, postgresql_copy, postgresql_programs, restoring
from chat.storage.backup.errors import BackupError
from tests.chat.storage.transfer.conversation import GUEST, ROOM, hold, say
from tests.chat.storage.transfer.test_room_transfer import stored
from tests.postgres import postgres
from tests.servers import ROOT

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: object) -> str:
    out = StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=out)
    return out.getvalue()


def test_backup_is_restored(tmp_path: Path) -> None:
    hold()
    before = stored()
    users = set(User.objects.values_list("username", flat=True))
    assert "rows, 0 files." in run("backup", tmp_path, "--check")
    (folder,) = manifest.whole_backups(tmp_path)
    later = say("not for long", GUEST)
    id_of_later = history.find(ROOM, later).id
    User.objects.create_user("zoe")
    with pytest.raises(CommandError, match="--replace"):
        run("restore", tmp_path)
    assert history.find(ROOM, later) is not None
    assert run("restore", tmp_path, "--check").startswith(f"{folder} is in order: ")
    assert run("restore", tmp_path, "--replace").startswith(f"Restored {folder}, of 20")
    assert stored() == before
    assert set(User.objects.values_list("username", flat=True)) == users
    assert say("for longer", GUEST) == later
    assert history.find(ROOM, later).id != id_of_later


def test_empty_database_is_restored_without_a_word(tmp_path: Path) -> None:
    hold()
    before = stored()
    folder = making.make(tmp_path).folder
    models.Room.objects.all().delete()
    User.objects.all().delete()
    restored = restoring.restore(folder)
    assert (restored.files, restored.migrations) == (0, [])
    assert stored() == before


def test_tables_of_a_newer_release_go(tmp_path: Path) -> None:
    """So that its migrations can make them again."""
    with connection.schema_editor() as editor:
        editor.delete_model(models.Report)
    try:
        folder = making.make(tmp_path).folder
    finally:
        with connection.schema_editor() as editor:
            editor.create_model(models.Report)
    restoring.restore(folder, replace=True)
    assert "chat_report" not in connection.introspection.table_names()
    with connection.schema_editor() as editor:
        editor.create_model(models.Report)


def test_backup_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    folder = making.make(tmp_path).folder
    change_manifest(folder, lambda made: made["migrations"].append("chat.9999_later"))
    with pytest.raises(BackupError, match="newer release, which has chat.9999_later"):
        restoring.restore(folder, replace=True)


def test_backup_of_an_older_release_needs_migrations(tmp_path: Path) -> None:
    folder = making.make(tmp_path).folder
    change_manifest(folder, lambda made: made["migrations"].remove("chat.0014_profiles"))
    assert run("restore", folder, "--replace").endswith("It is of an older release: run `manage.py migrate`.\n")


def test_backup_of_another_kind_of_database_is_refused(tmp_path: Path) -> None:
    folder = making.make(tmp_path).folder
    change_manifest(folder, lambda made: made.update(database="oracle"))
    with pytest.raises(BackupError, match="is of oracle, and DATABASE_URL names"):
        restoring.restore(folder, replace=True)


def change_manifest(folder: Path, change: Callable[[dict], object]) -> None:
    path = folder / "manifest.json"
    made = json.loads(path.read_text())
    change(made)
    path.write_text(json.dumps(made))


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def database_of(folder: Path) -> Path:
    return next(folder.glob("database.*"))


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "broken off"),
        (lambda folder: cut(folder / "manifest.json"), "can’t be read"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "can’t be read"),
        (lambda folder: (folder / "manifest.json").write_text('{"version": 1}'), "can’t be read"),
        (lambda folder: change_manifest(folder, lambda made: made.update(version=2)), "another version"),
        (lambda folder: change_manifest(folder, lambda made: made["digests"].update({"../x": ""})), "outside"),
        (lambda folder: cut(database_of(folder)), "missing or damaged"),
        (lambda folder: database_of(folder).unlink(), "missing or damaged"),
        (lambda folder: (folder / "files.sha256").unlink(), "missing or damaged"),
        (lambda folder: change_manifest(folder, lambda made: made["tables"].update(chat_room=7)), "rows .*: chat_room"),
    ],
)
def test_damaged_backup_is_noticed(tmp_path: Path, spoil: Callable[[Path], object], problem: str) -> None:
    hold()
    folder = making.make(tmp_path).folder
    spoil(folder)
    with pytest.raises(BackupError, match=problem):
        checking.check(folder)


def test_file_list_leads_to_no_other_folder(tmp_path: Path) -> None:
    for name in ("../x", "/etc/passwd", "a/../../x", "", "a\rb"):
        (tmp_path / "files.sha256").write_bytes(f"00  {name}\n".encode())
        with pytest.raises(BackupError, match="outside"):
            list(manifest.listed_files(tmp_path))


def test_unfinished_backup_is_none_and_is_begun_anew(tmp_path: Path) -> None:
    unfinished = tmp_path / "20200101T000000Z.part"
    unfinished.mkdir()
    (unfinished / "database.sqlite3").write_bytes(b"half")
    with pytest.raises(CommandError, match="broken off"):
        run("restore", tmp_path)
    folder = making.make(tmp_path).folder
    assert manifest.whole_backups(tmp_path) == [folder]
    assert not unfinished.exists()


def test_only_the_last_backups_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for name in ("20260101T000000Z", "20260102T000000Z", "20260103T000000Z"):
        monkeypatch.setattr(manifest, "new_name", lambda name=name: name)
        made.append(making.make(tmp_path, keep=2))
    assert [one.dropped for one in made] == [0, 0, 1]
    assert [folder.name for folder in manifest.whole_backups(tmp_path)] == ["20260102T000000Z", "20260103T000000Z"]


@pytest.mark.parametrize(
    ("says", "problem"),
    [
        (None, "There is no pg_dump in .* Install postgresql-client-18, or name the folder .* CHAT_PG_BIN"),
        ("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "is of version 15, and 18 is needed. Install postg"),
        ("pg_dump (PostgreSQL) 18.4", None),
        ("pg_dump (PostgreSQL) 19devel", None),
    ],
)
def test_program_that_is_missing_or_too_old_is_named(
    tmp_path: Path, settings: Settings, says: str | None, problem: str | None
) -> None:
    settings.CHAT_PG_BIN = str(tmp_path)
    if says:
        (tmp_path / "pg_dump").write_text(f"#!/bin/sh\necho '{says}'\n")
        (tmp_path / "pg_dump").chmod(0o755)
    if problem:
        with pytest.raises(BackupError, match=problem):
            postgresql_programs.program("pg_dump", 18)
    else:
        assert postgresql_programs.program("pg_dump", 18) == tmp_path / "pg_dump"


def test_command_of_the_systemd_unit_is_one(tmp_path: Path) -> None:
    unit = (ROOT / "deploy" / "chat-backup.service").read_text()
    (command,) = re.findall(r"^ExecStart=/usr/bin/env python manage.py (.*)$", unit, re.MULTILINE)
    name, _, *options = shlex.split(command)
    hold()
    assert "rows, 0 files." in run(name, tmp_path, *options)


def test_user_who_may_make_no_database_to_try_a_backup_is_told_how_to_allow_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres() as url:
        place = {"host": urlsplit(url).path.rpartition("/")[0], "dbname": "postgres"}
        with psycopg.connect(**place, user="postgres", autocommit=True) as server:
            server.execute("CREATE ROLE chat LOGIN")
        monkeypatch.setattr(postgresql_programs, "parameters", lambda name=None: {**place, "user": "chat"})
        told = 'backup is there, and hasn\'t been tried.*ALTER ROLE "chat" CREATEDB'
        with pytest.raises(BackupError, match=told):
            postgresql_copy.counts_of_restored(tmp_path / "database.dump", 180000)
