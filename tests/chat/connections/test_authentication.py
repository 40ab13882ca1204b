"""Sessions and users in the scopes of WebSockets."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from channels.auth import AuthMiddlewareStack as ChannelsOwn
from django.contrib.auth import get_user_model
from django.db.backends.utils import CursorWrapper
from django.test import AsyncClient

from chat.connections import authentication
from chat.connections.authentication import AuthMiddlewareStack
from chat.delivery import hub
from chat.errors import Unavailable
from chat.storage.visitors import Visitor, visitors
from mysite.asgi import application
from tests.conftest import ChatSocket, close
from tests.test_identity import cookies_of

RETURNING = 40
NEVER = 3600  # seconds


async def scope_within(stack: Any, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    """The scope that an application within `stack` gets."""
    seen: list[dict[str, Any]] = []

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    await stack(inside)({"type": "websocket", "path": "/", "headers": headers}, None, None)
    return seen[0]


async def guest_or_user(kind: str) -> AsyncClient:
    client = AsyncClient()
    if kind == "user":
        await client.aforce_login(await get_user_model().objects.acreate_user("foo"))
    if kind != "stranger":
        await client.get("/chat/room1/")
    return client


@pytest.mark.parametrize("kind", ["stranger", "guest", "user"])
async def test_scope_has_what_channels_own_stack_puts_there(kind: str) -> None:
    headers = cookies_of(await guest_or_user(kind))
    ours, theirs = [await scope_within(stack, headers) for stack in (AuthMiddlewareStack, ChannelsOwn)]
    assert ours["cookies"] == theirs["cookies"]
    assert ours["user"] == theirs["user"]
    assert ours["user"].is_authenticated == (kind == "user")
    assert ours["session"].session_key == theirs["session"].session_key
    assert dict(ours["session"].items()) == dict(theirs["session"].items())


async def test_scope_of_the_layer_around_stays_as_it_is() -> None:
    scope = {"type": "websocket", "path": "/", "headers": []}

    async def inside(*_: Any) -> None:
        pass

    await AuthMiddlewareStack(inside)(scope, None, None)
    assert scope == {"type": "websocket", "path": "/", "headers": []}


async def test_sessions_of_many_who_come_at_once_are_read_together(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def read(keys: Sequence[str]) -> list[Visitor]:
        asked.append(len(keys))
        return visitors(keys)

    monkeypatch.setattr(authentication, "visitors", read)
    guests = [cookies_of(await guest_or_user("guest")) for _ in range(RETURNING)]
    scopes = await asyncio.gather(*(scope_within(AuthMiddlewareStack, headers) for headers in guests))
    assert sum(asked) == RETURNING
    assert len(asked) <= 2
    for scope, headers in zip(scopes, guests, strict=True):
        assert scope["session"].session_key in headers[0][1].decode()


async def test_strangers_are_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authentication, "visitors", lambda _: pytest.fail("asked the database"))
    await scope_within(AuthMiddlewareStack, [(b"cookie", b"csrftoken=x")])


async def test_socket_is_told_to_try_again_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(keys: Sequence[str]) -> list[Visitor]:
        raise Unavailable("away")

    monkeypatch.setattr(authentication, "visitors", away)
    socket = ChatSocket(application, "/ws/chat/room1/", [(b"cookie", b"sessionid=abcdefgh")])
    assert (await socket.connect(timeout=5))[0]
    assert await socket.receive_output(timeout=5) == {"type": "websocket.close", "code": 1013, "reason": "unavailable"}
    await close(socket)


@pytest.mark.parametrize(
    ("kind", "query", "statements"),
    [("stranger", "", 0), ("guest", "", 1), ("user", "", 2), ("stranger", "?after=0", 1), ("guest", "?after=0", 2)],
)
async def test_browser_that_joins_an_open_room_costs_few_statements(
    kind: str,
    query: str,
    statements: int,
    open_chat: Callable[..., Awaitable[ChatSocket]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub, "WATCH_INTERVAL", NEVER)  # its looks don't count
    open_room = await open_chat("/ws/chat/room1/")
    await open_room.say("hi")
    await open_room.hear()
    headers = cookies_of(await guest_or_user(kind))
    run: list[str] = []

    def execute(self: CursorWrapper, sql: str, *args: Any) -> Any:
        run.append(sql)
        return executed(self, sql, *args)

    executed = CursorWrapper.execute
    monkeypatch.setattr(CursorWrapper, "execute", execute)
    socket = await open_chat(f"/ws/chat/room1/{query}", headers=headers)
    if query:
        assert await socket.hear() == "hi"
    assert len(run) == statements, run
