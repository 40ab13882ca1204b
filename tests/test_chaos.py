"""A short run of the chaos test, and its own checks of lost, doubled and misordered messages."""

import subprocess
import sys
import time

import pytest

from tests.chaos.clients import Browser, Client
from tests.chaos.ledger import Heard
from tests.chaos.report import Report
from tests.servers import ROOT

LOG: list[Heard] = [(1, "a"), (2, "b"), (3, "c")]


def listener(*heard: Heard) -> Client:
    client = Browser("listener", ["room1"], [], seed=1)
    for offset, client_id in heard:
        client.ledger.hear("room1", offset, client_id, sent_at=time.time(), connected_at=0)
    return client


def test_acknowledged_messages_survive_killed_servers_and_redis_once_and_in_order() -> None:
    command = [sys.executable, "-m", "tests.chaos", "--seconds", "20", "--seed", "4"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("heard", "lost", "doubled", "out_of_order"),
    [
        (LOG, [], [], []),
        (LOG[:2], ["3 (c)"], [], []),
        ([LOG[0], LOG[2]], ["2 (b)"], [], []),
        ([*LOG, LOG[2]], [], ["3 (c)"], []),
        ([LOG[0], LOG[2], LOG[1]], [], [], ["2 (b)"]),
    ],
)
def test_report_counts_lost_doubled_and_misordered_messages_of_a_listener(
    heard: list[Heard], lost: list[str], doubled: list[str], out_of_order: list[str]
) -> None:
    report = Report([listener(*heard)], {"room1": LOG})
    row = report.rows[1]
    found = [
        [text.removeprefix("listener in room1: ") for text in column]
        for column in (row.lost, row.doubled, row.out_of_order)
    ]
    assert found == [lost, doubled, out_of_order]
    assert report.good == (heard == LOG)


def test_report_counts_no_answer_to_a_retry_as_a_double() -> None:
    client = listener()
    frame = {"kind": "message", "offset": 1, "client_id": "a", "sent_at": "2026-01-01T00:00:00Z"}
    for _ in range(2):
        client.ledger.send("a")
        client.take("room1", frame)
    assert Report([client], {"room1": [(1, "a")]}).good
    assert client.ledger.acknowledged == {"a": (1, "a")}
    client.take("room1", frame)
    assert Report([client], {"room1": [(1, "a")]}).rows[1].doubled == ["listener in room1: 1 (a)"]


@pytest.mark.parametrize("stored", [[], [(1, "b")], [(1, "a"), (2, "a")], [(2, "a")]])
def test_report_fails_when_stored_messages_differ_from_acknowledged_ones(stored: list[Heard]) -> None:
    client = listener(*stored)
    client.ledger.send("a")
    client.ledger.acknowledge("a", 1)
    assert not Report([client], {"room1": stored}).good


@pytest.mark.parametrize(
    "frame", [{"kind": "start_over", "message": "", "offset": 7}, {"kind": "error", "error": {"code": "invalid_frame"}}]
)
def test_report_fails_when_a_client_has_to_start_over_or_gets_an_error(frame: dict) -> None:
    client = listener()
    client.take("room1", frame)
    assert not Report([client], {"room1": []}).good
