"""The way from the event loop to the database and back."""

import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from channels.db import database_sync_to_async
from django.db import Error

from chat import metrics
from chat.errors import Unavailable

logger = logging.getLogger(__name__)

Given = ParamSpec("Given")
Result = TypeVar("Result")


async def in_database(function: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Result:
    """Calls `function` in the one thread that does this process's database work. Raises Unavailable."""
    try:
        result: Result = await database_sync_to_async(function)(*args, **kwargs)
        return result
    except Error as error:
        metrics.DATABASE_ERRORS.inc()
        # Its first line only: PostgreSQL goes on with the row that it couldn't store.
        logger.error("The database failed: %s", str(error).partition("\n")[0])
        raise Unavailable("The database does not answer. Please try again in a moment.") from error
