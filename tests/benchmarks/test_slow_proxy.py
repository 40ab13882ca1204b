"""The network between two processes: what arrives when, and what never does."""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.slow_connection import HELD_MAX
from benchmarks.slow_proxy import SlowProxy, obey
from tests.servers import ROOT

DELAY = 0.05  # seconds
SILENCE = 0.2  # seconds in which nothing arrives
TIMEOUT = 10.0  # seconds


class Echo:
    """A server that sends everything back, behind its name."""

    def __init__(self, name: bytes = b"", path: Path | None = None) -> None:
        self.name = name
        if path:
            self._listening = socket.socket(socket.AF_UNIX)
            self._listening.bind(str(path))
            self._listening.listen()
        else:
            self._listening = socket.create_server(("127.0.0.1", 0))
        self.target = str(path) if path else "127.0.0.1:{1}".format(*self._listening.getsockname())
        self.accepted: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.accepted.append(connection)
                self._threads.append(threading.Thread(target=self._echo, args=[connection]))
                self._threads[-1].start()

    def _echo(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.sendall(self.name)
            while data := connection.recv(65536):
                connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        for each in (self._listening, *self.accepted):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(TIMEOUT)


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


def connect(proxy: SlowProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=TIMEOUT)


def receive(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (piece := connection.recv(65536)):
        data += piece
    return data


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_bytes_arrive_after_the_delay_each_way(echo):
    with SlowProxy(echo.target, delay=DELAY) as proxy, connect(proxy) as connection:
        connection.sendall(b"once")
        receive(connection, 4)
        started = time.monotonic()
        connection.sendall(b"again")
        assert receive(connection, 5) == b"again"
        assert time.monotonic() - started >= 2 * DELAY


def test_opening_a_connection_takes_a_round_trip_more(echo):
    with SlowProxy(echo.target, delay=DELAY) as proxy, connect(proxy) as connection:
        started = time.monotonic()
        connection.sendall(b"hello")
        receive(connection, 5)
        assert time.monotonic() - started >= 4 * DELAY


def test_what_is_sent_together_travels_together(echo):
    """A distance delays, and does not make one wait for the answer before the next question is on its way."""
    with SlowProxy(echo.target, delay=DELAY) as proxy, connect(proxy) as connection:
        started = time.monotonic()
        for _ in range(100):
            connection.sendall(b"x" * 10)
            time.sleep(0.001)
        receive(connection, 1000)
        assert time.monotonic() - started < 100 * DELAY


def test_order_holds_when_the_delay_gets_shorter(echo):
    with SlowProxy(echo.target, delay=DELAY) as proxy, connect(proxy) as connection:
        connection.sendall(b"1")
        receive(connection, 1)
        for number in range(50):
            proxy.delay = 0 if number % 2 else DELAY
            connection.sendall(f"{number},".encode())
        expected = "".join(f"{number}," for number in range(50)).encode()
        assert receive(connection, len(expected)) == expected


def test_much_data_arrives_whole_and_little_of_it_is_held(echo):
    with SlowProxy(echo.target, delay=0.001) as proxy, connect(proxy) as connection:
        data = bytes(range(256)) * 4 * (HELD_MAX // 256)
        sender = threading.Thread(target=connection.sendall, args=[data])
        sender.start()
        assert receive(connection, len(data)) == data
        sender.join(TIMEOUT)


def test_a_reader_that_does_not_read_makes_the_sender_wait(echo):
    with SlowProxy(echo.target) as proxy, connect(proxy) as connection:
        connection.settimeout(SILENCE)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 100 * HELD_MAX:
                sent += connection.send(b"x" * 65536)
        assert sent < 100 * HELD_MAX
        [held] = [one.near._held + one.far._held for one in proxy.connections]
        assert held <= 3 * HELD_MAX


def test_the_end_of_one_direction_arrives_after_all_bytes(echo):
    with SlowProxy(echo.target, delay=DELAY) as proxy, connect(proxy) as connection:
        connection.sendall(b"last words")
        connection.shutdown(socket.SHUT_WR)
        assert receive(connection, 100) == b"last words"
        deadline = time.monotonic() + TIMEOUT
        while proxy.connections:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_cut_closes_the_connections_and_lets_new_ones_in(echo):
    with SlowProxy(echo.target) as proxy, connect(proxy) as first, connect(proxy) as second:
        for connection in (first, second):
            connection.sendall(b"here")
            receive(connection, 4)
        proxy.cut(proxy.connections[0])
        assert is_closed(first)
        second.sendall(b"still")
        assert receive(second, 5) == b"still"
        proxy.cut()
        assert is_closed(second)
        with connect(proxy) as third:
            third.sendall(b"new")
            assert receive(third, 3) == b"new"


def test_a_black_hole_keeps_both_ends_open_and_passes_nothing_on(echo):
    with SlowProxy(echo.target) as proxy, connect(proxy) as first, connect(proxy) as second:
        for connection in (first, second):
            connection.sendall(b"here")
            receive(connection, 4)
        proxy.black_hole(proxy.connections[0])
        first.sendall(b"lost")
        first.settimeout(SILENCE)
        with pytest.raises(TimeoutError):
            first.recv(1)
        second.sendall(b"still")
        assert receive(second, 5) == b"still"
        first.close()
        echo.accepted[0].settimeout(SILENCE)
        assert len(proxy.connections) == 2  # the server has not heard that its client is gone


def test_a_switch_sends_new_connections_elsewhere(echo, tmp_path):
    other = Echo(b"other", tmp_path / "socket")
    try:
        with SlowProxy(echo.target) as proxy, connect(proxy) as before:
            before.sendall(b"old")
            receive(before, 3)
            proxy.switch(other.target)
            with connect(proxy) as after:
                assert receive(after, 5) == b"other"
            before.sendall(b"old")
            assert receive(before, 3) == b"old"
    finally:
        other.close()


def test_connections_end_at_once_where_nothing_listens(echo):
    with SlowProxy("127.0.0.1:1") as proxy, connect(proxy) as connection:
        assert is_closed(connection)
        proxy.switch(echo.target)
        with connect(proxy) as later:
            later.sendall(b"up")
            assert receive(later, 2) == b"up"


def test_stopping_closes_everything_and_frees_the_port(echo):
    with SlowProxy(echo.target) as proxy:
        connection, waiting = connect(proxy), connect(proxy)
        connection.sendall(b"here")
        receive(connection, 4)
        proxy.black_hole()
    with connection, waiting:
        assert is_closed(connection)
        assert is_closed(waiting)
    assert not any(thread.name == "slow proxy" for thread in threading.enumerate())
    with SlowProxy(echo.target, port=proxy.port):
        pass


def test_a_port_that_is_taken_is_an_error(echo):
    with pytest.raises(OSError, match="in use"), SlowProxy(echo.target, port=int(echo.target.rpartition(":")[2])):
        pass


@pytest.mark.parametrize("line", ["cut everything", "switch", "delay soon", "help"])
def test_a_line_that_is_no_command_is_refused(echo, line):
    with SlowProxy(echo.target) as proxy, pytest.raises(ValueError, match="command|float"):
        obey(proxy, line)


def test_the_program_says_where_it_listens_and_takes_commands(echo):
    command = [sys.executable, "-m", "benchmarks.slow_proxy", "127.0.0.1:1", "0", "1.5"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        try:
            address = program.stdout.readline().split()[-1]
            program.stdin.write(f"\nswitch {echo.target}\n")
            program.stdin.close()
            deadline = time.monotonic() + TIMEOUT
            heard = b""
            while heard != b"hello":  # until the command has arrived
                assert time.monotonic() < deadline
                host, _, port = address.rpartition(":")
                with (
                    socket.create_connection((host, int(port)), timeout=TIMEOUT) as connection,
                    contextlib.suppress(ConnectionError),
                ):
                    connection.sendall(b"hello")
                    heard = receive(connection, 5)
        finally:
            program.terminate()
        assert program.wait(TIMEOUT) == 0
