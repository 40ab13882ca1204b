"""Statements that PostgreSQL plans once for each connection, and not each time: see ADR 44."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import psycopg
from django.db import DatabaseError, connection
from django.db.backends.utils import CursorWrapper
from psycopg import errors

# Nothing was executed. The statement isn't there under its name, or another one is, since a pooler has put another
# connection behind this one; or a migration has changed the types of what it returns.
PLAN_ERRORS = (errors.InvalidSqlStatementName, errors.DuplicatePreparedStatement, errors.FeatureNotSupported)


def rows(statement: str, values: Sequence[Any]) -> list[Any]:
    """The rows that a statement returns. In a lane to PostgreSQL it is prepared when it is first used.

    Its text has to be the same each time. Within a transaction it isn't prepared: an error there ends the transaction,
    so that it couldn't be tried without a plan.
    """
    with _cursor() as cursor:
        try:
            cursor.execute(statement, values)
        except DatabaseError as error:
            if connection.in_atomic_block or not isinstance(error.__cause__, PLAN_ERRORS):
                raise
            connection.connection.prepare_threshold = None  # from now on, this connection does without
            cursor.execute(statement, values)
        return list(cursor.fetchall())


def _cursor() -> AbstractContextManager[CursorWrapper]:
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return connection.cursor()
    # Django's cursor puts the values into the statement; this one sends them beside it, as preparing needs.
    connection.ensure_connection()
    cursor: Any = psycopg.Cursor(connection.connection)
    return connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
