"""Private rooms and bans at every door: people who are excluded hear nothing that comes later."""

import asyncio
import contextlib
import json
import random
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import websockets
from channels.layers import get_channel_layer
from channels.testing import HttpCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.test import AsyncClient
from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport
from redis.asyncio import Redis

from chat import frames
from chat.actions import posting
from chat.actions.moderation import carry_out
from chat.delivery.hub import Hub
from chat.delivery.rooms import source
from chat.domain import people
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.rooms import find
from chat.errors import NotAMember, Unavailable
from chat.models import Role
from chat.storage import log, moderation, recoveries
from chat.storage.database import in_database
from gqlchat.transport.sharing import SharedOperation
from mysite.asgi import application
from mysite.graphql import schema
from tests.conftest import ChatSocket, GraphQLSocket, close, live_listeners
from tests.doors import DOORS, ROOM_MESSAGES, BrowserDoor, Door, EventsDoor, GraphQLDoor
from tests.servers import Server
from tests.test_identity import cookies_of

NAME = "privé/1"
ROOM = find(NAME)
Headers = list[tuple[bytes, bytes]]


class Visitor:
    """Somebody with a session."""

    def __init__(self, person: Person, headers: Headers) -> None:
        self.person = person
        self.headers = headers


async def user(name: str) -> Visitor:
    account = await User.objects.acreate_user(name)
    client = AsyncClient()
    await client.aforce_login(account)
    return Visitor(people.of_user(account), cookies_of(client))


async def guest() -> Visitor:
    client = AsyncClient()
    person = (await client.get("/chat/elsewhere/")).context["room_data"]["person"]
    return Visitor(Person(id=person["id"], name=person["name"]), cookies_of(client))


@pytest.fixture
async def owner() -> Visitor:
    return await user("owner")


@pytest.fixture
async def member(owner: Visitor) -> Visitor:
    """Of a private room."""
    await carry_out(moderation.create, ROOM, private=True, by=owner.person)
    added = await user("member")
    await carry_out(moderation.set_role, ROOM, "member", Role.MEMBER, by=owner.person)
    return added


async def say(text: str) -> int:
    entry = await posting.post(room=ROOM, message=text, person=people.new_guest("The site"), trusted=True)
    return entry.event.offset or 0


@pytest.fixture
def listening(eventually) -> Callable[[int], Awaitable[None]]:
    """`await listening(2)`: until so many listeners hear what is said from now on."""

    async def wait(count: int) -> None:
        await eventually(lambda: len(live_listeners()) == count)

    return wait


async def error_at(door: Door) -> str:
    """The code of the error that comes next, and is the last thing that comes there."""
    if isinstance(door, EventsDoor):
        (error,) = (await door.stream.result())["errors"]
        await door.stream.end()
        return error["extensions"]["code"]
    frame = await door.socket.receive_json_from(timeout=5)
    if isinstance(door, BrowserDoor):
        assert frame["kind"] == "error", frame
        closed = await door.socket.receive_output(timeout=5)
        assert (closed["type"], closed["code"], closed["reason"]) == ("websocket.close", 4403, frame["error"]["code"])
        return frame["error"]["code"]
    while frame["type"] == "next" and frame["payload"]["data"].get("joinChatRooms", {}).get("kind") == "GREETING":
        frame = await door.socket.receive_json_from(timeout=5)
    assert (frame["type"], frame["id"]) == ("error", "1"), frame
    await still_answers(door.socket)
    return frame["payload"][0]["extensions"]["code"]


async def still_answers(socket: GraphQLSocket) -> None:
    await socket.start("{ me { id } }", id="after")
    assert "errors" not in await socket.result("after")
    assert (await socket.receive_json_from(timeout=5))["type"] == "complete"


@pytest.mark.parametrize("after", [None, 0])
@pytest.mark.parametrize("door", [*DOORS, EventsDoor])
async def test_stranger_gets_not_a_member_and_nothing_else_from_a_private_room(
    door: type[Door], after: int | None, member
) -> None:
    for stranger in (await guest(), await user("stranger")):
        async with door.open(NAME, after, headers=stranger.headers) as ear:
            assert await error_at(ear) == "not_a_member"


@pytest.mark.parametrize("door", DOORS)
async def test_member_hears_a_private_room_live_and_in_recovery(door: type[Door], member: Visitor) -> None:
    async with door.open(NAME, 0, headers=member.headers) as ear:
        assert [(await ear.hear()).kind for _ in range(2)] == ["notice", "notice"]
        await say("hello")
        assert (await ear.hear()).text == "hello"


async def test_notice_of_a_new_role_names_it_live_and_in_recovery(owner: Visitor, member: Visitor) -> None:
    position = await say("before")
    async with BrowserDoor.open(NAME, position, headers=member.headers) as ear:
        await carry_out(moderation.set_role, ROOM, "member", Role.MODERATOR, by=owner.person)
        live = await ear.socket.receive_json_from(timeout=5)
        await ear.socket.send_json_to({"me": True})
        me = await ear.socket.receive_json_from(timeout=5)
    assert (live["subject"], live["access"], live["role"]) == (member.person.id, "changed", "moderator")
    assert (me["id"], me["is_guest"], me["role"]) == (member.person.id, False, "moderator")

    async with BrowserDoor.open(NAME, position, headers=member.headers) as ear:
        assert await ear.socket.receive_json_from(timeout=5) == live


async def remove(owner: Visitor, member: Visitor) -> str:
    await carry_out(moderation.remove_member, ROOM, "member", by=owner.person)
    return "removed"


async def ban(owner: Visitor, member: Visitor) -> str:
    await carry_out(moderation.ban, ROOM, member.person.id, by=owner.person)
    return "banned"


async def open_and_close(owner: Visitor, member: Visitor) -> str:
    """A member who leaves a room while it is public hears it until it is private again."""
    await carry_out(moderation.set_private, ROOM, False, by=owner.person)
    await carry_out(moderation.remove_member, ROOM, "member", by=owner.person)
    await carry_out(moderation.set_private, ROOM, True, by=owner.person)
    return "not_a_member"


@pytest.mark.parametrize("exclude", [remove, ban, open_and_close])
@pytest.mark.parametrize("door", [*DOORS, EventsDoor])
async def test_excluded_person_hears_the_notice_and_nothing_more_while_others_go_on(
    door: type[Door], exclude: Callable[[Visitor, Visitor], Awaitable[str]], owner: Visitor, member: Visitor, listening
) -> None:
    position = await say("before")
    async with (
        door.open(NAME, position, headers=member.headers) as excluded,
        door.open(NAME, position, headers=owner.headers) as stays,
    ):
        await say("during")
        assert (await excluded.hear()).text == (await stays.hear()).text == "during"
        await listening(2)  # else a recovery might be refused, and bring no notice
        code = await exclude(owner, member)
        last = await say("after")
        while (notice := await stays.hear()).text != "after":
            assert notice.kind == "notice"
            assert await excluded.hear() == notice
        assert notice.offset == last
        assert await error_at(excluded) == code
    async with door.open(NAME, position, headers=member.headers) as again:
        assert await error_at(again) == ("banned" if code == "banned" else "not_a_member")


@pytest.mark.parametrize("door", DOORS)
async def test_guest_in_a_room_that_is_created_as_private_is_excluded(
    door: type[Door], owner: Visitor, listening
) -> None:
    async with door.open(NAME, headers=(await guest()).headers) as waiting:
        await listening(1)
        await carry_out(moderation.create, ROOM, private=True, by=owner.person)
        await say("a secret")
        assert (await waiting.hear()).kind == "notice"
        assert await error_at(waiting) == "not_a_member"


async def test_ban_ends_the_subscription_to_that_room_and_no_other(subprotocol: str, listening) -> None:
    banned = await guest()
    socket = GraphQLSocket(application, "/graphql", headers=banned.headers, protocol=subprotocol, subprotocols=[])
    await socket.gql_init()
    try:
        for id, room in (("1", NAME), ("2", "elsewhere")):
            await socket.start(ROOM_MESSAGES, {"rooms": [{"roomName": room}]}, id)
        await listening(2)
        await carry_out(moderation.ban, ROOM, banned.person.id, by=None)
        assert (await socket.result("1"))["data"]["roomMessages"]["kind"] == "NOTICE"
        frame = await socket.receive_json_from(timeout=5)
        assert (frame["type"], frame["id"]) == ("error", "1")
        assert "banned" in str(frame["payload"])
        await posting.post(room=find("elsewhere"), message="still here", person=banned.person)
        assert (await socket.result("2"))["data"]["roomMessages"]["message"] == "still here"
    finally:
        await close(socket)


async def test_subscription_with_one_forbidden_room_is_refused_as_a_whole(member: Visitor) -> None:
    async with GraphQLDoor.open_all({"open": None, NAME: None}, headers=(await guest()).headers) as ear:
        assert await error_at(ear) == "not_a_member"


@pytest.mark.parametrize("door", DOORS)
async def test_recovery_gives_nothing_to_a_person_who_is_removed_while_it_reads(
    door: type[Door], owner: Visitor, member: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = recoveries._read

    def remove_and_read(*args: Any) -> Any:
        moderation.remove_member(ROOM, "member", by=owner.person)
        log.append([log.Draft(room=ROOM, text="a secret", person=owner.person)])
        return read(*args)

    monkeypatch.setattr(recoveries, "_read", remove_and_read)
    async with door.open(NAME, 0, headers=member.headers) as ear:
        assert await error_at(ear) == "not_a_member"


async def test_closed_room_delivers_nothing_until_permissions_could_be_read(
    owner: Visitor, member: Visitor, eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room is closed, and the database doesn't answer who its members are."""
    await in_database(moderation.set_private, ROOM, False, by=None)
    asked = 0

    async def fail(*_: object) -> None:
        nonlocal asked
        asked += 1
        raise Unavailable("It is away.")

    heard: dict[str, list[str]] = {"member": [], "stranger": []}

    async def listen(name: str, person: Person) -> None:
        async with Hub.here().listen([ROOM], {ROOM: Position(before)}, person) as outbox:
            async for event in outbox:
                heard[name].append(event.message)

    before = await say("before")
    staying = asyncio.create_task(listen("member", member.person))
    leaving = asyncio.create_task(listen("stranger", people.new_guest()))
    await say("during")
    await eventually(lambda: all("during" in texts for texts in heard.values()))
    with monkeypatch.context() as patch:
        patch.setattr(source, "in_database", fail)
        await carry_out(moderation.set_private, ROOM, True, by=None)
        await say("a secret")
        await eventually(lambda: asked > 1)
        assert not any("a secret" in texts for texts in heard.values())
    await eventually(lambda: "a secret" in heard["member"])
    with pytest.raises(NotAMember):
        await asyncio.wait_for(leaving, 5)
    staying.cancel()
    await asyncio.wait([staying])
    assert heard["stranger"][-1] == "This room was made private by the site’s staff."


class Doors:
    """Actions of a visitor at each door, each answered by the code of its error, or "" without one."""

    def __init__(self, visitor: Visitor, protocol: str) -> None:
        self.visitor = visitor
        self.protocol = protocol

    async def ask(self, document: str, **variables: Any) -> Any:
        if self.protocol == "http":
            body = json.dumps({"query": document, "variables": variables}).encode()
            headers = [(b"content-type", b"application/json"), *self.visitor.headers]
            answer = await HttpCommunicator(application, "POST", "/graphql", body, headers).get_response(timeout=5)
            return json.loads(answer["body"])
        protocol = self.protocol
        socket = GraphQLSocket(
            application, "/graphql", headers=self.visitor.headers, protocol=protocol, subprotocols=[]
        )
        await socket.gql_init()
        try:
            await socket.start(document, variables)
            return await socket.result()
        finally:
            await close(socket)

    async def code(self, document: str, **variables: Any) -> str:
        answer = await self.ask(document, **variables)
        if answer.get("errors"):
            return answer["errors"][0]["extensions"]["code"]
        (payload,) = answer["data"].values()
        return payload["error"]["code"] if payload and payload.get("error") else ""

    async def browser(self, frame: dict[str, Any]) -> str:
        """Of one whose socket is open since before they were excluded."""
        socket = ChatSocket(application, f"/ws{ROOM.get_absolute_url()}", self.visitor.headers)
        await socket.connect(timeout=5)
        try:
            await socket.send_json_to(frame)
            answer = await socket.receive_json_from(timeout=5)
            return answer["error"]["code"] if answer["kind"] == "error" else ""
        finally:
            await close(socket)


def mutation(name: str, input: str) -> str:
    return f"mutation ($input: {input}!) {{ {name}(input: $input) {{ error {{ code }} }} }}"


ROOM_FIELD = "query ($room: String!) {{ room(name: $room) {{ {} }} }}"
BY_GRAPHQL: dict[str, Callable[[Doors, int, str], Awaitable[str]]] = {
    "post": lambda doors, offset, other: doors.code(
        mutation("postMessage", "PostMessageInput"), input={"roomName": NAME, "message": "hi"}
    ),
    "send": lambda doors, offset, other: doors.code(
        'mutation ($room: ChatRoom!) { sendChatMessage(room: $room, message: "hi") }', room={"roomName": NAME}
    ),
    "read": lambda doors, offset, other: doors.code(
        ROOM_FIELD.format("messages { edges { node { message } } }"), room=NAME
    ),
    "see the last offset": lambda doors, offset, other: doors.code(ROOM_FIELD.format("lastOffset"), room=NAME),
    "see the members": lambda doors, offset, other: doors.code(ROOM_FIELD.format("members { role }"), room=NAME),
    "see the bans": lambda doors, offset, other: doors.code(ROOM_FIELD.format("bans { id }"), room=NAME),
    "delete": lambda doors, offset, other: doors.code(
        mutation("deleteMessage", "DeleteMessageInput"), input={"roomName": NAME, "offset": offset}
    ),
    "add": lambda doors, offset, other: doors.code(
        mutation("setMember", "SetMemberInput"), input={"roomName": NAME, "username": "other"}
    ),
    "promote": lambda doors, offset, other: doors.code(
        mutation("setMember", "SetMemberInput"), input={"roomName": NAME, "username": "other", "role": "MODERATOR"}
    ),
    "remove": lambda doors, offset, other: doors.code(
        mutation("removeMember", "RemoveMemberInput"), input={"roomName": NAME, "username": "present"}
    ),
    "ban": lambda doors, offset, other: doors.code(
        mutation("ban", "BanInput"), input={"roomName": NAME, "personId": other}
    ),
    "unban": lambda doors, offset, other: doors.code(
        mutation("unban", "BanInput"), input={"roomName": NAME, "personId": other}
    ),
    "open": lambda doors, offset, other: doors.code(
        mutation("setPrivate", "SetPrivateInput"), input={"roomName": NAME, "private": False}
    ),
}
MEMBER = {"post", "send", "read", "see the last offset", "see the members"}
MODERATOR = MEMBER | {"see the bans", "delete", "add", "remove", "ban", "unban"}
MAY = {"guest": set(), "stranger": set(), "member": MEMBER, "moderator": MODERATOR, "owner": set(BY_GRAPHQL)}


@pytest.mark.parametrize("protocol", ["http", "graphql-transport-ws", "graphql-ws"])
@pytest.mark.parametrize("who", [*MAY, "banned"])
async def test_graphql_allows_each_role_its_own_actions(
    who: str, protocol: str, owner: Visitor, member: Visitor
) -> None:
    others = {name: await user(name) for name in ("other", "present", "moderator", "stranger")}
    await carry_out(moderation.set_role, ROOM, "moderator", Role.MODERATOR, by=owner.person)
    visitors = {**others, "owner": owner, "member": member, "banned": member, "guest": await guest()}
    if who == "banned":
        await ban(owner, member)
    doors = Doors(visitors[who], protocol)
    outside = {"guest": "not_a_member", "stranger": "not_a_member", "banned": "banned"}
    for action, act in BY_GRAPHQL.items():
        await in_database(moderation.set_role, ROOM, "present", Role.MEMBER, by=None)
        offset = await say("hello")
        expected = "" if action in MAY.get(who, set()) else outside.get(who, "not_allowed")
        assert await act(doors, offset, others["stranger"].person.id) == expected, action


async def test_removed_member_can_not_post_read_or_delete_on_an_open_socket(owner: Visitor, member: Visitor) -> None:
    """Their socket is closed at once; even if it weren't, nothing would come of it."""
    offset = await say("hello")
    doors = Doors(member, "http")
    for frame in ({"message": "hi"}, {"before": 99}):
        assert await doors.browser(frame) == ""
    assert await doors.browser({"delete": offset}) == "not_allowed"
    assert await doors.browser({"delete": "x"}) == "invalid_position"
    assert await doors.browser({"delete": offset + 99}) == "no_such_message"
    await remove(owner, member)
    for frame in ({"message": "hi"}, {"before": 99}, {"delete": offset}):
        assert await doors.browser(frame) == "not_a_member"


async def test_private_rooms_are_listed_to_their_members_only(owner: Visitor, member: Visitor) -> None:
    rooms = "{ rooms { edges { node { name isPrivate role } } } }"
    found = [(await Doors(who, "http").ask(rooms))["data"]["rooms"]["edges"] for who in (await guest(), member)]
    assert found == [[], [{"node": {"name": NAME, "isPrivate": True, "role": "MEMBER"}}]]


class TestDeletion:
    @pytest.mark.parametrize("door", DOORS)
    async def test_deletion_reaches_listeners_live_and_in_recovery(self, door: type[Door], member: Visitor) -> None:
        offset = await say("a secret")
        async with door.open(NAME, offset, headers=member.headers) as ear:
            await carry_out(moderation.delete_message, ROOM, offset, by=None)
            deletion = await ear.hear()
            assert (deletion.kind, deletion.offset, deletion.text) == ("deletion", offset + 1, "A message was deleted.")
        async with door.open(NAME, offset - 1, headers=member.headers) as back:
            gone, again = await back.hear(), await back.hear()
        assert (gone.kind, gone.offset, gone.text) == ("message", offset, "")
        assert again == deletion

    async def test_deletion_names_its_target_at_both_doors(self, owner: Visitor, member: Visitor, listening) -> None:
        offset = await say("a secret")
        async with (
            BrowserDoor.open(NAME, headers=owner.headers) as browser,
            GraphQLDoor.open(NAME, headers=owner.headers) as graphql,
        ):
            await graphql.socket.start(
                ROOM_MESSAGES.replace("kind", "kind target deleted"), {"rooms": [{"roomName": NAME}]}, id="2"
            )
            await listening(3)
            await browser.socket.send_json_to({"delete": offset})
            frame = await browser.socket.receive_json_from(timeout=5)
            assert (frame["kind"], frame["target"], frame["user"]) == ("deletion", offset, "owner")
            results = {}
            for _ in range(2):
                answer = await graphql.socket.receive_json_from(timeout=5)
                results[answer["id"]] = answer["payload"]["data"]["roomMessages"]
            assert (results["2"]["kind"], results["2"]["target"], results["2"]["deleted"]) == (
                "DELETION",
                offset,
                False,
            )
            await browser.socket.send_json_to({"before": offset + 1})
            page = (await browser.socket.receive_json_from(timeout=5))["messages"]
            assert (page[-1]["message"], page[-1]["deleted"], page[-1]["user"]) == ("", True, "The site")

    async def test_deletion_leaves_no_text_in_the_caches_of_the_process(
        self, eventually, listening, monkeypatch
    ) -> None:
        """Not even when no listener is told of the deletion."""
        monkeypatch.setattr("chat.delivery.recent_renderings.KEPT", 0.05)
        operations: list[SharedOperation] = []
        keep = SharedOperation._keep
        monkeypatch.setattr(
            SharedOperation, "_keep", lambda self, *args: (operations.append(self), keep(self, *args))[1]
        )
        async with BrowserDoor.open(NAME) as browser, GraphQLDoor.open(NAME) as graphql:
            await listening(2)
            await say("a secret")
            await browser.hear()
            await graphql.hear()
            renderings = [frames._ready_frames, *(one._recent for one in operations)]
            assert "a secret" in str([one._by_id for one in renderings])
            await eventually(lambda: "a secret" not in str([one._by_id for one in renderings]))

    async def test_deletion_leaves_no_text_in_redis(self, member: Visitor, listening) -> None:
        async with BrowserDoor.open(NAME, headers=member.headers):
            await listening(1)
            await carry_out(moderation.delete_message, ROOM, await say("a secret"), by=None)
        get_channel_layer()  # starts the server, if nobody has yet
        async with Redis.from_url(settings.REDIS_URLS[0]) as redis:
            dumped = [(key, await redis.dump(key)) async for key in redis.scan_iter()]
        assert b"a secret" not in b"".join(key + (value or b"") for key, value in dumped)


async def test_schema_without_our_consumers_refuses_private_rooms(member: Visitor) -> None:
    stream = await schema.subscribe(ROOM_MESSAGES, variable_values={"rooms": [{"roomName": NAME}]})
    async for result in stream:  # type: ignore[union-attr]
        assert result.errors[0].extensions["code"] == "not_a_member"
        break
    answer = await schema.execute(ROOM_FIELD.format("lastOffset"), variable_values={"room": NAME})
    assert answer.errors[0].extensions["code"] == "not_a_member"  # type: ignore[index]


async def test_removed_member_hears_nothing_after_the_removal_in_any_interleaving(
    owner: Visitor, member: Visitor
) -> None:
    """They connect, with and without a position, while they are removed and others post, in a hundred random orders."""
    chance = random.Random(2026)

    async def listen(after: int | None, heard: list[int]) -> None:
        await asyncio.sleep(chance.random() / 100)
        with contextlib.suppress(NotAMember):
            async with Hub.here().listen(
                [ROOM], {} if after is None else {ROOM: Position(after)}, member.person
            ) as outbox:
                async for event in outbox:
                    heard.append(event.offset or 0)  # noqa: PERF401 - it ends by an error

    for _ in range(100):
        await carry_out(moderation.set_role, ROOM, "member", Role.MEMBER, by=None)
        position = await say("before")
        ears = [(after, []) for after in (None, position - 1, position, None)]
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for after, heard in ears:
                group.create_task(listen(after, heard))
            group.create_task(say("during"))
            await asyncio.sleep(chance.random() / 100)
            removing = carry_out(moderation.remove_member, ROOM, "member", by=None)
            removal = group.create_task(removing)
            for _ in range(3):
                group.create_task(say("after, or just before"))
        removed_at = removal.result().offset  # type: ignore[union-attr]
        for after, heard in ears:
            assert max(heard, default=0) <= removed_at, (after, heard)
            assert heard == list(range(heard[0], removed_at + 1)) if heard else True, (after, heard)


class RemoteEar:
    """A listener at both doors of a server process."""

    def __init__(self, server: Server, visitor: Visitor, after: int) -> None:
        self.server, self.after = server, after
        self.headers = {"Cookie": visitor.headers[0][1].decode()}
        self.heard: dict[str, list[str]] = {"browser": [], "graphql": []}
        self.ended: dict[str, str] = {}

    async def browse(self) -> None:
        url = f"ws://{self.server.host}/ws{ROOM.get_absolute_url()}?after={self.after}"
        async with websockets.connect(url, additional_headers=self.headers) as socket:
            with contextlib.suppress(websockets.ConnectionClosed):
                async for text in socket:
                    frame = json.loads(text)
                    if frame["kind"] == "error":
                        self.ended["browser"] = frame["error"]["code"]
                    else:
                        self.heard["browser"].append(frame["message"])
            assert socket.close_code == 4403

    async def subscribe(self) -> None:
        transport = WebsocketsTransport(url=f"ws://{self.server.host}/graphql", headers=self.headers)
        async with Client(transport=transport) as client:
            request = gql("subscription ($rooms: [RoomPosition!]!) { roomMessages(rooms: $rooms) { message } }")
            request.variable_values = {"rooms": [{"roomName": NAME, "after": self.after}]}
            try:
                async for result in client.subscribe(request):
                    self.heard["graphql"].append(result["roomMessages"]["message"])
            except TransportQueryError as error:
                self.ended["graphql"] = error.errors[0]["extensions"]["code"]  # type: ignore[index]


async def remotely(server: Server, visitor: Visitor, document: str, **input: Any) -> None:
    headers = {"Cookie": visitor.headers[0][1].decode(), "Origin": f"http://{server.host}"}
    body = {"query": document, "variables": {"input": {"roomName": NAME, **input}}}
    url = f"http://{server.host}/graphql"
    async with aiohttp.ClientSession(headers=headers) as session, session.post(url, json=body) as answer:
        (payload,) = (await answer.json())["data"].values()
        assert payload["error"] is None


@pytest.fixture(params=[{}, {"REDIS_URL": "redis://127.0.0.1:1/0"}], ids=["with Redis", "without Redis"])
async def servers(request: pytest.FixtureRequest, start_servers) -> list[Server]:
    return await asyncio.to_thread(start_servers, 2, **request.param)


async def test_member_removed_through_one_server_hears_nothing_more_at_another(
    servers: list[Server], owner: Visitor, member: Visitor, eventually
) -> None:
    here, there = servers
    ear = RemoteEar(there, member, await say("before"))
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        tasks = [group.create_task(ear.browse()), group.create_task(ear.subscribe())]
        post = mutation("postMessage", "PostMessageInput")
        await remotely(here, owner, post, message="during")
        await eventually(lambda: all(heard == ["during"] for heard in ear.heard.values()))
        await remotely(here, owner, mutation("removeMember", "RemoveMemberInput"), username="member")
        for number in range(20):
            await remotely(here if number % 2 else there, owner, post, message=f"after {number}")
        await asyncio.wait(tasks)
    assert ear.ended == {"browser": "removed", "graphql": "removed"}
    assert list(ear.heard.values()) == [["during", "member was removed by owner."]] * 2
