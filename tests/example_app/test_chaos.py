"""The example app's clients lose nothing and hear all once and in order, whatever happens to servers and Redis."""

from pathlib import Path
from random import Random

import pytest

from chat.storage.database import in_database
from tests.example_app import chaos, models
from tests.servers import database_url


def read_stored() -> list[str]:
    entries = models.Entry.objects.filter(list__name="groceries").order_by("offset")
    assert [entry.offset for entry in entries] == [*range(1, len(entries) + 1)]
    return [entry.text for entry in entries]


async def test_entries_survive_killed_servers_and_redis_once_and_in_order(tmp_path: Path) -> None:
    with (tmp_path / "log").open("ab") as log:
        report = await chaos.run(20, database_url(), log, lambda: in_database(read_stored))
    assert report.problems == []
    assert len(report.stored) > 40


STORED = ["a", "b"]


@pytest.mark.parametrize(
    ("heard", "stored"),
    [
        ([(1, "a")], STORED),
        ([(1, "a"), (2, "b"), (2, "b")], STORED),
        ([(2, "b"), (1, "a")], STORED),
        ([(1, "a"), (2, "a")], ["a", "a"]),
        ([(1, "b")], ["b"]),
    ],
    ids=["lost", "twice", "out of order", "stored twice", "acknowledged and not stored"],
)
def test_report_tells_of_what_should_not_be(heard: list[tuple[int, str]], stored: list[str]) -> None:
    client = chaos.Client("client", [], Random(1), heard=heard, acknowledged={"a"})
    assert chaos.Report([client], stored).problems


def test_report_is_empty_where_all_is_well() -> None:
    client = chaos.Client("client", [], Random(1), heard=[(1, "a"), (2, "b")], acknowledged={"a"})
    assert chaos.Report([client], STORED).problems == []
