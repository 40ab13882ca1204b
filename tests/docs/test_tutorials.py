"""The tutorials' code, taken from their pages and run."""

import asyncio
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.websockets import WebsocketsTransport
from websockets.asyncio.client import connect

from tests.servers import DAPHNE, ROOT, Server

PAGE = (ROOT / "docs" / "tutorials" / "from-channels.md").read_text()
LOGIN = """
import django
django.setup()
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
call_command("migrate", verbosity=0)
user = get_user_model().objects.create_superuser("ann", password="a password")
session = SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session.save()
print(session.session_key)
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A new project of Django's, into which the page's code was put as it says."""
    run(tmp_path, "-m", "django", "startproject", "mysite", ".")
    run(tmp_path, "manage.py", "startapp", "chat")
    for block in blocks("python"):
        name, code = re.fullmatch(r"# ([\w/]+\.py)\n(.*)", block, re.DOTALL).groups()
        with (tmp_path / name).open("a" if name == "mysite/settings.py" else "w") as file:
            file.write(code)
    return tmp_path


def run(project: Path, *arguments: str) -> str:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "mysite.settings"}
    if "startproject" in arguments:
        del environment["DJANGO_SETTINGS_MODULE"]
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=project, env=environment, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def server(project: Path) -> Iterator[Server]:
    with Server(DAPHNE, project) as server:
        yield server


async def until_it_listens(server: Server) -> None:
    async with asyncio.timeout(60):
        while server.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", server.port)) == 0:
                    return
            await asyncio.sleep(0.05)
    raise AssertionError("the tutorial's server ended at once")


def program_of(server: Server, cookie: dict[str, str]) -> Client:
    headers = cookie | {"Origin": f"http://{server.host}"}
    protocols = [WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL]  # the older one has subscriptions only
    url, waits = f"ws://{server.host}/graphql", {"connect_timeout": 60, "ack_timeout": 60}  # seconds
    transport = WebsocketsTransport(url, headers=headers, subprotocols=protocols, **waits)
    return Client(transport=transport, execute_timeout=60)


async def test_chat_and_graphql_of_the_tutorial_share_rooms_and_logins(project: Path, server: Server) -> None:
    subscription, mutation, query = [gql(block) for block in blocks("graphql")]
    cookie = {"Cookie": f"sessionid={run(project, '-c', LOGIN).strip()}"}
    await until_it_listens(server)
    async with (
        asyncio.timeout(60),
        connect(f"ws://{server.host}/ws/chat/room1/", origin=f"http://{server.host}", open_timeout=60) as chat,
        program_of(server, cookie) as program,
        Client(
            transport=AIOHTTPTransport(f"http://{server.host}/graphql", headers=cookie), execute_timeout=60
        ) as requests,
    ):
        heard = program.subscribe(subscription)
        greetings = [(await anext(heard))["joinChatRooms"] for _ in range(2)]
        assert greetings == [{"roomName": name, "message": "Hello my name is foo!"} for name in ("room1", "room2")]
        assert await chat.recv() == '{"message": "Hello my name is foo!"}'

        await chat.send('{"message": "hello from a browser"}')
        assert await anext(heard) == {"joinChatRooms": {"roomName": "room1", "message": "hello from a browser"}}
        assert await chat.recv() == '{"message": "hello from a browser"}'

        await requests.execute(mutation)
        assert await anext(heard) == {"joinChatRooms": {"roomName": "room1", "message": "hello room 1"}}
        assert await chat.recv() == '{"message": "hello room 1"}'

        assert [await asking.execute(query) for asking in (requests, program)] == [{"me": {"name": "ann"}}] * 2
        await heard.aclose()
