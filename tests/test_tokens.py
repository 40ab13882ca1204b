"""Programs with tokens at every door: what each scope allows, what no token opens, and tokens that end."""

import io
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from chat import models
from chat.actions import bots
from chat.actions import tokens as actions
from chat.actions.moderation import carry_out
from chat.connections import bearer
from chat.connections.login_watch import LoginWatch
from chat.connections.sockets import Sockets
from chat.domain import people
from chat.domain.grants import Scope
from chat.domain.rooms import Room
from chat.domain.tokens import checksum, is_well_formed, make
from chat.errors import Unavailable
from chat.models import Role, Token
from chat.storage import moderation
from chat.token_errors import InvalidToken
from mysite.asgi import application
from tests.conftest import ChatSocket, GraphQLSocket, close
from tests.event_stream import EventStream
from tests.test_private_rooms import Visitor, user
from tests.tokens import Program, program
from tests.uploads import CONTENT_TYPE, Answer, ask, clean_up, file_path, form, part, upload

ROOM = Room("room1")
ME = "{ me { name } }"
POST = 'mutation { postMessage(input: {roomName: "room1", message: "hi"}) { message { message } error { code } } }'
HISTORY = '{ room(name: "room1") { messages { edges { node { message } } } } }'
LISTEN = 'subscription { roomMessages(rooms: [{roomName: "room1"}]) { message kind } }'
FORBIDDEN = "insufficient_scope"


async def graphql(query: str, token: Program | str | None, **headers: str) -> Answer:
    secret = token.authorization if isinstance(token, Program) else token
    given = {"content-type": "application/json", "cookie": "", **headers}
    if secret is not None:
        given["authorization"] = secret
    return await ask("POST", "/graphql", None, given, [json.dumps({"query": query}).encode()])


def code_of(answer: dict[str, Any]) -> str | None:
    """The code of the first error, wherever it is; None where all went well."""
    if errors := answer.get("errors"):
        return errors[0]["extensions"]["code"]
    fields = [field for field in answer["data"].values() if isinstance(field, dict) and field.get("error")]
    return fields[0]["error"]["code"] if fields else None


# Each attempt at a door returns the code of the error, or None.


async def query_over_http(token: Program) -> str | None:
    return code_of((await graphql(HISTORY, token)).json)


async def post_over_http(token: Program) -> str | None:
    return code_of((await graphql(POST, token)).json)


async def delete_over_http(token: Program) -> str | None:
    """Deletes what somebody else has said, as the owner of the room."""
    offset = (await models.Message.objects.filter(person_name="other").alatest("pk")).offset
    query = f'mutation {{ deleteMessage(input: {{roomName: "room1", offset: {offset}}}) {{ error {{ code }} }} }}'
    return code_of((await graphql(query, token)).json)


async def bans_over_http(token: Program) -> str | None:
    return code_of((await graphql('{ room(name: "room1") { bans { id } } }', token)).json)


async def over_socket(token: Program, query: str, *, by_init: bool = False) -> str | None:
    headers = None if by_init else token.headers
    protocol = "graphql-transport-ws"
    socket = GraphQLSocket(application, "/graphql", protocol=protocol, headers=headers, subprotocols=[])
    assert (await socket.connect(timeout=5))[0]
    payload = {"authorization": token.authorization} if by_init else None
    await socket.send_json_to({"type": "connection_init", "payload": payload})
    assert (await socket.receive_json_from(timeout=5))["type"] == "connection_ack"
    try:
        await socket.start(query)
        frame = await socket.receive_json_from(timeout=5)
        return frame["payload"][0]["extensions"]["code"] if frame["type"] == "error" else code_of(frame["payload"])
    finally:
        await close(socket)


async def query_over_socket(token: Program) -> str | None:
    return await over_socket(token, HISTORY)


async def query_by_init(token: Program) -> str | None:
    return await over_socket(token, HISTORY, by_init=True)


async def post_by_init(token: Program) -> str | None:
    return await over_socket(token, POST, by_init=True)


async def listen_in_browser(token: Program) -> str | None:
    socket = ChatSocket(application, "/ws/chat/room1/", headers=token.headers)
    assert (await socket.connect(timeout=5))[0]
    await socket.send_json_to({"ping": 1})
    answer = await socket.receive_json_from(timeout=5)
    await close(socket)
    return answer.get("error", {}).get("code")


async def upload_file(token: Program) -> str | None:
    headers = {"authorization": token.authorization, "content-type": CONTENT_TYPE, "cookie": ""}
    answer = await ask("POST", "/chat/room1/files/", None, headers, [form(part(b"content"))])
    assert "set-cookie" not in answer.headers
    return answer.json.get("error")


async def download_file(token: Program) -> str | None:
    file = await models.Attachment.objects.alatest("created_at")
    headers = {"authorization": token.authorization, "cookie": ""}
    answer = await ask("GET", file_path("room1", file.pk.hex), None, headers)
    assert "set-cookie" not in answer.headers
    return None if answer.status == 200 else answer.json["error"]


async def ask_for_avatar(token: Program) -> str | None:
    headers = {"authorization": token.authorization, "cookie": ""}
    answer = await ask("GET", f"/people/id/user-{token.user.pk}/avatar", None, headers)
    assert "set-cookie" not in answer.headers
    return None if answer.status == 204 else answer.json["error"]


DOORS: dict[Callable[[Program], Awaitable[str | None]], Scope] = {
    query_over_http: Scope.READ,
    post_over_http: Scope.WRITE,
    delete_over_http: Scope.MODERATE,
    query_over_socket: Scope.READ,
    query_by_init: Scope.READ,
    post_by_init: Scope.WRITE,
    listen_in_browser: Scope.READ,
    upload_file: Scope.WRITE,
    download_file: Scope.READ,
    ask_for_avatar: Scope.READ,
}


@pytest.fixture
async def owner() -> Visitor:
    """Of a public room in which somebody else has said something."""
    found = await user("owner")
    await carry_out(moderation.create, ROOM, private=False, by=found.person)
    await graphql(POST, await program(await User.objects.acreate_user("other")))
    return found


async def account(visitor: Visitor) -> User:
    return await User.objects.aget(pk=visitor.person.user_id)


@pytest.mark.parametrize("attempt", DOORS, ids=lambda attempt: attempt.__name__)
async def test_each_door_asks_for_its_scope(owner: Visitor, attempt: Any) -> None:
    if attempt is download_file:
        file = await upload(owner, b"content")
        given = f'{{roomName: "room1", message: "", attachmentIds: ["{file["id"]}"]}}'
        query = f"mutation {{ postMessage(input: {given}) {{ error {{ code }} }} }}"
        assert code_of((await graphql(query, await program(await account(owner)))).json) is None
    found = {scope: await attempt(await program(await account(owner), scopes=[scope])) for scope in Scope}
    assert found == {scope: None if scope is DOORS[attempt] else FORBIDDEN for scope in Scope}
    await clean_up()


async def test_bans_are_for_tokens_that_may_moderate(owner: Visitor) -> None:
    assert await bans_over_http(await program(await account(owner), scopes=[Scope.READ])) == "not_allowed"
    assert await bans_over_http(await program(await account(owner), scopes=[Scope.READ, Scope.MODERATE])) is None


@pytest.mark.parametrize(
    "query",
    [
        '{ room(name: "room2") { lastOffset } }',
        "{ rooms { edges { node { name } } } }",
        "{ myRooms { edges { node { name } } } }",
        'mutation { postMessage(input: {roomName: "room2", message: "hi"}) { error { code } } }',
        'mutation { setMember(input: {roomName: "room2", username: "other"}) { error { code } } }',
        'mutation { openDirect(input: {usernames: ["other"]}) { error { code } } }',
        'mutation { updateProfile(input: {about: "x"}) { error { code } } }',
        "mutation { markAllRead { error { code } } }",
    ],
)
async def test_token_of_a_room_is_refused_elsewhere(owner: Visitor, query: str) -> None:
    token = await program(await account(owner), rooms=["room1"])
    assert code_of((await graphql(query, token)).json) == FORBIDDEN
    assert code_of((await graphql(POST, token)).json) is None


async def test_token_of_a_room_finds_nothing_of_other_rooms(owner: Visitor) -> None:
    everywhere = await program(await account(owner))
    for room in ("room1", "ROOM1", "room2"):
        query = f'mutation {{ postMessage(input: {{roomName: "{room}", message: "apple"}}) {{ error {{ code }} }} }}'
        assert code_of((await graphql(query, everywhere)).json) is None
    token = await program(await account(owner), rooms=["room1"])
    for asked in ('text: "apple"', 'text: "apple", roomName: "room1"', 'text: "apple in:room1"'):
        answer = await graphql(f"{{ search({asked}) {{ edges {{ node {{ roomName }} }} }} }}", token)
        assert [edge["node"]["roomName"] for edge in answer.json["data"]["search"]["edges"]] == ["room1"]
    answer = await graphql('{ search(text: "apple in:room2") { edges { node { roomName } } } }', token)
    assert answer.json["data"]["search"]["edges"] == []


REPLY = 'postMessage(input: {roomName: "room1", message: "b", replyTo: OFFSET})'


@pytest.mark.parametrize(
    "mutation",
    [
        f"{REPLY} {{ message {{ replyTo {{ message }} }} }}",
        f"{REPLY} {{ message {{ replyTo {{ user {{ id }} }} }} }}",
        'react(input: {roomName: "room1", offset: OFFSET, emoji: "👍"}) { entry { reactions { people { id } } } }',
    ],
)
async def test_payload_of_a_token_that_is_not_for_reading_shows_nothing_of_others(mutation: str) -> None:
    await graphql(POST, await program())
    offset = (await models.Message.objects.alatest("pk")).offset
    query = f"mutation {{ {mutation.replace('OFFSET', str(offset))} }}"
    for scopes, code in (([Scope.WRITE], FORBIDDEN), ([Scope.READ, Scope.WRITE], None)):
        assert code_of((await graphql(query, await program(scopes=scopes))).json) == code


@pytest.mark.parametrize("field", ["lastOffset", "presence { count }", "messages { edges { cursor } }", "role"])
async def test_token_that_is_not_for_reading_reads_nothing_in_what_a_mutation_returns(
    owner: Visitor, field: str
) -> None:
    opening = f'openDirect(input: {{usernames: ["other"]}}) {{ room {{ {field} }} error {{ code }} }}'
    writer = await program(await account(owner), scopes=[Scope.WRITE])
    assert code_of((await graphql(f"mutation {{ {opening} }}", writer)).json) == FORBIDDEN
    both = await program(await account(owner), scopes=[Scope.WRITE, Scope.READ])
    assert code_of((await graphql(f"mutation {{ {opening} }}", both)).json) is None


async def test_greeting_of_a_token_for_reading_is_not_heard(open_chat: Any, open_graphql: Any, owner: Visitor) -> None:
    browser = await open_chat("/ws/chat/room1/")
    reader = await program(scopes=[Scope.READ])
    socket = await open_graphql(headers=reader.headers)
    await socket.join("room1")
    await graphql(POST, await program(await account(owner)))
    assert await browser.hear() == "hi"


# Tokens that don't hold

WRONG = make()
WRONG_CHECKSUM = f"{WRONG[:-6]}{'0' * 6 if not WRONG.endswith('0' * 6) else '1' * 6}"


async def expired() -> str:
    return (await program(hours=-1)).secret


async def revoked() -> str:
    token = await program()
    await actions.revoke((await Token.objects.alatest("pk")).pk, user_id=token.user.pk, by=None)
    return token.secret


async def of_inactive_user() -> str:
    token = await program()
    await User.objects.filter(pk=token.user.pk).aupdate(is_active=False)
    return token.secret


async def of_removed_bot() -> str:
    owner = await user("owner2")
    room = Room("room2")
    await carry_out(moderation.create, room, private=False, by=owner.person)
    bot = await bots.make("removed", room, by=owner.person)
    token = await program(bot)
    assert (await graphql(ME, token)).status == 200
    await carry_out(moderation.remove_member, room, "removed", by=owner.person)
    return token.secret


async def unknown() -> str:
    return WRONG


async def with_wrong_checksum() -> str:
    return WRONG_CHECKSUM


async def empty() -> str:
    return ""


async def other_text() -> str:
    return "abc"


INVALID = [expired, revoked, of_inactive_user, of_removed_bot, unknown, with_wrong_checksum, empty, other_text]


@pytest.mark.parametrize("make_invalid", INVALID, ids=lambda invalid: invalid.__name__)
async def test_invalid_token_is_refused_at_every_door(
    make_invalid: Callable[[], Awaitable[str]],
) -> None:
    authorization = f"Bearer {await make_invalid()}"
    answers = [
        await graphql(ME, authorization),
        await ask("POST", "/chat/room1/files/", None, {"authorization": authorization, "cookie": ""}),
        await ask("GET", file_path("room1", "0" * 32), None, {"authorization": authorization, "cookie": ""}),
        await ask("GET", "/people/id/user-1/avatar", None, {"authorization": authorization, "cookie": ""}),
        await ask("GET", "/chat/room1/", None, {"authorization": authorization, "cookie": ""}),
    ]
    assert [(answer.status, answer.json["error"]) for answer in answers] == [(401, "invalid_token")] * 5
    assert answers[0].json["errors"][0]["extensions"] == {"code": "invalid_token"}
    assert answers[0].headers["www-authenticate"] == 'Bearer error="invalid_token"'
    headers = [(b"authorization", authorization.encode())]
    sockets: dict[str, list[str]] = {"/ws/chat/room1/": [], "/graphql": ["graphql-transport-ws"]}
    for path, protocols in sockets.items():
        socket = ChatSocket(application, path, headers=headers, subprotocols=protocols)
        assert await socket.connect(timeout=5) == (True, protocols[0] if protocols else None)
        assert await socket.receive_output(5) == {"type": "websocket.close", "code": 4401, "reason": "invalid_token"}


@pytest.mark.parametrize("protocol", ["graphql-transport-ws", "graphql-ws"])
@pytest.mark.parametrize(
    "authorization",
    [f"Bearer {WRONG}", f"Bearer {WRONG_CHECKSUM}", WRONG, "Basic x", "", None, 1, []],
    ids=["of nobody", "wrong checksum", "no scheme", "another scheme", "empty", "null", "number", "list"],
)
async def test_invalid_token_in_connection_init_closes_the_connection(protocol: str, authorization: object) -> None:
    socket = GraphQLSocket(application, "/graphql", protocol=protocol, subprotocols=[])
    assert (await socket.connect(timeout=5))[0]
    await socket.send_json_to({"type": "connection_init", "payload": {"authorization": authorization}})
    assert await socket.receive_output(5) == {"type": "websocket.close", "code": 4401, "reason": "invalid_token"}


@pytest.mark.parametrize("protocol", ["graphql-transport-ws", "graphql-ws"])
async def test_second_connection_init_changes_nobody(protocol: str) -> None:
    token = await program()
    socket = GraphQLSocket(application, "/graphql", protocol=protocol, subprotocols=[])
    await socket.gql_init()
    await socket.send_json_to({"type": "connection_init", "payload": {"authorization": token.authorization}})
    assert (await socket.receive_output(5))["code"] == 4429


# How a token may be written: each takes the text of a token, right or wrong.
HEADERS: list[Callable[[str], str]] = [
    lambda secret: f"Bearer {secret}",
    lambda secret: f"bearer  {secret}",
    lambda secret: f"Token {secret}",
    lambda secret: secret,
]
PAYLOADS: list[Callable[[str], dict[str, Any]]] = [
    lambda secret: {"authorization": f"Bearer {secret}"},
    lambda secret: {"Authorization": f"Bearer {secret}"},
    lambda secret: {"AUTHORIZATION": secret, "lang": "de"},
    lambda secret: {"headers": {"Authorization": f"Bearer {secret}"}},
    lambda secret: {"Headers": {"authorization": f"Token {secret}"}},
    lambda secret: {"authToken": secret},
    lambda secret: {"token": f"Bearer {secret}"},
    lambda secret: {"Authorization": f"Bearer {secret}", "authToken": secret},
]


@pytest.mark.parametrize("written", HEADERS)
async def test_token_in_a_header_counts_or_is_refused_however_it_is_written(written: Callable[[str], str]) -> None:
    token = await program()
    assert (await graphql(ME, written(token.secret))).json == {"data": {"me": {"name": token.user.username}}}
    for wrong in (WRONG, WRONG_CHECKSUM, "chat_"):
        assert (await graphql(ME, written(wrong))).status == 401


async def me_by_init(payload: dict[str, Any], protocol: str, **options: Any) -> str | int:
    """The name of whom a connection becomes by its `connection_init`, or the code with which it is closed."""
    socket = GraphQLSocket(application, "/graphql", protocol=protocol, subprotocols=[], **options)
    assert (await socket.connect(timeout=5))[0]
    await socket.send_json_to({"type": "connection_init", "payload": payload})
    answer = await socket.receive_output(5)
    if answer["type"] == "websocket.close":
        return answer["code"]
    try:
        await socket.start(ME)
        return (await socket.receive_json_from(timeout=5))["payload"]["data"]["me"]["name"]
    finally:
        await close(socket)


@pytest.mark.parametrize("protocol", ["graphql-transport-ws", "graphql-ws"])
@pytest.mark.parametrize("written", PAYLOADS)
async def test_token_in_connection_init_counts_or_closes_it_however_it_is_written(
    written: Callable[[str], dict[str, Any]], protocol: str
) -> None:
    token = await program()
    assert await me_by_init(written(token.secret), protocol) == token.user.username
    for wrong in (WRONG, WRONG_CHECKSUM, "chat_"):
        assert await me_by_init(written(wrong), protocol) == 4401


async def test_several_tokens_are_refused_and_one_twice_is_not() -> None:
    ann, bob = await program(), await program()
    both = ann.authorization, bob.authorization
    assert (await graphql(ME, ", ".join(both))).status == 401
    headers = [(b"authorization", one.encode()) for one in both]
    refused = GraphQLSocket(application, "/graphql", protocol="graphql-transport-ws", headers=headers)
    await refused.connect(timeout=5)
    assert (await refused.receive_output(5))["code"] == 4401
    protocol = "graphql-transport-ws"
    assert await me_by_init({"token": both[0], "authorization": both[1]}, protocol) == 4401
    assert await me_by_init({"authorization": both[1]}, protocol, headers=ann.headers) == 4401
    assert await me_by_init({"authorization": both[0]}, protocol, headers=ann.headers) == ann.user.username


async def test_two_headers_over_http_with_different_tokens_are_refused_and_a_proxys_basic_is_passed_over() -> None:
    ann, bob = await program(), await program()
    basic = (b"authorization", b"Basic dXNlcjpwYXNz")
    scope = {"type": "http", "headers": [basic, *ann.headers, *bob.headers]}
    assert bearer.authorizations_of(scope) == [ann.authorization, bob.authorization]
    with pytest.raises(InvalidToken, match="several"):
        await bearer.let_in(scope, *bearer.authorizations_of(scope))
    alone = {"type": "http", "headers": [basic, *ann.headers]}
    await bearer.let_in(alone, *bearer.authorizations_of(alone))
    assert alone["user"] == ann.user


@pytest.mark.parametrize(
    "payload", [{}, {"token": None}, {"lang": "de"}, {"headers": None}, {"headers": {"lang": "de"}}]
)
async def test_connection_init_without_a_token_is_a_guests(payload: dict[str, Any]) -> None:
    assert isinstance(await me_by_init(payload, "graphql-transport-ws"), str)


async def test_token_of_another_scheme_is_left_to_proxies() -> None:
    answer = await graphql("{ me { isGuest } }", "Basic dXNlcjpwYXNz")
    assert answer.json == {"data": {"me": {"isGuest": True}}}


async def test_program_is_told_to_come_back_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    token = await program()

    async def away(*_: Any, **others: Any) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(bearer, "in_database", away)
    answer = await graphql(ME, token)
    assert (answer.status, answer.json["error"], answer.headers["retry-after"]) == (503, "unavailable", "5")
    closed = {"type": "websocket.close", "code": 1013, "reason": "unavailable"}
    socket = ChatSocket(application, "/ws/chat/room1/", headers=token.headers)
    assert (await socket.connect(timeout=5))[0]
    assert await socket.receive_output(5) == closed
    by_init = GraphQLSocket(application, "/graphql", protocol="graphql-transport-ws", subprotocols=[])
    assert (await by_init.connect(timeout=5))[0]
    await by_init.send_json_to({"type": "connection_init", "payload": {"authorization": token.authorization}})
    assert await by_init.receive_output(5) == closed


# A request with a token


async def test_request_with_a_token_needs_no_origin_and_gets_no_cookie() -> None:
    token = await program()
    answer = await graphql(ME, token, origin="https://elsewhere.example", **{"sec-fetch-site": "cross-site"})
    assert answer.json == {"data": {"me": {"name": token.user.username}}}
    assert "set-cookie" not in answer.headers
    socket = ChatSocket(
        application, "/ws/chat/room1/", headers=[*token.headers, (b"origin", b"https://elsewhere.example")]
    )
    assert (await socket.connect(timeout=5))[0]
    await socket.live()
    await close(socket)


async def test_token_counts_and_not_the_cookie_beside_it() -> None:
    ann, token = await user("ann"), await program()
    cookie = dict(ann.headers)[b"cookie"].decode()
    answer = await graphql(ME, token, cookie=cookie)
    assert answer.json["data"]["me"]["name"] == token.user.username
    socket = ChatSocket(application, "/ws/chat/room1/", headers=[*ann.headers, *token.headers])
    assert (await socket.connect(timeout=5))[0]
    await socket.send_json_to({"me": True})
    assert (await socket.frame("me"))["id"] == f"user-{token.user.pk}"
    await close(socket)


@pytest.mark.parametrize("path", ["/chat/", "/chat/room1/", "/nowhere/", "/accounts/profile/", "/admin/", "/search/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_pages_take_no_tokens(path: str, method: str) -> None:
    token = await program()
    answer = await ask(method, path, None, {"authorization": token.authorization, "cookie": ""})
    assert answer.status == 403
    assert "set-cookie" not in answer.headers


# Tokens that end


async def test_revoked_token_closes_its_sockets_at_once(open_chat: Any, open_graphql: Any, settings: Settings) -> None:
    settings.CHAT_SESSION_CHECK = 3600
    token, other = await program(), await program()
    sockets = [await open_chat("/ws/chat/room1/", headers=token.headers), await open_graphql(headers=token.headers)]
    by_init = GraphQLSocket(application, "/graphql", protocol="graphql-transport-ws", subprotocols=[])
    assert (await by_init.connect(timeout=5))[0]
    await by_init.send_json_to({"type": "connection_init", "payload": {"authorization": token.authorization}})
    assert (await by_init.receive_json_from(timeout=5))["type"] == "connection_ack"
    await by_init.subscribe(LISTEN)
    others = await open_chat("/ws/chat/room1/", headers=other.headers)

    await actions.revoke((await Token.objects.aget(user=token.user)).pk, user_id=token.user.pk, by=None)

    for socket in (*sockets, by_init):
        assert await socket.receive_output(5) == {"type": "websocket.close", "code": 4401, "reason": "invalid_token"}
    await others.live()


async def test_revoked_token_ends_its_stream_of_events() -> None:
    token = await program(scopes=[Scope.READ])
    stream = await EventStream({"query": LISTEN}, headers=token.headers).open()
    try:
        assert (stream.status, "set-cookie" in stream.headers) == (200, False)
        await actions.revoke((await Token.objects.aget()).pk, user_id=token.user.pk, by=None)
        assert code_of(await stream.result()) == "invalid_token"
        assert "event: complete" in await stream.text()
    finally:
        await stream.leave()


async def test_stream_of_events_takes_a_token_for_reading() -> None:
    for scopes, code in (([Scope.WRITE], FORBIDDEN), ([Scope.READ], None)):
        token = await program(scopes=scopes)
        stream = await EventStream({"query": '{ room(name: "room1") { lastOffset } }'}, headers=token.headers).open()
        assert code_of(await stream.result()) == code
        await stream.leave()
    wrong = await EventStream({"query": LISTEN}, headers=[(b"authorization", f"Bearer {WRONG}".encode())]).open()
    assert wrong.status == 401
    await wrong.leave()


async def deactivate(token: Program) -> None:
    await User.objects.filter(pk=token.user.pk).aupdate(is_active=False)


async def expire(token: Program) -> None:
    await Token.objects.filter(user=token.user).aupdate(expires_at=timezone.now() - timedelta(seconds=1))


async def delete_row(token: Program) -> None:
    await Token.objects.filter(user=token.user).adelete()


@pytest.mark.parametrize("end", [deactivate, expire, delete_row])
async def test_token_that_has_ended_closes_its_socket_at_the_next_check(
    end: Callable[[Program], Awaitable[None]], open_chat: Any, settings: Settings
) -> None:
    settings.CHAT_SESSION_CHECK = 0.1
    token = await program()
    socket = await open_chat("/ws/chat/room1/", headers=token.headers)
    await end(token)
    assert await socket.receive_output(5) == {"type": "websocket.close", "code": 4401, "reason": "invalid_token"}


async def test_bot_that_is_removed_from_its_room_is_put_out(open_chat: Any, settings: Settings, owner: Visitor) -> None:
    settings.CHAT_SESSION_CHECK = 0.1
    bot = await bots.make("robot", ROOM, by=owner.person)
    token = await program(bot)
    socket = await open_chat("/ws/chat/room1/", headers=token.headers)
    await carry_out(moderation.remove_member, ROOM, "robot", by=owner.person)
    while (event := await socket.receive_output(5))["type"] != "websocket.close":
        pass
    assert event == {"type": "websocket.close", "code": 4401, "reason": "invalid_token"}


async def test_password_change_leaves_tokens_alone(open_chat: Any) -> None:
    token = await program()
    socket = await open_chat("/ws/chat/room1/", headers=token.headers)
    token.user.set_password("another one")
    await token.user.asave()
    await LoginWatch.here()._check(Sockets.here())
    await socket.live()
    assert (await graphql(ME, token)).status == 200


# Bots


async def test_bot_of_a_room_can_be_nowhere_else(owner: Visitor) -> None:
    token = await program(await bots.make("robot", ROOM, by=owner.person), rooms=["room1", "room2"])
    assert code_of((await graphql(POST, token)).json) is None
    assert code_of((await graphql('{ room(name: "room2") { lastOffset } }', token)).json) == FORBIDDEN


async def test_only_an_owner_makes_bots(owner: Visitor) -> None:
    other = people.of_user(await User.objects.aget(username="other"))
    await carry_out(moderation.set_role, ROOM, "other", Role.MODERATOR, by=owner.person)
    with pytest.raises(Exception, match="Only an owner"):
        await bots.make("robot", ROOM, by=other)
    assert not await User.objects.filter(username="robot").aexists()


async def test_bot_has_no_password_to_log_in_with(owner: Visitor) -> None:
    bot = await bots.make("robot", ROOM, by=owner.person)
    assert not bot.has_usable_password()


async def test_deleted_bot_has_no_token_that_holds(owner: Visitor) -> None:
    bot = await bots.make("robot", ROOM, by=owner.person)
    token = await program(bot)
    await bots.delete(await models.Bot.objects.select_related("user").aget(), ROOM, by=owner.person)
    assert (await graphql(ME, token)).status == 401
    assert await models.RoomMember.objects.filter(user=bot).acount() == 0


# Limits, last use, logs


async def test_token_has_a_rate_of_its_own(settings: Settings, owner: Visitor) -> None:
    settings.CHAT_LIMITS, settings.CHAT_RATE_TOKEN, settings.CHAT_RATE_PERSON = True, "2/h", "1/h"
    one, another = [await program(await account(owner)) for _ in range(2)]
    assert [code_of((await graphql(POST, one)).json) for _ in range(3)] == [None, None, "rate_limited"]
    assert code_of((await graphql(POST, another)).json) is None


async def test_last_use_is_written_now_and_then(settings: Settings) -> None:
    token = await program()
    before = timezone.now()
    await graphql(ME, token)
    used_at = (await Token.objects.aget()).used_at
    assert used_at >= before
    await graphql(ME, token)
    assert (await Token.objects.aget()).used_at == used_at


async def test_logs_never_have_a_token(written_log: io.StringIO, open_chat: Any) -> None:
    token = await program()
    await graphql(ME, token)
    await open_chat("/ws/chat/room1/", headers=token.headers)
    for path in (f"/{token.secret}/", f"/chat/{token.secret}/", f"/hooks/{token.secret}", f"/accounts/{token.secret}"):
        await ask("GET", path, None)
    try:
        raise ValueError(token.secret)
    except ValueError:
        logging.getLogger("chat").exception("About %s", token.secret)
    logging.getLogger("chat").warning("%(token)s", {"token": token.secret})
    written = written_log.getvalue()
    assert token.secret not in written
    assert token.secret[:20] not in written
    assert written.count("chat_***") >= 6


# The command


def created(*arguments: str) -> str:
    out = io.StringIO()
    call_command("create_token", *arguments, stdout=out)
    return out.getvalue().strip()


async def test_command_makes_tokens_of_users_and_bots() -> None:
    await User.objects.acreate_user("ann")
    given = ["--name", "backup", "--scope", "read", "--room", "room1", "--days", "3"]
    secret = await sync_to_async(created)("ann", *given)
    assert is_well_formed(secret)
    token = await Token.objects.aget()
    assert (token.name, token.scopes, token.rooms) == ("backup", "read", ["room1"])
    assert timedelta(days=2.9) < token.expires_at - timezone.now() < timedelta(days=3)
    bot = await sync_to_async(created)("robot", "--bot")
    assert (await graphql(ME, f"Bearer {bot}")).json == {"data": {"me": {"name": "robot"}}}
    assert await models.Bot.objects.filter(user__username="robot", room=None).aexists()


@pytest.mark.parametrize(
    "arguments",
    ["nobody", "ann --days 0", "ann --room .", "ann --bot", "a/b --bot", "ann --name \x07", "you --bot"],
)
async def test_command_refuses(arguments: str) -> None:
    await User.objects.acreate_user("ann")
    with pytest.raises(CommandError):
        await sync_to_async(created)(*arguments.split())
    assert not await Token.objects.aexists()


async def test_command_that_is_to_make_a_bot_again_says_how_to_make_another_token() -> None:
    await sync_to_async(created)("robot", "--bot")
    with pytest.raises(CommandError, match="leave out --bot"):
        await sync_to_async(created)("robot", "--bot")
    assert is_well_formed(await sync_to_async(created)("robot"))


def test_text_of_a_token_has_prefix_and_checksum() -> None:
    token = make()
    assert token.startswith("chat_")
    assert len(token) == 41
    assert is_well_formed(token)
    assert token[-6:] == checksum(token[5:-6])
    for number in range(5, 41):
        changed = token[:number] + ("a" if token[number] != "a" else "b") + token[number + 1 :]
        assert not is_well_formed(changed)
