"""Prepared statements, in a lane to a PostgreSQL of its own: they are planned once, and never in the way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import psycopg
import pytest
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, connections, transaction

from chat.storage import prepared
from chat.storage.lanes import Lane
from tests.postgres import postgres, socket_path

STATEMENT = "SELECT value FROM thing WHERE value = %s"


@pytest.fixture
async def lane(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lane]:
    with postgres() as url:
        there: dict[str, Any] = {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "postgres"}
        there |= {"HOST": str(socket_path(url).parent), "PORT": "", "OPTIONS": {"prepare_threshold": 0}}
        found = connections[DEFAULT_DB_ALIAS].settings_dict
        monkeypatch.setitem(connections.settings, DEFAULT_DB_ALIAS, found | there)
        lane = Lane("prepared", None)
        await call(lane, lambda: execute("CREATE TABLE thing (value integer UNIQUE)"))
        await call(lane, lambda: execute("INSERT INTO thing VALUES (1)"))
        yield lane
        await asyncio.to_thread(lane.disconnect().wait, 5)


async def call(lane: Lane, function: Callable[[], Any]) -> Any:
    return await lane.call(function, may_repeat=False)


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def elsewhere(statement: str) -> None:
    """Executes a statement by another connection."""
    name, folder = (connection.settings_dict[key] for key in ("NAME", "HOST"))
    with psycopg.connect(dbname=name, host=folder, user="postgres", autocommit=True) as other:
        other.execute(statement)  # type: ignore[arg-type]


def plans() -> list[int]:
    """How often each prepared statement of this connection was executed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT generic_plans + custom_plans FROM pg_prepared_statements")
        return [times for (times,) in cursor.fetchall()]


def read(value: int = 1) -> list[Any]:
    return prepared.rows(STATEMENT, [value])


async def test_statement_is_prepared_once_and_executed_by_its_name(lane: Lane) -> None:
    assert [await call(lane, read) for _ in range(3)] == [[(1,)]] * 3
    assert await call(lane, lambda: read(2)) == []
    assert await call(lane, plans) == [4]


async def test_statement_within_a_transaction_is_not_prepared(lane: Lane) -> None:
    def read_in_transaction() -> list[Any]:
        with transaction.atomic():
            return read()

    assert await call(lane, read_in_transaction) == [(1,)]
    assert await call(lane, plans) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda: execute("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$"),
        lambda: elsewhere("ALTER TABLE thing ALTER value TYPE bigint"),
    ],
    ids=["statement is gone", "type of the result has changed"],
)
async def test_statement_that_can_not_be_executed_as_prepared_is_executed_all_the_same(
    lane: Lane, spoil: Callable[[], None]
) -> None:
    await call(lane, read)
    await call(lane, spoil)
    for _ in range(2):
        assert await call(lane, read) == [(1,)]


async def test_other_errors_are_passed_on_and_the_statement_stays_prepared(lane: Lane) -> None:
    def insert(value: int) -> list[Any]:
        return prepared.rows("INSERT INTO thing VALUES (%s) RETURNING value", [value])

    assert await call(lane, lambda: insert(2)) == [(2,)]
    for _ in range(2):
        with pytest.raises(IntegrityError):
            await call(lane, lambda: insert(2))
    assert await call(lane, lambda: insert(3)) == [(3,)]
    assert await call(lane, plans) == [4]
