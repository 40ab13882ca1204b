"""The commands that export and import: what they say, and that they go on where they were killed."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from chat import models
from chat.domain.rooms import find
from chat.storage import file_store, log
from chat.storage.log import Draft
from tests.chat.pictures.drawings import exif, picture
from tests.chat.storage.transfer.conversation import GUEST, ROOM, hold
from tests.chat.storage.transfer.test_slack import slack_export
from tests.servers import ROOT, environment

MANY = find("many")


def run(*arguments: object) -> str:
    out = StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=out)
    return out.getvalue()


def run_and_kill(condition: Callable[[], bool], *arguments: object, stderr: int = subprocess.STDOUT) -> None:
    """Runs the command in a process of its own, and kills that once the condition holds."""
    command = [sys.executable, "manage.py", *map(str, arguments)]
    # Without a log: on a stopped terminal, the command would wait with a warning, say that Valkey is slow to answer.
    # With the app of the tests, whose tables are in their database, too.
    variables = environment(LOG_LEVEL="CRITICAL", DJANGO_SETTINGS_MODULE="tests.example_app.settings")
    process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=stderr)
    deadline = time.monotonic() + 60
    try:
        while not condition():
            assert process.poll() is None, (process.communicate()[0] or b"").decode()
            assert time.monotonic() < deadline
            time.sleep(0.002)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()


def say_much(count: int) -> None:
    for first in range(0, count, 1000):
        numbers = range(first, min(first + 1000, count))
        log.append([Draft(room=MANY, text=f"message {number}", person=GUEST) for number in numbers])


def contents(directory: Path) -> dict[str, bytes]:
    """The files in the directory of an export, by their paths there."""
    paths = [path for path in directory.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(directory)): path.read_bytes() for path in paths}


@pytest.mark.django_db
def test_room_is_exported_and_imported(tmp_path: Path) -> None:
    hold()
    entries = models.Message.objects.count()
    assert run("export_room", ROOM.name, tmp_path) == f"Exported {entries} entries to {tmp_path}/room.jsonl.\n"
    with pytest.raises(CommandError, match="is there already"):
        run("export_room", ROOM.name, tmp_path)
    assert run("import_room", tmp_path) == f"“{ROOM.name}” is there already, with these entries.\n"
    out = run("import_room", tmp_path, "--as", "copy", "--people", "usernames")
    assert out == f"Imported {entries} entries into “copy”.\n"
    out = run("import_room", tmp_path, "--as", "foreign")
    assert out.endswith("No members any more, without an account here: ann, ben.\n")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["export_room", "nowhere", "{tmp}/x"], "no room “nowhere”"),
        (["export_room", "..", "{tmp}/x"], "can’t be called"),
        (["import_room", "{tmp}/nothing"], "No such file"),
        (["import_room", "{tmp}", "--as", "a\nb"], "control characters"),
        (["import_room", "{tmp}", "--people", "{tmp}/nobody.json"], "can’t be read as JSON"),
        (["import_room", "{tmp}", "--as", "@" + "0" * 32], "direct room"),
    ],
)
def test_what_can_not_be_done_is_said(tmp_path: Path, arguments: list[str], problem: str) -> None:
    hold()
    run("export_room", ROOM.name, tmp_path)
    with pytest.raises(CommandError, match=problem):
        run(*(argument.format(tmp=tmp_path) for argument in arguments))


@pytest.mark.django_db(transaction=True)
def test_killed_export_and_import_of_a_room_go_on(tmp_path: Path, stopped_terminal: int) -> None:
    say_much(900)
    part = tmp_path / "room.jsonl.part"
    begun = lambda: part.exists() and part.stat().st_size > 10_000  # noqa: E731
    run_and_kill(begun, "export_room", MANY.name, tmp_path, stderr=stopped_terminal)
    assert not (tmp_path / "room.jsonl").exists()
    assert run("export_room", MANY.name, tmp_path).startswith("Exported 900 entries")
    run("export_room", MANY.name, tmp_path / "at once")
    whole = (tmp_path / "room.jsonl").read_bytes()
    assert whole == (tmp_path / "at once/room.jsonl").read_bytes()

    models.Room.objects.all().delete()
    unfinished = models.Room.objects.filter(last_offset=500, name__startswith="\x01")
    run_and_kill(unfinished.exists, "import_room", tmp_path, "--people", "same", stderr=stopped_terminal)
    assert unfinished.exists()
    assert not models.Room.objects.filter(name=MANY.name).exists()
    assert run("import_room", tmp_path, "--people", "same") == "Imported 400 entries into “many”.\n"
    run("export_room", MANY.name, tmp_path / "again")
    assert (tmp_path / "again/room.jsonl").read_bytes() == whole


@pytest.mark.django_db(transaction=True)
def test_killed_import_from_slack_goes_on(
    tmp_path: Path, stopped_terminal: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    day: list[dict[str, Any]] = [
        {"user": "U1", "ts": f"{1512085950 + number}.000000", "text": f"message {number}"} for number in range(900)
    ]
    day[3]["files"], day[700]["files"] = [{"id": "F33", "name": "a.jpg"}], [{"id": "F44", "name": "b.txt"}]
    files = {"files/F33/a.jpg": picture("JPEG", (90, 60), exif=exif()), "files/F44/b.txt": b"plan"}
    path = slack_export(tmp_path / "slack.zip", **{"general/2017-12-01.json": day}, **files)

    unfinished = models.Room.objects.filter(last_offset=500, name__startswith="\x01")
    run_and_kill(unfinished.exists, "import_slack", path, stderr=stopped_terminal)
    assert unfinished.exists()
    assert [*temporary.iterdir()]  # what the next one deletes
    out = run("import_slack", path)
    assert out.startswith("Imported 401 entries into “general”.\nImported 0 entries into “empty”.\n")
    assert not [*temporary.iterdir()]
    assert run("import_slack", path).startswith("“general” is there already, with these entries.\n")
    exported = {}
    for way in ("killed", "at once"):
        for room in ("general", "secret"):
            run("export_room", room, tmp_path / way / room)
        exported[way] = contents(tmp_path / way)
        models.Room.objects.all().delete()
        models.Attachment.objects.all().delete()
        if way == "killed":
            assert run("import_slack", path).startswith("Imported 901 entries into “general”.\n")
    assert exported["killed"] == exported["at once"]
    assert len(exported["killed"]) == 5  # two rooms, two files, a preview


@pytest.mark.django_db(transaction=True)
def test_killed_export_of_a_person_goes_on(tmp_path: Path) -> None:
    say_much(900)
    file = models.Attachment.objects.create(
        id=uuid4(), room_name=MANY.name, person_id=GUEST.id, name="a.txt", type="text/x", size=4, state="ready",
        created_at=timezone.now(),
    )  # fmt: skip
    stored = Path(settings.CHAT_FILES_DIR) / file_store.name_of(file.id)
    stored.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(stored)  # the export waits for its bytes, which don't come
    writer: list[int] = []

    def is_reading() -> bool:
        with contextlib.suppress(OSError):  # nobody has opened it to read
            writer.append(os.open(stored, os.O_WRONLY | os.O_NONBLOCK))
        return writer != []

    directory = tmp_path / "killed"
    try:
        run_and_kill(is_reading, "export_person", GUEST.id, directory)
    finally:
        for descriptor in writer:
            os.close(descriptor)
        stored.unlink()
    stored.write_bytes(b"plan")
    part = (directory / "person.jsonl.part").read_bytes()
    assert 100 < part.count(b"\n") < 900
    assert run("export_person", GUEST.id, directory).startswith("Exported 900 entries")
    run("export_person", GUEST.id, tmp_path / "at once")
    assert contents(directory) == contents(tmp_path / "at once")
    assert contents(directory)[f"files/{file.id.hex}"] == b"plan"
    assert contents(directory)["person.jsonl"].startswith(part[: part.rindex(b"\n")])


@pytest.mark.django_db
def test_memory_does_not_grow_with_the_room(tmp_path: Path) -> None:
    say_much(3_000)
    peaks = {}
    for name, first in (("long", 1), ("short", 2_501)):
        models.Message.objects.filter(offset__lt=first).delete()
        models.Room.objects.update(pruned_to=first - 1)
        tracemalloc.start()
        run("export_room", MANY.name, tmp_path / name)
        run("import_room", tmp_path / name, "--as", f"copy of the {name} one")
        peaks[name] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks["long"] < peaks["short"] + 500_000  # bytes
