"""Backups of a site in use, and of one whose backups are killed."""

import asyncio
import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import websockets
from django.core.management import call_command
from django.db import connection, connections

from chat import models
from chat.domain.rooms import find
from chat.storage import log
from chat.storage.backup import checking, manifest
from chat.storage.database import in_database
from chat.storage.log import Draft
from tests.chat.storage.backup.conftest import programs_of_postgresql as programs_of_postgresql
from tests.chat.storage.transfer.conversation import GUEST
from tests.chat.test_transfer_commands import run_and_kill
from tests.servers import ROOT, Server, environment

ROOM = find("backed up")


def fill(count: int) -> None:
    for _ in range(count // 1000):
        log.append([Draft(room=ROOM, text="hello " * 50, person=GUEST) for _ in range(1000)])


async def backup(directory: Path) -> None:
    command = [sys.executable, "manage.py", "backup", str(directory)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL)
    assert await process.wait() == 0


async def test_backup_under_way_has_all_that_was_acknowledged_before_it(start_servers, tmp_path: Path) -> None:
    (server,) = await asyncio.to_thread(start_servers, 1)
    await in_database(fill, 3000)
    socket = await connect(server)
    acknowledged = 3000
    going_on = asyncio.Event()

    async def talk() -> None:
        nonlocal acknowledged
        while not going_on.is_set():
            await socket.send(json.dumps({"message": f"message {acknowledged + 1}"}))
            acknowledged = json.loads(await socket.recv())["offset"]

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(talk())
        while acknowledged < 3010:
            await asyncio.sleep(0.01)
        before = acknowledged
        await backup(tmp_path)
        during = acknowledged - before
        going_on.set()
    assert during > 0, "nothing was said while the backup was made"
    (folder,) = manifest.whole_backups(tmp_path)
    await asyncio.to_thread(checking.check, folder)

    # Those who were there start over, in a log that went back.
    await asyncio.to_thread(quietly, "restore", folder, "--replace")
    kept = await in_database(models.Message.objects.count)
    assert before <= kept <= acknowledged
    assert await in_database(models.Message.objects.filter(offset__lte=kept).count) == kept
    await socket.send(json.dumps({"message": "after it"}))
    async with asyncio.timeout(20):
        while (frame := json.loads(await socket.recv()))["kind"] != "start_over":
            assert frame["offset"] <= acknowledged
    await socket.close()


async def connect(server: Server) -> websockets.ClientConnection:
    return await websockets.connect(f"ws://{server.host}/ws/chat/backed%20up/", origin=f"http://{server.host}")


@pytest.mark.django_db(transaction=True)
def test_killed_backup_is_none_and_killed_restore_changes_nothing(tmp_path: Path) -> None:
    fill(20_000)
    count = models.Message.objects.count()
    run_and_kill(lambda: any(path.stat().st_size for path in tmp_path.glob("*.part/database.*")), "backup", tmp_path)
    assert not manifest.whole_backups(tmp_path)
    quietly("backup", tmp_path)
    (folder,) = manifest.whole_backups(tmp_path)
    assert checking.check(folder).tables["chat_message"] == count
    assert not list(tmp_path.glob("*.part"))

    log.append([Draft(room=ROOM, text="one more", person=GUEST)])
    connection.close()
    run_and_kill(is_restoring, "restore", folder, "--replace")
    wait_until_nobody_restores()
    assert models.Message.objects.count() == count + 1
    quietly("restore", folder, "--replace")
    assert models.Message.objects.count() == count


def quietly(*arguments: object) -> None:
    call_command(*map(str, arguments), stdout=io.StringIO())
    connections.close_all()


def is_restoring() -> bool:
    if connection.vendor == "sqlite":
        journals = [Path(f"{connection.settings_dict['NAME']}{end}") for end in ("-wal", "-journal")]
        return any(journal.exists() and journal.stat().st_size > 100_000 for journal in journals)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'pg_restore' AND backend_xid IS NOT NULL"
        )
        return cursor.fetchone() is not None


def wait_until_nobody_restores() -> None:
    deadline = time.monotonic() + 20
    while connection.vendor == "postgresql" and is_restoring():
        assert time.monotonic() < deadline
        time.sleep(0.01)
