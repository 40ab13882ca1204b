"""Programs that tests start around the site."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import redis

SEARCH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"])
"""The path in which they are looked for: Debian keeps servers where users don't look."""


@contextlib.contextmanager
def running(command: list[Any], answers: Callable[[], Any], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process, from when it answers to the end of the block."""
    process = subprocess.Popen(command, **options)
    try:
        deadline = time.monotonic() + 30
        while True:
            assert process.poll() is None, f"{command[0]} ended at once"
            with contextlib.suppress(OSError, redis.RedisError):
                answers()
                break
            assert time.monotonic() < deadline, f"{command[0]} doesn't answer"
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(15)


def wait_until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it doesn't come to that"
        time.sleep(0.05)


def listens(port: int) -> None:
    """Raises OSError unless something listens on the port of this machine."""
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
