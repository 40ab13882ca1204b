"""`manage.py export_room` and `import_room`: what they say, and that they go on where they were killed."""

import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from chat import models
from chat.domain.rooms import find
from chat.storage import log
from chat.storage.log import Draft
from tests.chat.storage.transfer.conversation import GUEST, ROOM, hold
from tests.servers import ROOT, environment

MANY = find("many")


def run(*arguments: object) -> str:
    out = StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=out)
    return out.getvalue()


def run_and_kill(condition: Callable[[], bool], *arguments: object) -> None:
    """Runs the command in a process of its own, and kills that once the condition holds."""
    command = [sys.executable, "manage.py", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
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
        log.append([Draft(room=MANY, text=f"message {first + number}", person=GUEST) for number in range(1000)])


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
def test_killed_export_and_import_go_on(tmp_path: Path) -> None:
    say_much(6_000)
    part = tmp_path / "room.jsonl.part"
    run_and_kill(lambda: part.exists() and part.stat().st_size > 100_000, "export_room", MANY.name, tmp_path)
    assert not (tmp_path / "room.jsonl").exists()
    assert run("export_room", MANY.name, tmp_path).startswith("Exported 6,000 entries")
    run("export_room", MANY.name, tmp_path / "at once")
    whole = (tmp_path / "room.jsonl").read_bytes()
    assert whole == (tmp_path / "at once/room.jsonl").read_bytes()

    models.Room.objects.all().delete()
    unfinished = models.Room.objects.filter(last_offset__gt=1000, name__startswith="\x01")
    run_and_kill(unfinished.exists, "import_room", tmp_path, "--people", "same")
    done = unfinished.get().last_offset
    assert done < 6_000
    assert not models.Room.objects.filter(name=MANY.name).exists()
    assert run("import_room", tmp_path, "--people", "same") == f"Imported {6_000 - done:,} entries into “many”.\n"
    run("export_room", MANY.name, tmp_path / "again")
    assert (tmp_path / "again/room.jsonl").read_bytes() == whole


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
