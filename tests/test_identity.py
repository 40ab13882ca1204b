"""The same person at every door: pages, chat, GraphQL over HTTP and over WebSocket."""

import json
from typing import Any

import pytest
from channels.testing import HttpCommunicator
from django.contrib.auth import get_user_model
from django.test import AsyncClient

from mysite.asgi import application
from tests.conftest import ChatSocket, GraphQLSocket

ME = "{ me { id name isGuest username } }"


def cookies_of(client: AsyncClient) -> list[tuple[bytes, bytes]]:
    return [(b"cookie", "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items()).encode())]


async def over_http(headers: list[tuple[bytes, bytes]]) -> tuple[dict[str, Any], str]:
    body = json.dumps({"query": ME}).encode()
    request = HttpCommunicator(
        application, "POST", "/graphql", body, [(b"content-type", b"application/json"), *headers]
    )
    response = await request.get_response(timeout=5)
    cookie = dict(response["headers"]).get(b"Set-Cookie", b"").decode()
    return json.loads(response["body"])["data"]["me"], cookie


async def over_websocket(headers: list[tuple[bytes, bytes]], protocol: str) -> dict[str, Any]:
    socket = GraphQLSocket(application, "/graphql", headers=headers, protocol=protocol, subprotocols=[])
    await socket.gql_init()
    await socket.start(ME)
    me = (await socket.result())["data"]["me"]
    await socket.disconnect()
    return me


async def in_the_chat(headers: list[tuple[bytes, bytes]]) -> tuple[str, str]:
    socket = ChatSocket(application, "/ws/chat/room1/", headers)
    await socket.connect()
    await socket.say("hi")
    frame = await socket.receive_json_from(timeout=5)
    await socket.disconnect()
    return frame["user_id"], frame["user"]


async def test_user_is_the_same_person_at_every_door(async_client: AsyncClient, subprotocol: str) -> None:
    user = await get_user_model().objects.acreate_user("ann")
    await async_client.aforce_login(user)
    headers = cookies_of(async_client)
    ann = {"id": f"user-{user.pk}", "name": "ann", "isGuest": False, "username": "ann"}
    assert (await over_http(headers))[0] == ann
    assert await over_websocket(headers, subprotocol) == ann
    assert await in_the_chat(headers) == (f"user-{user.pk}", "ann")
    await async_client.post("/accounts/profile/", {"display_name": "Ann Hunt"})
    ann["name"] = "Ann Hunt"
    assert (await over_http(headers))[0] == ann
    assert await over_websocket(headers, subprotocol) == ann
    assert await in_the_chat(headers) == (f"user-{user.pk}", "Ann Hunt")


async def test_guest_is_the_same_person_at_every_door_also_under_a_new_name(
    async_client: AsyncClient, subprotocol: str
) -> None:
    person = (await async_client.get("/chat/room1/")).context["room_data"]["person"]
    headers = cookies_of(async_client)
    for name in (person["name"], "Ann"):
        guest = {"id": person["id"], "name": name, "isGuest": True, "username": None}
        assert (await over_http(headers))[0] == guest
        assert await over_websocket(headers, subprotocol) == guest
        assert await in_the_chat(headers) == (person["id"], name)
        await async_client.post("/accounts/name/", {"name": "Ann"})


async def test_guest_created_by_graphql_over_http_keeps_id_and_name(subprotocol: str) -> None:
    guest, cookie = await over_http([])
    headers = [(b"cookie", cookie.split(";")[0].encode())]
    assert await over_http(headers) == (guest, "")
    assert await over_websocket(headers, subprotocol) == guest


@pytest.mark.parametrize(
    "cookie", ["sessionid=forged", "sessionid=", "sessionid", ";;=;", "sessionid=\xff", "x" * 5000]
)
async def test_forged_session_cookie_is_a_new_guest_at_every_door(cookie: str) -> None:
    headers = [(b"cookie", cookie.encode("latin1"))]
    assert (await over_http(headers))[0]["isGuest"]
    assert (await over_websocket(headers, "graphql-transport-ws"))["isGuest"]
    assert (await in_the_chat(headers))[0].startswith("guest-")
