"""The log of real servers: its lines, and the texts that must never be in it."""

import asyncio
import contextlib
import http.client
import json
import logging
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import quote

import psycopg
import pytest
from django.db import IntegrityError
from pytest_django import Settings
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect

from chat.actions import posting
from chat.delivery import layer
from chat.delivery.hub import Hub
from chat.delivery.layer import Layer
from chat.domain import people
from chat.domain.login_links import make_secret
from chat.domain.rooms import find
from chat.domain.tokens import make
from chat.errors import unforeseen
from chat.log_context import ConnectionFilter, begin, identify
from chat.storage import log
from tests.servers import ROOT, environment, free_port

SECRET = "the-words-of-somebody"
TOKEN = make()
LINK = make_secret()  # of one that logs in
TRANSPORT, LEGACY = "graphql-transport-ws", "graphql-ws"
UVICORN = ["uvicorn", "mysite.asgi:application", "--ws", "websockets-sansio", "--lifespan", "off", "--log-level"]
DAPHNE = ["daphne", "mysite.asgi:application", "-v"]


class Logged:
    """A server and its log."""

    def __init__(self, command: list[str], path: Path, **variables: str) -> None:
        self.port, self.path = free_port(), path
        self.host = f"127.0.0.1:{self.port}"
        with path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command, "--port", str(self.port)],
                cwd=ROOT,
                env=environment(**variables),
                stdout=log,
                stderr=log,
            )

    @property
    def text(self) -> str:
        return self.path.read_text()

    def lines(self, **wanted: object) -> list[dict[str, Any]]:
        """The lines that have `wanted` in them."""
        found = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in found if wanted.items() <= line.items()]

    def until(self, **wanted: object) -> dict[str, Any]:
        """The first line that has `wanted` in it, as soon as there is one."""
        deadline = time.monotonic() + 20
        while not (found := self.lines(**wanted)):
            assert time.monotonic() < deadline, f"nothing like {wanted} in:\n{self.text}"
            time.sleep(0.05)
        return found[0]

    def get(self, path: str, body: Any = None, content_type: str = "application/json") -> int:
        """The status of the answer."""
        data = None if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.host}{path}", data, {"Content-Type": content_type})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except http.client.RemoteDisconnected:  # Daphne, of an address that is too long
            return 0


@pytest.fixture
def start(transactional_db: None, tmp_path: Path) -> Iterator[Callable[..., Logged]]:
    with contextlib.ExitStack() as stack:

        def start(command: list[str], **variables: str) -> Logged:
            server = Logged(command, tmp_path / "log", **variables)
            stack.callback(server.process.wait, 15)
            stack.callback(server.process.terminate)
            deadline = time.monotonic() + 30
            while True:
                assert server.process.poll() is None, server.text
                with contextlib.suppress(urllib.error.URLError, ConnectionError):
                    server.get("/livez")
                    return server
                assert time.monotonic() < deadline, server.text
                time.sleep(0.05)

        yield start


def say_it_everywhere(server: Logged) -> None:
    """Posts SECRET at every door, in ways that work and in ways that don't."""
    frames = [
        {"message": SECRET},
        {"message": SECRET, "client_id": 7},
        {"message": SECRET * 1000},
        {"message": [SECRET]},
        {"message": f"{SECRET}\0"},
        SECRET,
    ]
    with connect(f"ws://{server.host}/ws/chat/room1/") as socket:
        for frame in frames:
            socket.send(json.dumps(frame))
        socket.send(f"{{{SECRET}")
        socket.send(SECRET.encode())
        for _ in range(8):
            socket.recv(timeout=10)
    mutation = 'mutation {{ sendChatMessage(message: "{}", room: {{ roomName: "{}" }}) }}'
    queries = [
        mutation.format(SECRET, "room1"),
        mutation.format(SECRET, ""),
        mutation.format(SECRET * 1000, "room1"),
        f'{{ rooms(first: 1, {SECRET}: "{SECRET}") }}',
        f'{{ "{SECRET}',
        f'mutation {{ sendChatMessage(message: ["{SECRET}"]) }}',
        f'subscription {{ joinChatRooms(rooms: [], user: "{SECRET}") {{ message }} }}',
    ]
    for query in queries:
        server.get("/graphql", {"query": query})
        server.get(f"/graphql?query={quote(query)}")
        server.get(f"/chat/?query={quote(query)}")
        server.get(f"/nowhere?query={quote(query)}")
    server.get("/graphql", {"query": queries[0], "variables": {"message": SECRET}, "operationName": SECRET})
    server.get(f"/graphql?query={{me{{id}}}}&variables={SECRET}")
    server.get("/graphql", f"query={SECRET}", "application/x-www-form-urlencoded")
    server.get("/graphql", SECRET)
    for protocol, kind in ((TRANSPORT, "subscribe"), (LEGACY, "start")):
        with connect(f"ws://{server.host}/graphql?token={SECRET}", subprotocols=[protocol]) as socket:  # type: ignore[list-item]
            socket.send(json.dumps({"type": "connection_init", "payload": {"token": SECRET}}))
            socket.recv(timeout=10)
            for number, query in enumerate(queries):
                socket.send(json.dumps({"type": kind, "id": str(number), "payload": {"query": query}}))
                while json.loads(socket.recv(timeout=10))["type"] not in {"error", "complete"}:
                    pass
            with contextlib.suppress(ConnectionClosed):
                socket.send(json.dumps({"type": SECRET}))
                socket.recv(timeout=10)


def bring_a_token_everywhere(server: Logged) -> None:
    """Brings TOKEN and LINK, which the site doesn't know, to every door."""
    header = {"Authorization": f"Bearer {TOKEN}"}
    for path in ("/graphql", "/chat/room1/", f"/nowhere/{TOKEN}/", f"/chat/{TOKEN}/?token={TOKEN}"):
        request = urllib.request.Request(f"http://{server.host}{path}", headers=header)
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=10)
        server.get(path)
    server.get(f"/hooks/{TOKEN}/?client_id=1", {"text": "hi"})
    server.get(f"/hooks/{TOKEN[:-1]}", {"text": "hi"})
    for secret in (TOKEN, TOKEN[:-1]):
        server.get(f"/invitations/{secret}/?next={secret}")
    server.get(f"/accounts/login/link/{LINK}/?a={LINK}")
    server.get(f"/accounts/login/provider/callback/?code={TOKEN}&state={TOKEN}")
    server.get(f"/accounts/login/link/{LINK[:-1]}", {})
    for path, protocols in (("/ws/chat/room1/", None), ("/graphql", [TRANSPORT]), (f"/hooks/{TOKEN}/", None)):
        with contextlib.suppress(WebSocketException):
            url = f"ws://{server.host}{path}"
            with connect(url, additional_headers=header, subprotocols=protocols) as socket:  # type: ignore[arg-type]
                socket.recv(timeout=10)
    with connect(f"ws://{server.host}/graphql", subprotocols=[TRANSPORT]) as socket:  # type: ignore[list-item]
        socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {TOKEN}"}}))
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=10)


@pytest.mark.parametrize("command", [[*UVICORN, "trace"], [*DAPHNE, "0"]], ids=["uvicorn", "daphne"])
@pytest.mark.parametrize("debug", ["true", "false"])
def test_log_at_the_highest_level_holds_no_text_of_people_and_no_token(
    start: Callable[..., Logged], command: list[str], debug: str
) -> None:
    server = start(
        command, LOG_LEVEL="DEBUG", DEBUG=debug, CHAT_LOG_FORMAT="json", CHAT_LIMITS="off", CHAT_LOGIN_LINKS="on"
    )
    say_it_everywhere(server)
    bring_a_token_everywhere(server)
    foreign = {"type": "chat.message", "room_id": find("room1").group, "message": {"said": SECRET}}
    with connect(f"ws://{server.host}/ws/chat/room1/") as socket:
        socket.send(json.dumps({"message": "hi"}))
        socket.recv(timeout=10)
        asyncio.run(send_to_group(foreign))
        asyncio.run(send_to_group({**foreign, "type": "chat.other", "message": SECRET}))
        server.until(message="Dropped an event of chat_room1: `message` is dict, not a text")
    assert server.lines(status=200)
    assert SECRET not in server.text
    assert TOKEN[:30] not in server.text
    assert LINK[:30] not in server.text


async def send_to_group(event: dict[str, Any]) -> None:
    from channels.layers import get_channel_layer

    await get_channel_layer().group_send(event["room_id"], event)


async def test_log_of_a_row_that_could_not_be_stored_holds_no_message_text(caplog: pytest.LogCaptureFixture) -> None:
    problem = f'null value in column "x"\nDETAIL:  Failing row contains (1, {SECRET}).'
    error = IntegrityError(problem)
    error.__cause__ = psycopg.errors.NotNullViolation(problem)
    with mock.patch.object(log, "append", side_effect=error), pytest.raises(IntegrityError) as raised:
        await posting.post(room=find("a"), message=SECRET, person=people.new_guest())
    unforeseen(raised.value)
    assert "null value" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("command", [[*UVICORN, "info"], [*DAPHNE, "0"]], ids=["uvicorn", "daphne"])
def test_log_lines_in_json_name_address_person_and_connection(start: Callable[..., Logged], command: list[str]) -> None:
    server = start(command, CHAT_LOG_FORMAT="json")
    assert server.get("/chat/?after=7") == 200
    page = server.until(message="GET /chat/ 200")
    assert page["status"] == 200
    assert page["address"] == "127.0.0.1"
    assert 0 <= page["seconds"] < 10
    assert {"time", "level", "logger", "connection"} <= page.keys()

    with connect(f"ws://{server.host}/ws/chat/room1/") as socket:
        socket.send(json.dumps({"message": "hi"}))
        said = json.loads(socket.recv(timeout=10))
    ended = server.until(door="browser")
    assert ended["message"] == "/ws/chat/room1/ closed with 1000 by the client"
    assert ended["person"] == said["user_id"]
    assert ended["code"] == 1000
    assert ended["connection"] != page["connection"]


def test_socket_closed_by_the_site_is_logged_with_code_and_reason(start: Callable[..., Logged]) -> None:
    server = start([*UVICORN, "info"], CHAT_LOG_FORMAT="json")
    with connect(f"ws://{server.host}/ws/chat/{quote('x' * 101)}/") as socket:
        socket.recv(timeout=10)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=10)
    assert server.until(door="browser")["message"].endswith("closed with 4400 invalid_room_name")


def test_log_lines_can_not_be_forged_by_request_paths(start: Callable[..., Logged]) -> None:
    server = start([*UVICORN, "info"], CHAT_LOG_FORMAT="text")
    server.get("/nowhere%0a2026-01-01 00:00:00 ERROR forged: line".replace(" ", "%20"))
    with contextlib.suppress(Exception), connect(f"ws://{server.host}/ws/chat/a%0aERROR%20forged/"):
        pass
    with contextlib.suppress(Exception), connect(f"ws://{server.host}/a%0aERROR", origin="http://evil.example"):  # type: ignore[arg-type]
        pass
    server.get("/livez")
    assert re.search(r"GET /nowhere%0A", server.text)
    for line in server.text.splitlines():
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ [\w.]+( \[.*?\])?: ", line), line


def test_unknown_log_format_is_refused_with_the_allowed_values() -> None:
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, cwd=ROOT, env=environment(CHAT_LOG_FORMAT="xml"), capture_output=True, text=True)
    assert done.returncode
    assert done.stderr.strip() == "CHAT_LOG_FORMAT is 'xml'. It has to be text or json."


def caught(caplog: pytest.LogCaptureFixture, text: str) -> logging.LogRecord:
    (record,) = [record for record in caplog.records if text in record.getMessage()]
    return record


async def test_log_of_a_slow_listener_names_the_listener_and_not_the_poster(
    settings: Settings, caplog: pytest.LogCaptureFixture, eventually
) -> None:
    settings.CHAT_BACKLOG_MAX = 1
    caplog.set_level(logging.WARNING)
    caplog.handler.addFilter(ConnectionFilter())
    room = find("slow")

    async def listen(name: str, listening: asyncio.Event, done: asyncio.Event) -> None:
        begin()
        identify(name)
        async with Hub.here().listen([room]):
            listening.set()
            await done.wait()

    async def post() -> None:
        begin()
        identify("poster")
        for number in range(3):
            await posting.post(room=room, message=str(number), person=people.new_guest())

    listening, done = asyncio.Event(), asyncio.Event()
    slow = asyncio.create_task(listen("slow one", listening, done))
    await listening.wait()
    await asyncio.create_task(post())
    await eventually(lambda: "Cut off" in caplog.text)
    done.set()
    await slow
    assert caught(caplog, "Cut off").person == "slow one"  # type: ignore[attr-defined]


async def test_log_of_the_hub_names_no_person(caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.addFilter(ConnectionFilter())
    begin()
    identify("poster")
    with mock.patch.object(layer, "get_channel_layer", side_effect=ConnectionError("it is away")):
        await Layer.here().send((find("a").group, {"type": "nothing"}))
    assert not hasattr(caught(caplog, "is away"), "person")
    Layer.here()._servers.clear()


def test_exceeded_rate_limit_is_logged_once_per_connection(start: Callable[..., Logged]) -> None:
    server = start([*UVICORN, "info"], CHAT_LOG_FORMAT="json", CHAT_LIMITS="on", CHAT_RATE_ADDRESS="1/h")
    with connect(f"ws://{server.host}/ws/chat/room1/") as socket:
        for _ in range(5):
            socket.send(json.dumps({"message": "hi"}))
            said = json.loads(socket.recv(timeout=10))
        assert said["error"]["code"] == "rate_limited"
    ended = server.until(door="browser")
    (limited,) = server.lines(message="Ran into the limit of: rate")
    assert limited["connection"] == ended["connection"]
    assert limited["person"] == ended["person"]


def test_idle_graphql_socket_is_logged_with_its_person(start: Callable[..., Logged]) -> None:
    server = start([*UVICORN, "info"], CHAT_LOG_FORMAT="json")
    with connect(f"ws://{server.host}/graphql", subprotocols=[TRANSPORT]):  # type: ignore[list-item]
        pass
    assert server.until(door="graphql")["person"].startswith("guest-")
