"""The probes /livez, /readyz and /metrics, in this process and of real servers."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from channels.testing import HttpCommunicator
from django.db import OperationalError
from django.db.models import QuerySet
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings
from websockets.sync.client import connect

from chat import models
from chat.delivery import layer
from chat.delivery.detached_tasks import DetachedTasks
from chat.storage.database import in_database
from chat.storage.lanes import Lanes
from mysite import probes
from mysite.asgi import application
from tests.servers import ROOT, Server, environment, free_port

HERE = ("127.0.0.1", 4711)


async def ask(path: str, method: str = "GET", client: Any = HERE, **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and content of the answer."""
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    communicator = HttpCommunicator(application, method, path, headers=given)
    communicator.scope["client"] = client
    answer = await communicator.get_response(timeout=10)
    found = {name.decode(): value.decode() for name, value in answer["headers"]}
    return answer["status"], found, answer["body"].decode()


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """By name and values of labels."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_livez_names_the_process_and_is_not_cached() -> None:
    status, headers, content = await ask("/livez")
    assert (status, json.loads(content)) == (200, {"alive": True, "process": os.getpid()})
    assert headers["cache-control"] == "no-store"


async def test_readyz_is_ready_when_database_and_redis_answer() -> None:
    status, _, content = await ask("/readyz")
    assert (status, json.loads(content)) == (
        200,
        {"ready": True, "stopping": False, "database": "ok", "redis": "ok", "process": os.getpid()},
    )


async def test_readyz_is_ready_and_reports_redis_as_away_without_redis() -> None:
    with mock.patch.object(layer, "get_channel_layer", side_effect=ConnectionError("it is away")):
        status, _, content = await ask("/readyz")
        counted = samples((await ask("/metrics"))[2])
    assert status == 200
    assert json.loads(content)["redis"].startswith("away")
    assert counted["chat_redis_up", ()] == 0
    assert json.loads((await ask("/readyz"))[2])["redis"] == "ok"


async def test_readyz_reports_redis_as_away_when_it_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging:
        async def group_send(self, *args: object) -> None:
            await asyncio.sleep(60)

    monkeypatch.setattr(layer, "LAYER_TIMEOUT", 0.05)
    with mock.patch.object(layer, "get_channel_layer", return_value=Hanging()):
        assert json.loads((await ask("/readyz"))[2])["redis"].startswith("away")
        for task in DetachedTasks.here():
            task.cancel()


async def test_readyz_is_not_ready_without_the_database() -> None:
    with mock.patch.object(QuerySet, "exists", side_effect=OperationalError("it is away")):
        status, _, content = await ask("/readyz")
    assert status == 503
    assert json.loads(content)["database"] == "does not answer"


async def test_readyz_asks_a_hanging_database_once_in_each_lane_without_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probes, "DATABASE_TIMEOUT", 0.05)
    answer = threading.Event()
    with mock.patch.object(QuerySet, "exists", side_effect=lambda: answer.wait(30)) as look:
        try:
            assert [(await ask("/readyz"))[0] for _ in range(3)] == [503, 503, 503]
            assert look.call_count == len(Lanes.here().all)
        finally:
            answer.set()
    monkeypatch.setattr(probes, "DATABASE_TIMEOUT", 5)
    assert (await ask("/readyz"))[0] == 200


async def test_readyz_is_not_ready_while_a_lane_for_writing_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "DATABASE_TIMEOUT", 0.05)
    answer = threading.Event()
    writing = asyncio.create_task(Lanes.here().writers[-1].call(lambda: answer.wait(30), may_repeat=False))
    try:
        await asyncio.sleep(0)
        assert (await ask("/readyz"))[0] == 503
        await in_database(models.Room.objects.exists)  # reading goes on
    finally:
        answer.set()
        await writing
    monkeypatch.setattr(probes, "DATABASE_TIMEOUT", 5)
    assert (await ask("/readyz"))[0] == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_probes_answer_get_and_head_and_refuse_other_methods(path: str) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        status, headers, _ = await ask(path, method)
        assert (status, headers["allow"]) == (405, "GET, HEAD")
    status, headers, content = await ask(path, "HEAD")
    assert (status, content) == (200, "")
    assert int(headers["content-length"]) > 0


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_probes_answer_requests_for_an_address_that_is_no_allowed_host(path: str, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["chat.example.org"]
    settings.SECURE_SSL_REDIRECT = True
    assert (await ask(path, host="10.1.2.3:8000"))[0] == 200


async def test_metrics_include_connections_posts_latency_and_redis() -> None:
    status, headers, content = await ask("/metrics")
    counted = {family.name for family in text_string_to_metric_families(content)}
    assert status == 200
    assert headers["content-type"].startswith("text/plain")
    assert {"chat_connections", "chat_posts", "chat_latency_seconds", "chat_redis_up"} <= counted


async def test_metrics_are_served_as_openmetrics_when_asked_for() -> None:
    _, headers, content = await ask("/metrics", accept="application/openmetrics-text; version=1.0.0")
    assert headers["content-type"].startswith("application/openmetrics-text")
    assert content.endswith("# EOF\n")


@pytest.mark.parametrize(
    ("client", "forwarded", "status"),
    [
        ("127.0.0.1", "", 200),
        ("::1", "", 200),
        ("::ffff:127.0.0.1", "", 200),
        ("10.0.3.4", "", 200),
        ("10.1.0.1", "", 403),
        ("203.0.113.7", "", 403),
        ("2001:db8::1", "", 403),
        ("", "", 403),
        ("127.0.0.1", "203.0.113.7", 403),
        ("127.0.0.1", "10.0.0.9, 203.0.113.7", 403),
        ("127.0.0.1", "127.0.0.1, 203.0.113.7", 403),
        ("127.0.0.1", "rubbish", 403),
        ("127.0.0.1", "10.0.0.9", 200),
        ("203.0.113.7", "127.0.0.1", 403),
    ],
)
async def test_metrics_are_served_to_allowed_addresses_only(
    client: str, forwarded: str, status: int, settings: Settings
) -> None:
    settings.CHAT_METRICS_ALLOW = ["127.0.0.1", "::1", "10.0.0.0/16"]
    headers = {"x_forwarded_for": forwarded} if forwarded else {}
    assert (await ask("/metrics", client=(client, 1), **headers))[0] == status


async def test_metrics_are_refused_to_clients_of_a_unix_socket() -> None:
    assert (await ask("/metrics", client=None))[0] == 403


# Real servers


def get(host: str, path: str) -> str:
    with urllib.request.urlopen(f"http://{host}{path}", timeout=10) as answer:
        return answer.read().decode()


def quietly(ask: Callable[[], Any]) -> Any:
    """The result of `ask`; None while no server answers."""
    with contextlib.suppress(urllib.error.URLError, ConnectionError):
        return ask()


def until(condition: Callable[[], Any]) -> Any:
    """The result of `condition`, as soon as it is true."""
    deadline = time.monotonic() + 20
    while not (found := condition()):
        assert time.monotonic() < deadline, "it doesn't come to that"
        time.sleep(0.05)
    return found


def processes(host: str) -> set[int]:
    """The worker processes that answer at `host`, once there are two."""
    seen: set[int] = set()

    def both() -> bool:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            seen.add(json.loads(get(host, "/livez"))["process"])
        return len(seen) == 2

    until(both)
    return seen


def test_probes_are_answered_under_daphne(transactional_db: None) -> None:
    port = free_port()
    command = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port), "mysite.asgi:application"]
    with subprocess.Popen(command, cwd=ROOT, env=environment()) as daphne:
        try:
            until(lambda: quietly(lambda: get(f"127.0.0.1:{port}", "/livez")))
            assert json.loads(get(f"127.0.0.1:{port}", "/readyz"))["ready"] is True
            assert samples(get(f"127.0.0.1:{port}", "/metrics"))["chat_redis_up", ()] == 1
        finally:
            daphne.terminate()


def test_probes_are_answered_during_heavy_traffic(start_servers: Callable[..., list[Server]]) -> None:
    (server,) = start_servers(1)
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(connect(f"ws://{server.host}/ws/chat/room1/", close_timeout=0)) for _ in range(20)
        ]
        for socket in sockets:
            for _ in range(20):
                socket.send('{"message": "hi"}')
        counted = samples(get(server.host, "/metrics"))
        assert json.loads(get(server.host, "/readyz"))["ready"] is True
        assert counted["chat_deliveries_total", ()] < 8_000  # it had not said everything to everybody by then
        until(lambda: samples(get(server.host, "/metrics"))["chat_deliveries_total", ()] == 8_000)


def test_metrics_sum_all_processes_whichever_of_them_answers(
    start_servers: Callable[..., list[Server]],
) -> None:
    host = start_servers(1, WEB_CONCURRENCY="2")[0].host
    first, second = processes(host)
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(connect(f"ws://{host}/ws/chat/room1/")) for _ in range(12)]
        for number, socket in enumerate(sockets):
            socket.send(json.dumps({"message": str(number)}))
        for socket in sockets:
            for _ in sockets:
                socket.recv(timeout=10)
        # A message is heard a moment before it is counted.
        until(lambda: samples(get(host, "/metrics")).get(("chat_posts_total", ("stored",))) == 12)
        for _ in range(10):  # some of them are answered by the one, some by the other
            counted = samples(get(host, "/metrics"))
            assert counted["chat_listeners", ()] == 12
            assert counted["chat_posts_total", ("stored",)] == 12
            assert counted["chat_deliveries_total", ()] == 144
            assert counted["chat_redis_up", ()] == 1
            for process in (first, second) if sys.platform == "linux" else ():
                assert counted["process_resident_memory_bytes", (str(process),)] > 10e6

        # Counters of a dead process stay, its gauges are gone.
        os.kill(first, signal.SIGKILL)
        until(lambda: first not in processes(host))
        counted = until(
            lambda: counted if (counted := samples(get(host, "/metrics")))["chat_listeners", ()] < 12 else None
        )
        assert counted["chat_posts_total", ("stored",)] == 12
    until(lambda: samples(get(host, "/metrics"))["chat_listeners", ()] == 0)
