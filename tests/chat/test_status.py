"""`manage.py chat_status`, beside real servers and without them."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from websockets.sync.client import connect

from chat import models
from chat.actions import posting
from chat.domain import people
from chat.domain.rooms import find
from chat.storage import history, pruning
from chat.storage.database import in_database
from tests.servers import ROOT, Server, environment, free_port

ANN = people.Person(id="user-1", name="Ann")


def status(*addresses: str, **variables: str) -> tuple[int, str]:
    """The exit code, and what was shown."""
    command = [sys.executable, "manage.py", "chat_status", *addresses]
    done = subprocess.run(command, cwd=ROOT, env=environment(**variables), capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def test_chat_status_describes_a_healthy_site(start_servers: Callable[..., list[Server]]) -> None:
    one, two = start_servers(2)
    with connect(f"ws://{one.host}/ws/chat/room1/") as socket:
        for text in "abc":
            socket.send(json.dumps({"message": text}))
            socket.recv(timeout=10)
        code, shown = status(f"http://{one.host}", f"http://{two.host}")
    assert code == 0
    assert re.search(r"^database +ok", shown, re.MULTILINE)
    assert re.search(r"^rooms +1$", shown, re.MULTILINE)
    assert re.search(r"^log +3 entries kept, 3 in the last hour$", shown, re.MULTILINE)
    assert re.search(r"^redis +ok$", shown, re.MULTILINE)
    assert f"{one.host}  ready  1 connections  1 listeners  1 rooms  3 posts" in shown
    assert f"{two.host}  ready  0 connections" in shown


def test_chat_status_without_addresses_asks_the_instance_on_port(start_servers: Callable[..., list[Server]]) -> None:
    (server,) = start_servers(1)
    code, shown = status(PORT=str(server.port))
    assert (code, f"{server.host}  ready" in shown) == (0, True)


def test_chat_status_accepts_an_instance_that_refuses_metrics(start_servers: Callable[..., list[Server]]) -> None:
    (server,) = start_servers(1, CHAT_METRICS_ALLOW="203.0.113.7")
    code, shown = status(f"http://{server.host}")
    assert (code, "see CHAT_METRICS_ALLOW" in shown) == (0, True)


def test_chat_status_fails_when_an_instance_does_not_answer(transactional_db: None) -> None:
    code, shown = status(f"http://127.0.0.1:{free_port()}")
    assert (code, "does not answer" in shown) == (1, True)


def test_chat_status_fails_without_redis(start_servers: Callable[..., list[Server]]) -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    (server,) = start_servers(1, REDIS_URL=nowhere)
    code, shown = status(f"http://{server.host}", REDIS_URL=nowhere)
    assert code == 1
    assert re.search(r"^redis +away", shown, re.MULTILINE)
    assert f"{server.host}  ready  redis: away" in shown


def test_chat_status_fails_without_the_database() -> None:
    nowhere = f"postgres://nobody@127.0.0.1:{free_port()}/nothing"
    code, shown = status(f"http://127.0.0.1:{free_port()}", DATABASE_URL=nowhere)
    assert code == 1
    assert re.search(r"^database +does not answer: .*(refused|connection)", shown, re.MULTILINE)


async def test_tally_counts_rooms_kept_entries_and_recent_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in "abcde":
        await posting.post(room=find("one"), message=text, person=ANN)
    await posting.post(room=find("two"), message="hi", person=ANN)
    now = timezone.now()
    await models.Message.objects.filter(offset__lte=2, room__name="one").aupdate(sent_at=now - timedelta(hours=2))
    tally = await in_database(history.tally, now - timedelta(hours=1))
    assert (tally.rooms, tally.entries, tally.recent) == (2, 6, 4)
    await in_database(pruning.prune, keep=3)
    assert (await in_database(history.tally, now - timedelta(hours=1))).entries == 4
    monkeypatch.setattr(history, "TALLY_MAX", 2)
    assert (await in_database(history.tally, now - timedelta(hours=1))).recent == 2
