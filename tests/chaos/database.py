"""A PostgreSQL to which each server has a way of its own that can be cut, and whose place a copy can take."""

import asyncio
import contextlib
import time
from types import TracebackType

import psycopg

from benchmarks.slow_proxy import SlowProxy
from tests.postgres import postgres, socket_path

TERMINATE = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = %s"


class Database:
    """While the block lasts, `urls` lead to it, one for each server. All methods but `url` may block for seconds."""

    def __init__(self, servers: int, *, delay: float = 0.0) -> None:
        """`delay` is the time to the database in seconds, each way."""
        self.lock = asyncio.Lock()  # held by each fault
        self.proxies = [SlowProxy("", delay=delay) for _ in range(servers)]
        self._stack = contextlib.ExitStack()
        self._primary = contextlib.ExitStack()
        self._copy = contextlib.ExitStack()
        self._copy_url = ""

    def __enter__(self) -> "Database":
        with self._stack:
            self.url = self._primary.enter_context(postgres())
            self._stack.callback(lambda: self._primary.close())  # whichever it is by then
            self._stack.callback(lambda: self._copy.close())
            for proxy in self.proxies:
                self._stack.enter_context(proxy)
                proxy.switch(str(socket_path(self.url)))
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def urls(self) -> list[str]:
        return [
            f"postgres://postgres@127.0.0.1:{proxy.port}/postgres?application_name=server-{number}"
            for number, proxy in enumerate(self.proxies)
        ]

    def terminate(self, server: int) -> int:
        """Has PostgreSQL end all sessions of one server. Returns how many."""
        path = socket_path(self.url)
        with psycopg.connect(host=str(path.parent), user="postgres", dbname="postgres", autocommit=True) as connection:
            row = connection.execute(TERMINATE, [f"server-{server}"]).fetchone()
        return row[0] if row else 0

    def take_copy(self) -> float:
        """Begins to lag: from now on there is a copy that gets nothing more. Returns since when, as time.time()."""
        began = time.time()
        self._copy_url = self._copy.enter_context(postgres(copy_of=self.url))
        return began

    def fail_over(self) -> None:
        """The primary ends, and the copy takes its place."""
        self._primary.close()
        self.url, self._primary, self._copy = self._copy_url, self._copy, contextlib.ExitStack()
        for proxy in self.proxies:
            proxy.switch(str(socket_path(self.url)))
            proxy.cut()
