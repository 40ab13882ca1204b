"""Connections of pages to PostgreSQL, in which nothing is waited for without an end."""

from typing import Any, ClassVar, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

Result = TypeVar("Result")


class PageConnection(psycopg.Connection[Any]):
    """A connection that is given up, with an OperationalError, when PostgreSQL doesn't answer for `wait_timeout`.

    The pool then makes another one. PostgreSQL's own limits say nothing where the way there hangs, and TCP's nothing
    while the kernel at the other end still acknowledges what it gets: behind a proxy that hangs, or for a process that
    was stopped. `wait_timeout` is in seconds, and for the whole process. mysite.asgi sets it: a migration, which takes
    its connection from the same pool, may run for longer.
    """

    wait_timeout: ClassVar[float | None] = None

    def wait(self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None) -> Result:
        try:
            return super().wait(gen, interval, self.wait_timeout if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()  # an answer may still come, and would be taken for that to the next statement
            raise
