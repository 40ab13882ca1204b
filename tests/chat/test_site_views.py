"""The page of the site's status, and the rules for its warnings."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from redis import Redis

from chat import metrics, models
from chat.delivery.layer import Layer
from chat.status import processes, report, site, warnings
from chat.status.processes import KnownProcess
from chat.status.report import ProcessReport, Reporter
from chat.status.site import DatabaseStatus, SiteStatus
from chat.storage.queues import Queues, queues

PAGE, STATE = "/admin/site/", "/admin/site/state/"
WELL = ProcessReport(id="1", host="one", process=7, port=8000, open_files=10, open_files_max=1000)
EMPTY = Queues(*[0] * 10, files_max=100)


async def look() -> None:
    await Layer.here().look()  # which starts the embedded Valkey, and waits for it


@pytest.fixture
def redis(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """Redis, in which no other process reports: servers of other tests may be running."""
    monkeypatch.setattr(processes, "KEY", "test:processes")
    asyncio.run(look())
    with Redis.from_url(settings.REDIS_URLS[0], decode_responses=True) as redis:
        redis.delete(processes.KEY)
        yield redis
        redis.delete(processes.KEY)


def visitor(**rights: bool) -> Client:
    client = Client()
    client.force_login(User.objects.create_user(username="ann", **rights))
    return client


@pytest.mark.django_db
def test_site_page_and_its_state_are_for_the_staff() -> None:
    for client in (Client(), visitor()):
        for url in (PAGE, STATE):
            answer = client.get(url)
            assert (answer.status_code, answer.headers["Location"]) == (302, f"/admin/login/?next={url}")
    User.objects.update(is_staff=True)
    page = client.get(PAGE)
    assert page.status_code == 200
    assert f'data-url="{STATE}"' in page.content.decode()
    assert PAGE in client.get("/admin/").content.decode()


def test_state_has_the_database_redis_queues_and_processes(redis: Redis) -> None:
    for id, age in (("fresh", 3), ("silent", 100), ("forgotten", 1000)):
        told = json.dumps({"id": id, "host": id, "process": 7, "connections": 5, "of a newer release": 1})
        redis.hset(processes.KEY, id, f"{redis.time()[0] - age} {told}")
    answer = visitor(is_staff=True).get(STATE)
    assert "no-store" in answer.headers["Cache-Control"]
    state = answer.json()
    assert state["ok"] is True
    assert state["database"]["ok"] is True
    assert state["redis"] == {"servers": [True] * len(settings.REDIS_URLS), "text": "ok"}
    assert state["log"] == {"rooms": 0, "entries": 0, "recent": 0, "is_recent_cut": False}
    assert state["queues"]["push_due"] == 0
    assert [(one["id"], one["connections"]) for one in state["processes"]] == [("fresh", 5), ("silent", 5)]
    assert ("ChatDown", "silent:0 (7)") in [(one["alert"], one["of"]) for one in state["warnings"]]
    assert set(redis.hkeys(processes.KEY)) == {"fresh", "silent"}


async def test_process_reports_until_it_stops(redis: Redis) -> None:
    metrics.CONNECTIONS.labels("test").inc(3)
    reports = processes.Reports.here()
    reports.start()
    try:
        async with asyncio.timeout(60):
            while not (known := await processes.known()):
                await asyncio.sleep(0.01)
        (one,) = known
        assert one.report.id == Reporter.here().id
        assert one.report.connections >= 3
        assert one.report.memory > 1_000_000
    finally:
        await reports.stop()
        metrics.CONNECTIONS.labels("test").dec(3)
    assert await processes.known() == []


async def test_status_without_redis_knows_no_processes(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "REDIS_URLS", ["redis://127.0.0.1:1/0"])
    assert await processes.known() == []


def test_report_has_rates_over_the_last_minutes_and_not_of_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(report.time, "monotonic", lambda: now[0])
    reporter = Reporter()
    metrics.DATABASE_ERRORS.inc(100)
    now[0] += 10
    assert reporter.report().rates["database_errors"] == 10
    now[0] += 190
    assert reporter.report().rates["database_errors"] == 0.5
    for _ in range(20):
        now[0] += 100
        last = reporter.report()
    assert last.rates["database_errors"] == 0
    assert len(reporter._samples) <= 5
    assert ProcessReport.of_json({**last.as_json(), "new": 1}) == last


def status(**changes: object) -> SiteStatus:
    given = {
        "database": DatabaseStatus(True, "SQLite", 5),
        "redis": [True],
        "tally": None,
        "queues": EMPTY,
        "processes": [KnownProcess(WELL, 1)],
    }
    return SiteStatus(**(given | changes))  # type: ignore[arg-type]


def of_process(**changes: object) -> SiteStatus:
    return status(processes=[KnownProcess(replace(WELL, **changes), 1)])


def test_warnings_tell_what_is_wrong_and_what_to_do() -> None:
    assert warnings.warnings(status()) == []
    wrong = {
        "DatabaseAway": status(database=DatabaseStatus(False, "SQLite", problem="full")),
        "DatabaseSlow": status(database=DatabaseStatus(True, "SQLite", 1500)),
        "RedisAway": status(redis=[True, False]),
        "FilesFull": status(queues=replace(EMPTY, files=95)),
        "WebhooksBehind": status(queues=replace(EMPTY, webhooks_behind=1001)),
        "WebhooksFailing": status(queues=replace(EMPTY, webhooks=3, webhooks_failing=2)),
        "PushLate": status(queues=replace(EMPTY, push_overdue=400.0)),
        "ChatDown": status(processes=[KnownProcess(WELL, 31)]),
        "ChatDatabaseFails": of_process(rates={"database_errors": 0.2}),
        "ChatSlow": of_process(slow_share=0.02),
        "ChatBusy": of_process(cpu=0.9),
        "ChatFiles": of_process(open_files=900),
        "ChatRedisAway": of_process(redis=False),
        "ChatRepairs": of_process(rates={"repaired": 2}),
        "ChatBugs": of_process(rates={"masked_errors": 0.01}),
        "ChatFlood": of_process(rates={"limits_hit": 11}),
        "ChatSlowListeners": of_process(rates={"slow_listeners": 2}),
    }
    for alert, given in wrong.items():
        (found,) = warnings.warnings(given)
        assert found.alert == alert
        assert found.text.endswith((".", "full"))
        assert found.advice.endswith(".")


def test_warning_of_a_process_without_redis_says_that_it_is_over_where_redis_is_there() -> None:
    (found,) = warnings.warnings(of_process(redis=False))
    assert "a moment ago" in found.text
    away = replace(of_process(redis=False), redis=[False])
    assert [one.text for one in warnings.warnings(away)] == ["Redis is away.", warnings.RULES["ChatRedisAway"].text]


def test_warnings_of_processes_are_the_alerts_of_prometheus() -> None:
    groups = yaml.safe_load(Path("deploy/alerts.yml").read_text())["groups"]
    alerts = {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}
    assert alerts.keys() == warnings.RULES.keys() | {"ChatDown"}
    for name, rule in warnings.RULES.items():
        limits = re.findall(r"> ([0-9.]+)", alerts[name]) or ["0"]
        assert str(report.SLOW if name == "ChatSlow" else rule.limit) in {limits[0], f"{limits[0]}.0"}, name


@pytest.mark.django_db
def test_queues_count_what_waits(settings) -> None:
    room = models.Room.objects.create(name="room")
    models.DueMessage.objects.create(room=room, offset=1, due_at=timezone.now() - timezone.timedelta(minutes=10))
    models.DueMessage.objects.create(room=room, offset=2, due_at=timezone.now() + timezone.timedelta(minutes=10))
    models.FileUsage.objects.create(key="site", bytes=12)
    for off_since, failing_since in ((None, None), (None, timezone.now()), (timezone.now(), None)):
        webhook = models.Webhook.objects.create(
            url="http://x", secret="", off_since=off_since, failing_since=failing_since
        )
        models.WebhookPosition.objects.create(webhook=webhook, room=room, offset=3)
    models.Room.objects.update(last_offset=7)
    found = queues()
    assert (found.webhooks, found.webhooks_failing, found.webhooks_off, found.webhooks_behind) == (2, 1, 1, 8)
    assert (found.push_due, found.files, found.files_max) == (2, 12, settings.CHAT_FILES_TOTAL)
    assert 599 < found.push_overdue < 700


async def test_status_is_shared_by_those_who_ask_together(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    async def count() -> SiteStatus:
        nonlocal asked
        asked += 1
        return status()

    monkeypatch.setattr(site, "site_status", count)
    shared = site.SharedStatus.here()
    assert await shared.get() is await shared.get()
    assert asked == 1
