"""The ways to start the site: Daphne's runserver, and the Procfile through honcho."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psutil
import websockets

from tests.servers import ROOT, Server, environment, free_port


@contextmanager
def started(*command: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """A command that serves the site; it and whatever it starts are ended with the block."""
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(**variables), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        family = [process, *psutil.Process(process.pid).children(recursive=True)] if process.poll() is None else []
        for one in family:
            one.send_signal(signal.SIGTERM)
        for one in family:
            one.wait(15)
        process.stdout.close()


def wait_for_line(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    for line in process.stdout:
        if found := re.search(pattern, line):
            return found
    raise AssertionError(f"the command ended without printing {pattern}")


async def talk_across(*hosts: str) -> None:
    """Says something on the first host; hears it on each."""
    sockets = [await websockets.connect(f"ws://{host}/ws/chat/room1/", origin=f"http://{host}") for host in hosts]
    await sockets[0].send(json.dumps({"message": "hi"}))
    for socket in sockets:
        assert json.loads(await socket.recv())["message"] == "hi"
        await socket.close()


def test_runserver_serves_http_and_websocket_through_daphne(transactional_db: None) -> None:
    host = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-u", "manage.py", "runserver", "--noreload", host]
    with started(*command) as process:
        wait_for_line(process, "Listening on TCP address")
        with urllib.request.urlopen(f"http://{host}/chat/") as page:
            assert b'id="room-name-input"' in page.read()
        asyncio.run(talk_across(host))


def test_procfile_starts_instances_that_share_rooms(transactional_db: None) -> None:
    with ExitStack() as stack:
        base = free_port()
        honcho = [
            sys.executable,
            "-m",
            "honcho",
            "start",
            "--env",
            os.devnull,
            "--port",
            str(base),
            "-c",
            "web=3",
            "web",
        ]
        path = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
        process = stack.enter_context(started(*honcho, PATH=path, PYTHONUNBUFFERED="1"))
        hosts = {wait_for_line(process, r"running on http://(127\.0\.0\.1:\d+)")[1] for _ in range(3)}
        assert hosts == {f"127.0.0.1:{base + number}" for number in range(3)}
        asyncio.run(talk_across(*hosts))


def test_release_command_of_the_procfile_succeeds_on_an_empty_database(tmp_path) -> None:
    (release,) = re.findall(r"^release: (.*)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
    path = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
    variables = environment(DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3", PATH=path)
    done = subprocess.run(release, shell=True, cwd=ROOT, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_static_files_are_served_without_collectstatic(start_servers: Callable[[int], list[Server]]) -> None:
    (server,) = start_servers(1)
    for path in ("site.css", "chat/room.js", "graphiql.js"):
        with urllib.request.urlopen(f"http://{server.host}/static/{path}") as answer:
            assert answer.read() == (ROOT / "static" / path).read_bytes()
