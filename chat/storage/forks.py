"""A fork with the database in use: the child starts with connections of its own, and so does the parent.

Channels' live test server is a fork of the test process. SQLite keeps its locks per process and would believe, in the
child, that it holds those of the parent, until the file is damaged; psycopg's pool would have both processes talk
through the same sockets. See docs/adr/0033-nothing-of-the-database-outlives-a-fork.md.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Any
from weakref import WeakSet

from asgiref.sync import SyncToAsync
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from chat.storage.lanes import Lanes

_connections: WeakSet[BaseDatabaseWrapper] = WeakSet()  # of all threads


def prepare_for_forks() -> None:
    """Call this once, before anything connects to a database."""
    connection_created.connect(_remember)
    os.register_at_fork(before=_close_connections_in_a_thread, after_in_child=_renew_threads)


def _remember(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    _connections.add(connection)


def _close_connections_in_a_thread() -> None:
    """Django closes no connection where an event loop runs, and a process may fork there."""
    thread = Thread(target=_close_connections)
    thread.start()
    thread.join()


def _close_connections() -> None:
    """Closes what is connected, in whichever thread; each connects again when it is next used.

    A connection in the middle of a transaction stays as it is.
    """
    Lanes.disconnect()
    idle = [connection for connection in list(_connections) if not connection.in_atomic_block]
    for connection in idle:
        connection.inc_thread_sharing()
        try:
            connection.close()
        finally:
            connection.dec_thread_sharing()
    for connection in idle:
        if hasattr(connection, "close_pool"):  # PostgreSQL's, which all threads share
            connection.close_pool()


def _renew_threads() -> None:
    """asgiref's executor and the lanes would wait in the child for threads that only the parent has."""
    Lanes.forget()
    SyncToAsync.single_thread_executor = ThreadPoolExecutor(max_workers=1)
