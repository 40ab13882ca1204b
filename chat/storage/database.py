"""The way from the event loop to the database and back."""

import logging
import sqlite3
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from channels.db import database_sync_to_async
from django.db import Error, InterfaceError, OperationalError

from chat import metrics
from chat.errors import Unavailable

logger = logging.getLogger(__name__)

Given = ParamSpec("Given")
Result = TypeVar("Result")


# Reported as the database's state, although it is the statement or its use that is wrong ("no such table").
SQLITE_MISTAKES = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISUSE}
# Reported as a wrong statement, although it is the database's state: after a failover this server only reads.
POSTGRESQL_READ_ONLY = "25006"


async def in_database(function: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Result:
    """Calls `function` in the one thread that does this process's database work.

    Raises Unavailable when the database doesn't answer: it is away, busy, full or stopping. Everything else that
    `function` raises is passed on, other errors of the database's too: those are ours, and trying again is no use.
    """
    try:
        result: Result = await database_sync_to_async(function)(*args, **kwargs)
        return result
    except Error as error:
        metrics.DATABASE_ERRORS.inc()
        # Only the first line may reach the log: PostgreSQL goes on with the row that it couldn't store.
        problem = str(error).partition("\n")[0]
        if not is_outage(error):
            error.args = (problem,)
            raise error from None
        logger.error("The database failed: %s", problem)
        raise Unavailable("The database does not answer. Please try again in a moment.") from error


def is_outage(error: Error) -> bool:
    """Whether the state of the database is the cause of `error`, and not what was asked of it."""
    if isinstance(error, (OperationalError, InterfaceError)):
        code = getattr(error.__cause__, "sqlite_errorcode", sqlite3.SQLITE_OK)
        return code & 0xFF not in SQLITE_MISTAKES  # the other bits only say more of the same
    return getattr(error.__cause__, "sqlstate", None) == POSTGRESQL_READ_ONLY
