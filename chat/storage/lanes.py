"""Lanes to the database: threads with a connection of their own each, which they keep.

Work in one lane waits for nothing in another, so reads don't wait for writes, nor short ones for long ones. All
that is written in a room goes through one lane, in its order. A process has CHAT_DATABASE_LANES of them; where that is
one or two, lanes do several kinds of work. See docs/adr/0039-lanes-to-the-database.md.
"""

import asyncio
import contextvars
import logging
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from queue import SimpleQueue
from typing import Any
from zlib import crc32

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend
from django.utils.translation import gettext_lazy as _

from chat import metrics
from chat.domain.rooms import Room
from chat.errors import Unavailable

logger = logging.getLogger(__name__)

CALL_TIMEOUT = 5.0  # seconds that a call may run on PostgreSQL; longer than a statement may, by CHAT_LANE_OPTIONS
CALLS_MAX = 5_000  # calls that wait in one lane; more are refused
DISCONNECT_TIMEOUT = 5.0  # seconds for the calls that are under way when all lanes close their connections


class Work(Enum):
    """The kinds of work with the database that don't wait for each other."""

    WRITE = "write"
    READ = "read"
    LONG_READ = "long read"


@dataclass(eq=False, slots=True)
class Call:
    """A function that a lane calls for somebody who waits in an event loop for its result.

    What is only read may be read once more, if the connection turns out to be lost.
    """

    function: Callable[[], Any]
    result: asyncio.Future[Any]
    may_repeat: bool
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    context: contextvars.Context = field(default_factory=contextvars.copy_context)
    started: float = 0.0  # by time.monotonic
    timer: asyncio.TimerHandle | None = None

    def run(self, connection: BaseDatabaseWrapper) -> tuple[Any, BaseException | None]:
        """The function's result, or what it raised."""
        was_connected = connection.connection is not None
        try:
            try:
                return self.context.run(self.function), None
            except (OperationalError, InterfaceError):
                if not (self.may_repeat and was_connected and is_lost(connection)):
                    raise
                connection.close()
                return self.context.run(self.function), None
        except BaseException as error:
            return None, error

    def end(self, result: Any, error: BaseException | None) -> None:
        """Has the event loop go on; from any thread."""
        with suppress(RuntimeError):  # the loop is closed, and nobody waits
            self.loop.call_soon_threadsafe(self._end, result, error)

    def _end(self, result: Any, error: BaseException | None) -> None:
        if self.timer is not None:
            self.timer.cancel()
        if self.result.done():  # the call was given up before, or the caller was cancelled
            return
        if error is None:
            self.result.set_result(result)
        else:
            self.result.set_exception(error)


class Lane:
    """Calls one function after the other in its thread, with its connection.

    A call that runs for longer than `timeout` hangs. Its caller is told Unavailable, its connection is cut, and the
    lane goes on with a new thread and a new connection. Other lanes don't notice.
    """

    def __init__(self, name: str, timeout: float | None) -> None:
        self.name = name
        self._timeout = timeout
        self._calls: SimpleQueue[Call | threading.Event] = SimpleQueue()
        self._lock = threading.Lock()  # held by a thread that changes what follows
        self._thread: threading.Thread | None = None
        self._running: Call | None = None
        self._connection: BaseDatabaseWrapper | None = None  # of the running call

    async def call(self, function: Callable[[], Any], *, may_repeat: bool) -> Any:
        """Raises what `function` raises, and Unavailable."""
        if self._calls.qsize() >= CALLS_MAX:
            raise Unavailable(_("Too much is being asked for at once. Please try again in a moment."))
        call = Call(function, asyncio.get_running_loop().create_future(), may_repeat)
        if self._timeout is not None:
            call.timer = call.loop.call_later(self._timeout, self._look_after, call)
        self._put(call)
        return await call.result

    def disconnect(self) -> threading.Event:
        """Closes the lane's connection once all calls so far have ended. The event is set when that is done."""
        closed = threading.Event()
        if self._thread is None:
            closed.set()
        else:
            self._put(closed)
        return closed

    def _put(self, call: Call | threading.Event) -> None:
        self._calls.put(call)
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._start_thread()

    def _start_thread(self) -> None:
        # A daemon, since a thread that hangs is no reason for the process not to end.
        self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        connection = connect()
        while threading.current_thread() is self._thread:
            call = self._calls.get()
            if isinstance(call, threading.Event):
                connection.close()
                call.set()
                continue
            if has_hung_up(connection):
                connection.close()
            if connection.connection is None:
                connection = connect()  # with the settings of now: tests change the database's name
            self._run(call, connection)
        connection.close()

    def _run(self, call: Call, connection: BaseDatabaseWrapper) -> None:
        with self._lock:
            call.started = time.monotonic()
            self._running, self._connection = call, connection
        result, error = call.run(connection)
        with self._lock:
            given_up = self._running is not call
            if not given_up:
                self._running = self._connection = None
        if not given_up:  # else its caller is told so, whatever came of it
            call.end(result, error)
        if connection.errors_occurred:
            connection.close_if_unusable_or_obsolete()

    def _look_after(self, call: Call) -> None:
        """Gives up on the call that is running, if it hangs: `call`, or one that `call` waits for."""
        assert self._timeout is not None
        running, time_left = self._running, self._timeout
        if running is not None:
            time_left = running.started + self._timeout - time.monotonic()
        if running is not None and time_left <= 0:
            self._give_up(running)
        if not call.result.done():
            call.timer = call.loop.call_later(max(time_left, 0.1), self._look_after, call)

    def _give_up(self, call: Call) -> None:
        with self._lock:
            if self._running is not call or self._connection is None:
                return
            cut(self._connection)
            self._running = self._connection = None
            self._start_thread()
        metrics.LANES_GIVEN_UP.inc()
        logger.error("The database hangs: lane “%s” gives up a call and its connection", self.name)
        call.end(None, Unavailable(_("The database does not answer. Please try again in a moment.")))


class Lanes:
    """The lanes of this process. They start with the first call; each connects with its own first one."""

    _here: "Lanes | None" = None
    _lock = threading.Lock()

    def __init__(self, count: int, timeout: float | None) -> None:
        writers = max(1, count - 2)
        self.writers = [Lane(f"{Work.WRITE.value} {number}", timeout) for number in range(writers)]
        self.reader = Lane(Work.READ.value, timeout) if count > 1 else self.writers[0]
        self.long_reader = Lane(Work.LONG_READ.value, timeout) if count > 2 else self.reader

    @classmethod
    def here(cls) -> "Lanes":
        if cls._here is None:
            with cls._lock:
                if cls._here is None:
                    is_remote = connections[DEFAULT_DB_ALIAS].vendor == "postgresql"
                    cls._here = cls(settings.CHAT_DATABASE_LANES, CALL_TIMEOUT if is_remote else None)
        return cls._here

    def lane(self, work: Work, room: Room | None) -> Lane:
        """The lane for `work`; `room` is where something is written, if that is in a room."""
        match work:
            case Work.READ:
                return self.reader
            case Work.LONG_READ:
                return self.long_reader
            case Work.WRITE:
                return self.writers[self.writer(room) if room else 0]

    @property
    def all(self) -> list[Lane]:
        """Each lane once."""
        return list(dict.fromkeys([*self.writers, self.reader, self.long_reader]))

    def writer(self, room: Room) -> int:
        """The number of the lane in which this process writes in `room`: always the same, so that its order stands."""
        return crc32(room.name.encode()) % len(self.writers)

    @classmethod
    def disconnect(cls) -> None:
        """Closes the connections of all lanes, after what is under way. They connect again when they are next used."""
        if cls._here is not None:
            deadline = time.monotonic() + DISCONNECT_TIMEOUT
            for closed in [lane.disconnect() for lane in cls._here.all]:
                closed.wait(max(0, deadline - time.monotonic()))

    @classmethod
    def forget(cls) -> None:
        """For a process that was forked, which doesn't have the threads."""
        cls._here = None
        cls._lock = threading.Lock()


def connect() -> BaseDatabaseWrapper:
    """Gives this thread a connection to the database that is none of the pool's. It connects when it is first used."""
    found = connections.settings[DEFAULT_DB_ALIAS]
    options = {name: value for name, value in found["OPTIONS"].items() if name != "pool"}
    # Nor is it looked at before each use, which would take a round trip.
    changed = {"OPTIONS": options | settings.CHAT_LANE_OPTIONS, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": False}
    connection: BaseDatabaseWrapper = load_backend(found["ENGINE"]).DatabaseWrapper(found | changed, DEFAULT_DB_ALIAS)
    connections[DEFAULT_DB_ALIAS] = connection
    return connection


def has_hung_up(connection: BaseDatabaseWrapper) -> bool:
    """Whether the server ended the connection while nobody used it: it has sent something, which only then it does."""
    if connection.connection is None or connection.vendor != "postgresql":
        return False
    if connection.connection.closed:
        return True
    readable = select.poll()
    readable.register(connection.connection.fileno(), select.POLLIN)
    return bool(readable.poll(0))


def is_lost(connection: BaseDatabaseWrapper) -> bool:
    """Whether the server, or the way there, has ended the connection."""
    return connection.vendor == "postgresql" and (connection.connection is None or connection.connection.closed)


def cut(connection: BaseDatabaseWrapper) -> None:
    """Ends a connection in whose use another thread hangs, and thereby that thread's wait."""
    with suppress(psycopg.Error, OSError, AttributeError):  # it is not connected yet, or not any more
        line = socket.socket(fileno=os.dup(connection.connection.fileno()))
        with line:
            line.shutdown(socket.SHUT_RDWR)
