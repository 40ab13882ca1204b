"""The keeper of an embedded Valkey: a program, started by mysite/valkey.py, which tells when and why.

    python keeper.py <valkey-server> <socket> <directory>

It depends on nothing but Python, so that the process is small and starts fast.
"""

import fcntl
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

GRACE = 2.0  # seconds that the server outlives its last user: a restart, or one command after another, finds it there
TICK = 0.2  # seconds from one look at server and users to the next
RESTART_INTERVAL = 1.0  # seconds at least from one start of the server to the next


def keep(binary: str, path: Path, directory: Path) -> None:
    """Runs the server on the socket `path` until GRACE after the last user is gone, or until SIGTERM."""
    dismissed = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: dismissed.set())
    with (directory / "users.lock").open("a") as users:
        server = _start(binary, path, directory)
        started = last_used = time.monotonic()
        while not dismissed.is_set():
            now = time.monotonic()
            if server.poll() is not None and now - started >= RESTART_INTERVAL:
                server = _start(binary, path, directory)
                started = now
            if not _lock_out(users):
                last_used = now
            elif now - last_used >= GRACE:
                break  # with the lock: who comes now waits until all is over, and then starts afresh
            else:
                fcntl.flock(users, fcntl.LOCK_UN)
            time.sleep(TICK)
        _stop(server)
        path.unlink(missing_ok=True)


def _lock_out(users: IO[str]) -> bool:
    """Gets the lock that no user can share, if there are no users."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start(binary: str, path: Path, directory: Path) -> subprocess.Popen[bytes]:
    # The socket is the only way in, and its file lets in nobody but this user. Nothing in there outlives the server.
    only_by_socket = ["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"]
    storage = ["--dir", str(directory), "--save", "", "--appendonly", "no"]
    return subprocess.Popen([binary, *only_by_socket, *storage, "--loglevel", "warning"])


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(timeout=5)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


if __name__ == "__main__":
    keep(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
