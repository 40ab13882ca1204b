"""Errors of the database: outages and mistakes of ours."""

import sqlite3
from collections.abc import Callable
from typing import Any

import psycopg
import psycopg_pool
import pytest
from django.db import (
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    connection,
)

from chat import models
from chat.errors import Unavailable
from chat.storage.database import in_database, is_outage


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError()
    error.sqlite_errorcode = code
    return error


OUTAGES = [
    (OperationalError, None),
    (InterfaceError, None),
    (OperationalError, sqlite_error(sqlite3.SQLITE_BUSY)),
    (OperationalError, sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT)),
    (OperationalError, sqlite_error(sqlite3.SQLITE_FULL)),
    (OperationalError, sqlite_error(sqlite3.SQLITE_IOERR_FSYNC)),
    (OperationalError, sqlite_error(sqlite3.SQLITE_CANTOPEN)),
    (OperationalError, sqlite_error(sqlite3.SQLITE_READONLY)),
    (OperationalError, psycopg_pool.PoolTimeout()),
    (OperationalError, psycopg_pool.TooManyRequests()),
    (OperationalError, psycopg.errors.AdminShutdown()),
    (OperationalError, psycopg.errors.TooManyConnections()),
    (OperationalError, psycopg.errors.DeadlockDetected()),
    (OperationalError, psycopg.errors.DiskFull()),
    (InternalError, psycopg.errors.ReadOnlySqlTransaction()),
]
MISTAKES = [
    (OperationalError, sqlite_error(sqlite3.SQLITE_ERROR)),
    (OperationalError, sqlite_error(sqlite3.SQLITE_ERROR_MISSING_COLLSEQ)),
    (InterfaceError, sqlite_error(sqlite3.SQLITE_MISUSE)),
    (ProgrammingError, psycopg.errors.UndefinedTable()),
    (ProgrammingError, psycopg.errors.SyntaxError()),
    (DataError, psycopg.errors.NumericValueOutOfRange()),
    (DataError, psycopg.errors.StringDataRightTruncation()),
    (IntegrityError, psycopg.errors.UniqueViolation()),
    (InternalError, psycopg.errors.InFailedSqlTransaction()),
    (NotSupportedError, None),
]


def name(value: object) -> str:
    if isinstance(value, type):
        return value.__name__
    return f"{type(value).__name__}{getattr(value, 'sqlite_errorcode', '')}"


def wrapped(kind: type[Error], cause: Exception | None) -> Error:
    """As Django has it: its own exception, with the driver's as its cause."""
    error = kind("failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(("kind", "cause"), OUTAGES, ids=name)
def test_is_outage_for_errors_of_the_databases_state(kind: type[Error], cause: Exception | None) -> None:
    assert is_outage(wrapped(kind, cause))


@pytest.mark.parametrize(("kind", "cause"), MISTAKES, ids=name)
def test_is_outage_is_false_for_wrong_statements(kind: type[Error], cause: Exception | None) -> None:
    assert not is_outage(wrapped(kind, cause))


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: execute("SELECT * FROM no_such_table"),
        lambda: execute("SELECT no_such_column FROM chat_room"),
        lambda: execute("SELEKT 1"),
        lambda: models.Room.objects.create(pk=1, name="a") and models.Room.objects.create(pk=1, name="b"),
        lambda: models.Message.objects.create(text="in no room"),
    ],
    ids=["table", "column", "syntax", "unique", "null"],
)
async def test_in_database_raises_errors_of_a_wrong_statement_unchanged(mistake: Callable[[], Any]) -> None:
    with pytest.raises(Error):
        await in_database(mistake)


async def test_in_database_raises_unavailable_when_the_database_does_not_answer() -> None:
    def fail() -> None:
        raise OperationalError("away")

    with pytest.raises(Unavailable):
        await in_database(fail)
