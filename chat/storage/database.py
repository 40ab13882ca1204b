"""The way from the event loop to the database and back."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn, ParamSpec, TypeVar

from asgiref.sync import AsyncToSync, sync_to_async
from django.db import Error, InterfaceError, OperationalError, connection
from django.utils.translation import gettext_lazy as _

from chat import metrics, models
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import Unavailable
from chat.storage.lanes import Lanes, Work

logger = logging.getLogger(__name__)

Given = ParamSpec("Given")
Result = TypeVar("Result")


# Reported as the database's state, although it is the statement or its use that is wrong ("no such table").
SQLITE_MISTAKES = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISUSE}
# Reported as a wrong statement, although it is the database's state: after a failover this server only reads.
POSTGRESQL_READ_ONLY = "25006"


def writes(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Marks a function that writes in a room: its first argument, or that of the drafts in its first argument.

    Or what it writes is a person's own, who is the first argument; or the site's, and all its arguments are named.
    """
    _work[function] = Work.WRITE
    return function


def reads_long(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Marks a function that may read so much that others shouldn't wait for it."""
    _work[function] = Work.LONG_READ
    return function


_work: dict[Callable[..., Any], Work] = {}  # what isn't marked is read quickly


async def in_database(function: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Result:
    """Calls `function` in the lane for its kind of work: see `writes` and `reads_long`.

    Raises Unavailable when the database doesn't answer: it is away, busy, full, stopping or hanging. Whether something
    was written is not known then. Everything else that `function` raises is passed on, other errors of the database's
    too: those are ours, and trying again is no use.
    """
    try:
        if is_waited_for():
            waiting: Result = await sync_to_async(function)(*args, **kwargs)
            return waiting
        work = _work.get(function, Work.READ)
        lane = Lanes.here().lane(work, _room(*args) if work is Work.WRITE else None)
        result: Result = await lane.call(partial(function, *args, **kwargs), may_repeat=work is not Work.WRITE)
        return result
    except Error as error:
        _raise_as_told(error)


async def ask_each_lane() -> None:
    """Asks the database for next to nothing in every lane, in those that write after what is written there.

    Raises as `in_database` does if one of them gets no answer.
    """
    if is_waited_for():
        await in_database(_ask)
        return
    try:
        await asyncio.gather(*(lane.call(_ask, may_repeat=True) for lane in Lanes.here().all))
    except Error as error:
        _raise_as_told(error)


def _ask() -> None:
    models.Room.objects.filter(pk=0).exists()


def _raise_as_told(error: Error) -> NoReturn:
    metrics.DATABASE_ERRORS.inc()
    # Only the first line may reach the log: PostgreSQL goes on with the row that it couldn't store.
    problem = str(error).partition("\n")[0]
    if not is_outage(error):
        error.args = (problem,)
        raise error from None
    logger.error("The database failed: %s", problem)
    raise Unavailable(_("The database does not answer. Please try again in a moment.")) from error


def _room(first: object = None, *others: object) -> Room | None:
    """The room in which a function that is marked with `writes` writes, by its arguments.

    None for a person's own, and for the site's.
    """
    if first is None or isinstance(first, Person):
        return None
    room = first if isinstance(first, Room) else first[0].room  # type: ignore[index]
    assert isinstance(room, Room)
    return room


def release_connection() -> None:
    """Gives the connection of this thread back, before the thread waits for something else than the database.

    Pages share few. In a transaction, as in a test, it stays.
    """
    if not connection.in_atomic_block:
        connection.close()


def is_waited_for() -> bool:
    """Whether a thread waits for this event loop: one of Django's tests, or a command, by `async_to_sync`.

    Then that thread does the work: it may be in a transaction, of which others see nothing.
    """
    return asyncio.get_running_loop() in AsyncToSync.loop_thread_executors


def is_outage(error: Error) -> bool:
    """Whether the state of the database is the cause of `error`, and not what was asked of it."""
    if isinstance(error, (OperationalError, InterfaceError)):
        code = getattr(error.__cause__, "sqlite_errorcode", sqlite3.SQLITE_OK)
        return code & 0xFF not in SQLITE_MISTAKES  # the other bits only say more of the same
    return getattr(error.__cause__, "sqlstate", None) == POSTGRESQL_READ_ONLY
