"""Whose doing it is: what each line of the log says of the connection it came through, and of the person there."""

import contextvars
import logging
import secrets
from dataclasses import dataclass, field


@dataclass(slots=True)
class Caller:
    """One connection: a WebSocket, or an HTTP request. `person` is the id of who is there, once that is known."""

    connection: str = field(default_factory=lambda: secrets.token_hex(4))
    person: str | None = None
    noted: frozenset[str] = frozenset()


_caller: contextvars.ContextVar[Caller | None] = contextvars.ContextVar("caller", default=None)


def begin() -> None:
    """From here on everything that this task does, and what it starts, is a new connection's doing."""
    _caller.set(Caller())


def identify(person: str) -> None:
    """Says who is at the other end."""
    if caller := _caller.get():
        caller.person = person


def first_time(what: str) -> bool:
    """Whether `what` is new with this connection: what happens a thousand times a second belongs in the log once."""
    caller = _caller.get()
    if caller is None:
        return True
    if what in caller.noted:
        return False
    caller.noted |= {what}
    return True


def nobody() -> contextvars.Context:
    """For tasks that work for everybody, whoever happened to start them."""
    return contextvars.Context()


class WithCaller(logging.Filter):
    """Gives each record `connection` and `person`, where there are any, and `caller`, both as a short text."""

    def filter(self, record: logging.LogRecord) -> bool:
        caller = _caller.get()
        record.caller = ""
        if caller:
            record.connection = caller.connection
            record.caller = f" [{caller.connection}]"
            if caller.person:
                record.person = caller.person
                record.caller = f" [{caller.connection} {caller.person}]"
        return True
