"""A short run of the chaos test, and its own checks of lost, doubled and misordered messages."""

import subprocess
import sys
import time

import pytest

from tests.chaos.acts import Act, Verb
from tests.chaos.clients import Browser, Client
from tests.chaos.ledger import Heard
from tests.chaos.report import Report
from tests.chaos.rooms import StoredRoom
from tests.screen import Screen, Shown
from tests.servers import ROOT

LOG: list[Heard] = [(1, "a"), (2, "b"), (3, "c")]


def stored(log: list[Heard], **shown: Shown) -> dict[str, StoredRoom]:
    """A room with that log; `shown` are its messages, as `at_1` and so on."""
    screen = Screen({int(name.removeprefix("at_")): one for name, one in shown.items()})
    return {"room1": StoredRoom(log, screen)}


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
    report = Report([listener(*heard)], stored(LOG))
    row = report.rows[1]
    found = [
        [text.removeprefix("listener in room1: ") for text in column]
        for column in (row.lost, row.doubled, row.out_of_order)
    ]
    assert found == [lost, doubled, out_of_order]
    assert report.good == (heard == LOG)


def test_report_counts_no_answer_to_a_retry_as_a_double() -> None:
    client = listener()
    client.acts["a"] = Act("room1")
    frame = {"kind": "message", "offset": 1, "message": "a", "client_id": "a", "sent_at": "2026-01-01T00:00:00Z"}
    for _ in range(2):
        client.ledger.send("a")
        client.take("room1", frame)
    log = stored([(1, "a")], at_1=Shown("a"))
    assert Report([client], log).good
    assert client.ledger.acknowledged == {"a": (1, "a")}
    client.take("room1", frame)
    assert Report([client], log).rows[1].doubled == ["listener in room1: 1 (a)"]


@pytest.mark.parametrize("log", [[], [(1, "b")], [(1, "a"), (2, "a")], [(2, "a")]])
def test_report_fails_when_stored_messages_differ_from_acknowledged_ones(log: list[Heard]) -> None:
    client = listener(*log)
    client.ledger.send("a")
    client.ledger.acknowledge("a", 1)
    assert not Report([client], stored(log)).good


@pytest.mark.parametrize(
    "frame", [{"kind": "start_over", "message": "", "offset": 7}, {"kind": "error", "error": {"code": "invalid_frame"}}]
)
def test_report_fails_when_a_client_has_to_start_over_or_gets_an_error(frame: dict) -> None:
    client = listener()
    client.take("room1", frame)
    assert not Report([client], stored([])).good


@pytest.mark.parametrize(
    "there",
    [
        {},
        {"at_1": Shown("b")},
        {"at_1": Shown("a", reactions=(("👍", 1),))},
        {"at_1": Shown("a", quote=(0, ""))},
        {"at_1": Shown("a"), "at_2": Shown("b")},
    ],
)
def test_report_fails_when_a_client_sees_other_than_what_is_stored(there: dict[str, Shown]) -> None:
    client = listener((1, "a"))
    client.screens["room1"][1] = Shown("a")
    report = Report([client], stored([(1, "a")], **there))
    assert report.rows[1].differing
    assert not report.good


def test_report_fails_when_an_acknowledged_reaction_is_not_stored() -> None:
    client = listener((1, "a"))
    client.habits.emoji = "👍"
    client.acts["b"] = Act("room1", Verb.REACT, 1, "👍")
    client.acknowledge("b", None)
    client.screens["room1"][1] = Shown("a")
    assert not Report([client], stored([(1, "a")], at_1=Shown("a"))).good


def test_report_fails_when_sums_of_reactions_are_not_those_of_their_rows() -> None:
    client = listener((1, "a"))
    client.screens["room1"][1] = Shown("a", (("👍", 2),))
    assert not Report([client], stored([(1, "a")], at_1=Shown("a", (("👍", 2),)))).good


@pytest.mark.parametrize(
    ("code", "deleted", "good"),
    [("no_such_message", {1}, True), ("no_such_message", set(), False), ("not_allowed", {1}, False)],
)
def test_report_takes_a_refusal_only_for_a_message_that_is_deleted(code: str, deleted: set[int], good: bool) -> None:
    client = listener((1, "a"))
    client.acts["b"] = Act("room1", Verb.EDIT, 1)
    client.refuse("b", code, code)
    log = stored([(1, "a")])
    log["room1"].deleted = deleted
    assert Report([client], log).good == good


# A database that was set back


def test_report_takes_a_start_over_of_a_listener_that_heard_what_is_gone() -> None:
    client = listener((1, "a"), (2, "gone"))
    client.take("room1", {"kind": "start_over", "message": "", "offset": 1, "id": "id of a"})
    client.ledger.hear("room1", 2, "b", sent_at=time.time(), connected_at=0)
    log = stored([(1, "a"), (2, "b")])
    assert Report([client], log, set_back=True).good
    assert not Report([client], log).good


@pytest.mark.parametrize(
    ("before", "offset", "after"),
    [
        (None, 0, [(1, "a"), (2, "gone"), (3, "c")]),  # a silent hole: it never started over
        ([(1, "a"), (2, "gone")], 1, [(3, "c")]),  # it started over, and then missed one
        ([(1, "a"), (3, "gone")], 1, [(2, "b"), (3, "c")]),  # it had a hole before
        ([(1, "a"), (2, "gone"), (2, "gone")], 1, [(2, "b"), (3, "c")]),
        ([(2, "gone"), (1, "a")], 1, [(2, "b"), (3, "c")]),
        ([(1, "a"), (2, "gone")], 1, [(2, "b"), (2, "b"), (3, "c")]),
    ],
)
def test_report_fails_when_a_listener_of_a_log_that_went_back_misses_something(
    before: list[Heard] | None, offset: int, after: list[Heard]
) -> None:
    client = listener(*before or ())
    if before:
        client.ledger.start_over("room1", offset, "")
    for number, client_id in after:
        client.ledger.hear("room1", number, client_id, sent_at=time.time(), connected_at=0)
    assert not Report([client], stored([(1, "a"), (2, "b"), (3, "c")]), set_back=True).good


def test_report_forgives_only_what_was_acknowledged_after_the_copy_was_taken() -> None:
    client = listener()
    for client_id in ("kept", "gone"):
        client.ledger.send(client_id)
    client.ledger.acknowledge("kept", 1)
    copied_at = time.time()
    client.ledger.acknowledge("gone", 2)
    client.ledger.forget_acknowledged(copied_at)
    client.ledger.hear("room1", 1, "kept", sent_at=time.time(), connected_at=0)
    assert Report([client], stored([(1, "kept")]), set_back=True).good
    assert not Report([client], stored([]), set_back=True).good


def test_report_forgives_two_answers_only_where_two_databases_may_have_given_them() -> None:
    client, copied_at = listener(), time.time()
    client.ledger.send("a")
    client.ledger.acknowledge("a", 2)
    client.ledger.acknowledge("a", 1)
    client.ledger.hear("room1", 1, "a", sent_at=time.time(), connected_at=0)
    assert "a was acknowledged under 2 and under 1" in str(Report([client], stored([(1, "a")]), set_back=True))
    client.ledger.forget_acknowledged(copied_at)
    assert Report([client], stored([(1, "a")]), set_back=True).good


@pytest.mark.parametrize("options", [["--redis", "2"], ["--set-back", "--delay", "1"]], ids=["faults", "set back"])
def test_acknowledged_messages_survive_postgresql_that_is_cut_off_or_set_back(options: list[str]) -> None:
    command = [sys.executable, "-m", "tests.chaos", "--seconds", "20", "--seed", "4", "--database", "postgresql"]
    done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
