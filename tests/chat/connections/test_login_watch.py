"""Ended logins, and the sockets that were opened by them."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.db.models import F
from django.test import AsyncClient
from django.utils import timezone
from pytest_django import Settings

from chat.connections.sockets import Socket, Sockets
from chat.delivery import login_hints
from chat.delivery.hub import Hub
from chat.storage import logins
from mysite.asgi import application
from tests.conftest import ChatSocket, GraphQLSocket, close
from tests.test_identity import cookies_of, over_http

Eventually = Callable[[Callable[[], Any]], Awaitable[None]]
NEVER = 3600  # seconds
PASSWORD = "a long and unlikely one"


@pytest.fixture(params=["browser", "graphql"])
async def connect(request: pytest.FixtureRequest) -> Any:
    """`await connect(client)`: a socket of the visitor whose cookies `client` has, through either door."""
    opened = []

    async def connect(client: AsyncClient) -> WebsocketCommunicator:
        if request.param == "browser":
            socket: Any = ChatSocket(application, "/ws/chat/room1/", cookies_of(client))
            assert (await socket.connect(timeout=5))[0]
        else:
            socket = GraphQLSocket(
                application, "/graphql", cookies_of(client), protocol="graphql-transport-ws", subprotocols=[]
            )
            await socket.gql_init()
            await socket.join("room1")
        opened.append(socket)
        return socket

    yield connect
    for socket in opened:
        await close(socket)


async def user_called(name: str) -> User:
    return await get_user_model().objects.acreate_user(name, password=PASSWORD)


async def visitor(user: User | None) -> AsyncClient:
    """A browser of the user's, or a guest's."""
    client = AsyncClient()
    if user is None:
        await client.get("/chat/room1/")
    else:
        await client.aforce_login(user)
    return client


async def assert_closed(socket: WebsocketCommunicator) -> None:
    frame = {"type": "websocket.send"}
    while frame["type"] == "websocket.send":  # a greeting, say
        frame = await socket.receive_output(timeout=5)
    assert frame == {"type": "websocket.close", "code": 4401, "reason": "session_ended"}


def open_sockets() -> list[Socket]:
    return [socket for socket in Sockets.here() if not socket.closing]


async def log_out(client: AsyncClient, user: User) -> None:
    await client.post("/accounts/logout/")


async def change_password(client: AsyncClient, user: User) -> None:
    user.set_password("another long one")
    await user.asave()


async def deactivate(client: AsyncClient, user: User) -> None:
    user.is_active = False
    await user.asave(update_fields=["is_active"])


async def delete(client: AsyncClient, user: User) -> None:
    await user.adelete()


async def deactivate_unheard(client: AsyncClient, user: User) -> None:
    await User.objects.filter(pk=user.pk).aupdate(is_active=False)


async def end_session(client: AsyncClient, user: User | None) -> None:
    await Session.objects.all().adelete()


async def let_session_expire(client: AsyncClient, user: User | None) -> None:
    await Session.objects.aupdate(expire_date=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("end", [log_out, change_password, deactivate, delete])
async def test_ended_login_closes_its_sockets_at_once(connect: Any, settings: Settings, end: Any) -> None:
    settings.CHAT_SESSION_CHECK = NEVER
    user = await user_called("ann")
    client = await visitor(user)
    first, second = await connect(client), await connect(client)
    await end(client, user)
    await assert_closed(first)
    await assert_closed(second)


@pytest.mark.parametrize("end", [log_out, change_password, deactivate_unheard, delete, end_session, let_session_expire])
async def test_ended_login_is_found_by_the_regular_check_without_a_hint(
    connect: Any, settings: Settings, end: Any
) -> None:
    settings.CHAT_SESSION_CHECK = 0.1
    user = await user_called("ann")
    client = await visitor(user)
    socket = await connect(client)
    with mock.patch("chat.delivery.hub.send_control"):
        await end(client, user)
    await assert_closed(socket)


@pytest.mark.parametrize("end", [end_session, let_session_expire])
async def test_ended_session_of_a_guest_closes_its_sockets(connect: Any, settings: Settings, end: Any) -> None:
    settings.CHAT_SESSION_CHECK = 0.1
    guest = await visitor(None)
    socket = await connect(guest)
    await end(guest, None)
    await assert_closed(socket)


async def test_ended_login_leaves_all_other_sockets_open(
    connect: Any, settings: Settings, eventually: Eventually
) -> None:
    """A logout spares the user's other browsers, and a deactivated user spares other people."""
    settings.CHAT_SESSION_CHECK = 0.1
    ann, ben = await user_called("ann"), await user_called("ben")
    anns, anns_other, bens, guests, programs = [
        await visitor(ann),
        await visitor(ann),
        await visitor(ben),
        await visitor(None),
        AsyncClient(),
    ]
    going = await connect(anns)
    staying = [await connect(client) for client in (anns_other, bens, guests, programs)]

    await log_out(anns, ann)

    await assert_closed(going)
    assert len(open_sockets()) == len(staying)
    await deactivate(anns_other, ann)
    await assert_closed(staying.pop(0))
    looks = mock.Mock(wraps=logins.standing)
    with mock.patch("chat.storage.logins.standing", looks):
        await eventually(lambda: looks.call_count >= 2)
    assert len(open_sockets()) == len(staying)


async def test_login_sends_no_hint_to_other_instances(settings: Settings) -> None:
    ann = await user_called("ann")
    with mock.patch("chat.delivery.hub.send_control") as tell:
        await AsyncClient().aforce_login(ann)  # notes in the user's row when that was
    assert not tell.called


async def test_password_change_closes_sockets_and_lets_its_browser_reconnect(connect: Any, settings: Settings) -> None:
    settings.CHAT_SESSION_CHECK = NEVER
    ann = await get_user_model().objects.acreate_superuser("ann", password=PASSWORD)
    client = await visitor(ann)
    socket = await connect(client)
    form = {"old_password": PASSWORD, "new_password1": "another long one", "new_password2": "another long one"}

    assert (await client.post("/admin/password_change/", form)).status_code == 302

    await assert_closed(socket)
    assert (await over_http(cookies_of(client)))[0]["username"] == "ann"
    await connect(client)
    assert [socket.login.user_id for socket in open_sockets()] == [ann.pk]


async def say_who(socket: Any) -> str:
    """The name of the person at `socket`, through either door."""
    if isinstance(socket, ChatSocket):
        text = secrets.token_hex(4)  # there may be others in the room
        await socket.say(text)
        while (frame := await socket.receive_json_from(timeout=5))["message"] != text:
            pass
        return frame["user"]
    await socket.start("{ me { name } }", id="me")
    answers = []
    while len(answers) < 2:
        frame = await socket.receive_json_from(timeout=5)
        if frame["id"] == "me":  # else somebody joins the room
            answers.append(frame)
    assert answers[1]["type"] == "complete"
    return answers[0]["payload"]["data"]["me"]["name"]


async def assert_speaks_as(socket: Any, name: str) -> None:
    async with asyncio.timeout(5):
        while await say_who(socket) != name:
            await asyncio.sleep(0.05)


async def test_new_name_of_a_guest_holds_on_all_their_open_sockets(connect: Any, settings: Settings) -> None:
    settings.CHAT_SESSION_CHECK = NEVER
    guest, other = await visitor(None), await visitor(None)
    sockets, unconcerned = [await connect(guest), await connect(guest)], await connect(other)
    before = await say_who(unconcerned)
    await guest.post("/accounts/name/", {"name": "Zoë"})
    for socket in sockets:
        await assert_speaks_as(socket, "Zoë")
    assert await say_who(unconcerned) == before


async def test_new_name_of_a_guest_is_found_by_the_regular_check_without_a_hint(
    connect: Any, settings: Settings
) -> None:
    settings.CHAT_SESSION_CHECK = 0.1
    guest = await visitor(None)
    socket = await connect(guest)
    with mock.patch("chat.delivery.hub.send_control"):
        await guest.post("/accounts/name/", {"name": "Zoë"})
    await assert_speaks_as(socket, "Zoë")


async def change_profile(client: AsyncClient, display_name: str) -> None:
    assert (await client.post("/accounts/profile/", {"display_name": display_name})).status_code == 302


async def test_new_display_name_holds_on_all_open_sockets_of_the_user(connect: Any, settings: Settings) -> None:
    settings.CHAT_SESSION_CHECK = NEVER
    ann, ben = [await visitor(await user_called(name)) for name in ("ann", "ben")]
    sockets, unconcerned = [await connect(ann), await connect(ann)], await connect(ben)
    await change_profile(ann, "Ann Hunt")
    for socket in sockets:
        await assert_speaks_as(socket, "Ann Hunt")
    assert await say_who(unconcerned) == "ben"
    await change_profile(ann, "")
    await assert_speaks_as(sockets[0], "ann")
    assert await say_who(await connect(ann)) == "ann"


async def test_new_display_name_is_found_by_the_regular_check_without_a_hint(connect: Any, settings: Settings) -> None:
    settings.CHAT_SESSION_CHECK = 0.1
    ann = await visitor(await user_called("ann"))
    socket = await connect(ann)
    with mock.patch("chat.delivery.hub.send_control"):
        await change_profile(ann, "Ann Hunt")
    await assert_speaks_as(socket, "Ann Hunt")


async def test_new_username_holds_on_open_sockets(connect: Any, settings: Settings) -> None:
    settings.CHAT_SESSION_CHECK = NEVER
    user = await user_called("ann")
    socket = await connect(await visitor(user))
    user.username = "hunter"
    await user.asave()
    await assert_speaks_as(socket, "hunter")


async def test_regular_check_reads_no_session_that_was_not_saved_since(
    connect: Any, settings: Settings, eventually: Eventually
) -> None:
    settings.CHAT_SESSION_CHECK = 0.05
    await connect(await visitor(None))
    await Session.objects.aupdate(expire_date=F("expire_date") - timedelta(minutes=1))
    with (
        mock.patch("chat.storage.logins.guests", side_effect=AssertionError) as read,
        mock.patch("chat.storage.logins.standing", wraps=logins.standing) as look,
    ):
        await eventually(lambda: look.call_count >= 3)
    assert not read.called


async def test_login_closes_the_sockets_of_the_former_guest(connect: Any, settings: Settings) -> None:
    settings.CHAT_SESSION_CHECK = NEVER
    await user_called("ann")
    client = await visitor(None)
    socket = await connect(client)
    await client.post("/accounts/login/", {"username": "ann", "password": PASSWORD})
    await assert_closed(socket)


async def test_graphql_over_http_sees_a_logout_at_the_next_request(settings: Settings) -> None:
    ann = await user_called("ann")
    client = await visitor(ann)
    cookies = cookies_of(client)
    assert (await over_http(cookies))[0]["username"] == "ann"
    await log_out(client, ann)
    assert (await over_http(cookies))[0]["isGuest"]


async def test_regular_check_closes_nothing_while_the_database_does_not_answer(
    connect: Any, settings: Settings, eventually: Eventually
) -> None:
    settings.CHAT_SESSION_CHECK = 0.05
    client = await visitor(await user_called("ann"))
    socket = await connect(client)
    with mock.patch("chat.storage.logins.standing", side_effect=DatabaseError("away")) as look:
        await eventually(lambda: look.call_count >= 3)
        assert len(open_sockets()) == 1
    await end_session(client, None)  # and then it looks again
    await assert_closed(socket)


@pytest.mark.parametrize("about", [{}, {"users": 7, "sessions": []}, {"users": [[]], "sessions": []}])
async def test_malformed_hint_is_ignored_with_a_warning(about: dict[str, Any], caplog: Any) -> None:
    Hub.here().receive({"type": "chat.control", "subject": login_hints.SUBJECT, "about": about})
    Hub.here().receive({"type": "chat.control", "subject": "of a later version", "about": {}})
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
