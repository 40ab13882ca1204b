"""Logging context of the current connection: its id, and the person at the other end."""

import contextvars
import logging
import random
from dataclasses import dataclass, field

from chat import tracing


@dataclass(slots=True)
class Connection:
    """A WebSocket or an HTTP request. `person` is the id of the person at the other end, once that is known."""

    id: str = field(default_factory=lambda: f"{random.getrandbits(32):08x}")
    person: str | None = None
    noted: frozenset[str] = frozenset()


_current: contextvars.ContextVar[Connection | None] = contextvars.ContextVar("connection", default=None)


def begin() -> None:
    """Starts a new connection's context, for this task and the tasks that it starts."""
    _current.set(Connection())


def identify(person: str) -> None:
    """Notes the id of the person at the other end."""
    if connection := _current.get():
        connection.person = person


def first_time(what: str) -> bool:
    """Whether `what` is new with this connection: what happens a thousand times a second belongs in the log once."""
    connection = _current.get()
    if connection is None:
        return True
    if what in connection.noted:
        return False
    connection.noted |= {what}
    return True


def detached() -> contextvars.Context:
    """A context of no connection, for tasks that work for all of them."""
    return contextvars.Context()


class ConnectionFilter(logging.Filter):
    """Gives each record `connection` and `person`, where there are any, and `connection_tag`, both as a short text."""

    def filter(self, record: logging.LogRecord) -> bool:
        connection = _current.get()
        record.connection_tag = ""
        if connection:
            record.connection = connection.id
            record.connection_tag = f" [{connection.id}]"
            if connection.person:
                record.person = connection.person
                record.connection_tag = f" [{connection.id} {connection.person}]"
        if ids := tracing.ids():
            record.trace_id, record.span_id = ids
        return True
