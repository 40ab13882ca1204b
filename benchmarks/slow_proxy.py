"""Puts a server at a distance: every byte arrives DELAY_MS milliseconds later, each way, in order.

    python -m benchmarks.slow_proxy TARGET PORT DELAY_MS

TARGET is host:port, or the path of a Unix socket. PORT is where it listens, on 127.0.0.1; 0 is any free one. It says
where once it does, and then takes a command on each line of its input: `cut` closes all connections, `black-hole` has
nothing pass through those that are open, `switch TARGET` sends new ones elsewhere, `delay DELAY_MS` moves the server.
"""

import argparse
import asyncio
import concurrent.futures
import selectors
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from types import TracebackType

from benchmarks.slow_connection import SlowConnection

CALL_TIMEOUT = 10.0  # seconds that the proxy's thread has to start, to do what it is told, and to stop


class SlowProxy:
    """A proxy on a port of 127.0.0.1, in a thread of its own: tests use it whether they are async or not.

    `target` is `host:port` or the path of a Unix socket, `delay` is in seconds, and may be changed. A connection takes
    a round trip to open, as over a network. Bytes are late by up to 0.2 ms. Its timers need `select`, with which a
    process can have a thousand open files. Raises OSError where the port is taken.
    """

    def __init__(self, target: str, *, delay: float = 0.0, port: int = 0) -> None:
        self.target = target
        self.delay = delay
        self.port = port
        self._connections: dict[SlowConnection, None] = {}  # a set in the order in which they were made
        self._opening: set[asyncio.Task[None]] = set()
        self._started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._run, name="slow proxy", daemon=True)

    def __enter__(self) -> "SlowProxy":
        self._thread.start()
        self._started.result(CALL_TIMEOUT)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(CALL_TIMEOUT)

    # From any thread

    @property
    def connections(self) -> list[SlowConnection]:
        """Those that are open, the oldest first."""
        return list(self._connections)

    def cut(self, *connections: SlowConnection) -> None:
        """Closes these connections, or all; what is on its way is lost. New ones may come at once."""
        self._in_loop(SlowConnection.cut, connections)

    def black_hole(self, *connections: SlowConnection) -> None:
        """Passes nothing on through these connections, or through all that are open now, and keeps them open."""
        self._in_loop(SlowConnection.black_hole, connections)

    def switch(self, target: str) -> None:
        """Sends new connections to another server. Those that are open stay where they are, until they are `cut`."""
        self.target = target

    def _in_loop(self, action: Callable[[SlowConnection], None], connections: Sequence[SlowConnection]) -> None:
        async def call() -> None:
            for connection in connections or self.connections:
                action(connection)

        asyncio.run_coroutine_threadsafe(call(), self._loop).result(CALL_TIMEOUT)

    # In its own thread

    def _run(self) -> None:
        def new_loop() -> asyncio.AbstractEventLoop:
            return asyncio.SelectorEventLoop(selectors.SelectSelector())  # epoll rounds up to milliseconds

        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await self._loop.create_server(self._accept, "127.0.0.1", self.port)
        except OSError as error:
            self._started.set_exception(error)
            return
        self.port = server.sockets[0].getsockname()[1]
        self._started.set_result(None)
        try:
            await self._stopping.wait()
        finally:
            server.close()
            for task in self._opening:
                task.cancel()
            for connection in self.connections:
                connection.cut()
            await asyncio.gather(*self._opening, return_exceptions=True)

    def _accept(self) -> asyncio.Protocol:
        connection = SlowConnection(lambda: self.delay, lambda gone: self._connections.pop(gone, None))
        self._connections[connection] = None
        task = self._loop.create_task(self._open(connection))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        return connection.near

    async def _open(self, connection: SlowConnection) -> None:
        """Connects the far end. Where there is no server, the near one is closed."""
        await asyncio.sleep(2 * self.delay)
        try:
            if self.target.startswith("/"):
                await self._loop.create_unix_connection(lambda: connection.far, self.target)
            else:
                host, _, port = self.target.rpartition(":")
                await self._loop.create_connection(lambda: connection.far, host, int(port))
        except OSError:
            connection.cut()
            return
        for end in (connection.near, connection.far):
            end.read_on()


def obey(proxy: SlowProxy, line: str) -> None:
    """Does what a line of input says. Raises ValueError if that is no command."""
    match line.split():
        case ["cut"]:
            proxy.cut()
        case ["black-hole"]:
            proxy.black_hole()
        case ["switch", target]:
            proxy.switch(target)
        case ["delay", milliseconds]:
            proxy.delay = float(milliseconds) / 1000
        case []:
            pass
        case _:
            raise ValueError(f"No such command: {line.strip()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", help="host:port, or the path of a Unix socket")
    parser.add_argument("port", type=int)
    parser.add_argument("delay", type=float, help="milliseconds, each way", metavar="delay_ms")
    args = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit())
    with SlowProxy(args.target, delay=args.delay / 1000, port=args.port) as proxy:
        print(f"Listening on 127.0.0.1:{proxy.port}", flush=True)
        for line in sys.stdin:
            try:
                obey(proxy, line)
            except ValueError as error:
                print(error, file=sys.stderr)
        while True:  # without input until it is stopped
            signal.pause()


if __name__ == "__main__":
    main()
