"""Secrets of a private room: people outside learn nothing of it by any field, mutation, frame or page.

Neither by what they are told, nor by the difference between something that is there and something that isn't.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient, Client

from chat.actions import editing, posting, reading, reporting
from chat.actions.moderation import carry_out
from chat.delivery.publisher import publish
from chat.domain.reactions import ReactionRequest
from chat.domain.rooms import find
from chat.models import Involvement, Role
from chat.storage import moderation, reactions
from chat.storage.database import in_database
from mysite.asgi import application
from tests.conftest import ChatSocket, GraphQLSocket, close
from tests.test_private_rooms import (  # noqa: F401 - of which some are fixtures
    NAME,
    ROOM,
    Doors,
    Visitor,
    ban,
    guest,
    member,
    mutation,
    owner,
    remove,
    user,
)

OUTSIDERS = ["guest", "stranger", "removed", "banned"]
MISSING = 999
NODE = """kind message html deleted editedAt user { name } mentions { name } mentionsRoom
    reactions { emoji count people { name } } replyTo { message user { name } }"""


@pytest.fixture
async def secret(owner: Visitor, member: Visitor) -> AsyncIterator[int]:  # noqa: F811
    """The offset of a message in the private room: formatted, mentioning, replied to, edited, reacted to, and reported.

    Its author is there, and types.
    """

    author = await user("kaspar")
    await carry_out(moderation.set_role, ROOM, "kaspar", Role.OWNER, by=owner.person)

    async def say(text: str, reply_to: int | None = None) -> int:
        entry = await posting.post(room=ROOM, message=text, person=author.person, reply_to=reply_to)
        return entry.event.offset or 0

    offset = await say("a **secret** for @member")
    await say("a secret reply", offset)
    await editing.edit(room=ROOM, offset=offset, message="another **secret** for @member", person=author.person)
    reacted = await in_database(reactions.react, ROOM, offset, [ReactionRequest(member.person, "👍", True)])
    assert reacted.entry
    await publish(reacted.entry)
    await reporting.report(room=ROOM, offset=offset, reason="a secret reason", person=member.person)
    await reading.set_involvement(ROOM, Involvement.ALL, person=member.person)
    socket = ChatSocket(application, f"/ws{ROOM.get_absolute_url()}?with=presence,typing", author.headers)
    await socket.connect(timeout=5)
    await socket.live()
    await socket.send_json_to({"typing": True})
    yield offset
    await close(socket)


@pytest.fixture(params=OUTSIDERS)
async def outsider(request: pytest.FixtureRequest, secret: int, owner: Visitor, member: Visitor) -> Visitor:  # noqa: F811
    match request.param:
        case "guest":
            return await guest()
        case "stranger":
            return await user("stranger")
        case "removed":
            await remove(owner, member)
        case "banned":
            await ban(owner, member)
    return member


def keeps(answer: object) -> bool:
    """Whether an answer doesn't name the author, and has nothing of what was said there."""
    text = json.dumps(answer, ensure_ascii=False)
    return not any(word in text for word in ("secret", "👍", "kaspar"))


def about(name: str, input: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return mutation(name, input), {"input": {"roomName": NAME, **more}}


def of_room(fields: str) -> tuple[str, dict[str, Any]]:
    return f"query ($room: String!) {{ room(name: $room) {{ {fields} }} }}", {"room": NAME}


def asked(offset: int) -> dict[str, tuple[str, dict[str, Any]]]:
    """All that is refused outside, about the message at `offset` where it is about one."""
    at = {"offset": offset}
    page = f"messages(last: 9) {{ edges {{ node {{ {NODE} }} }} }}"
    return {
        "postMessage": about("postMessage", "PostMessageInput", message="hi", replyTo=offset),
        "sendChatMessage": (
            'mutation ($room: ChatRoom!) { sendChatMessage(room: $room, message: "hi") }',
            {"room": {"roomName": NAME}},
        ),
        "editMessage": about("editMessage", "EditMessageInput", message="hi", **at),
        "deleteMessage": about("deleteMessage", "DeleteMessageInput", **at),
        "react": about("react", "ReactInput", emoji="👍", **at),
        "unreact": about("react", "ReactInput", emoji="👍", on=False, **at),
        "reportMessage": about("reportMessage", "ReportMessageInput", **at),
        "dismissReport": about("dismissReport", "DismissReportInput", **at),
        "markRead": about("markRead", "MarkInput", **at),
        "markUnread": about("markUnread", "MarkInput", **at),
        "setInvolvement": about("setInvolvement", "SetInvolvementInput", involvement="ALL"),
        "setTyping": about("setTyping", "SetTypingInput", typing=True),
        "setReadOnly": about("setReadOnly", "SetReadOnlyInput", readOnly=True),
        "setSlowMode": about("setSlowMode", "SetSlowModeInput", seconds=5),
        "setPrivate": about("setPrivate", "SetPrivateInput", private=False),
        "messageVersions": (
            "query ($room: String!, $offset: Int!) { messageVersions(roomName: $room, offset: $offset) { message } }",
            {"room": NAME, **at},
        ),
        "mentionable": (
            'query ($room: String!) { mentionable(roomName: $room, matching: "o") { name } }',
            {"room": NAME},
        ),
        "messages": of_room(page),
        "messages before": of_room(f'messages(last: 1, before: "{offset + 1}") {{ edges {{ node {{ {NODE} }} }} }}'),
        "lastMessage": of_room(f"lastMessage {{ {NODE} }}"),
        "lastOffset": of_room("lastOffset"),
        "members": of_room("members { user { name } }"),
        "membersConnection": of_room("membersConnection { edges { node { user { name } } } }"),
        "bans": of_room("bans { name }"),
        "bansConnection": of_room("bansConnection { edges { node { name } } }"),
        "presence": of_room("presence { count complete people { name } }"),
    }


def code_of(answer: Any) -> str:
    if answer.get("errors"):
        return answer["errors"][0]["extensions"]["code"]
    (payload,) = answer["data"].values()
    return payload["error"]["code"] if payload and payload.get("error") else ""


async def test_outsider_is_refused_whatever_they_ask_for(outsider: Visitor, secret: int) -> None:
    doors = Doors(outsider, "http")
    there, missing = asked(secret), asked(MISSING)
    codes = {}
    for name, question in there.items():
        answer = await doors.ask(question[0], **question[1])
        assert keeps(answer), name
        assert answer == await doors.ask(missing[name][0], **missing[name][1]), name
        codes[name] = code_of(answer)
    assert set(codes.values()) <= {"not_a_member", "banned"}, codes


async def test_outsider_sees_of_the_room_that_it_is_private_and_nothing_more(outsider: Visitor) -> None:
    question, variables = of_room(
        "name displayName isPrivate isDirect role unread mentionsUnread readOffset involvement openReports"
        " reports { edges { node { reason } } }"
    )
    answer = (await Doors(outsider, "http").ask(question, **variables))["data"]["room"]
    said = {key: value for key, value in answer.items() if value is not None}
    assert said == {"name": NAME, "displayName": NAME, "isPrivate": True, "isDirect": False}


LISTS = f"""{{ myRooms {{ edges {{ node {{ name unread mentionsUnread lastMessage {{ message }} }} }} }}
    rooms {{ edges {{ node {{ name lastMessage {{ message }} }} }} }}
    active: rooms(order: ACTIVITY) {{ edges {{ node {{ name }} }} }}
    matching: rooms(matching: "priv") {{ edges {{ node {{ name }} }} }}
    whole: rooms(matching: "{NAME}") {{ edges {{ node {{ name }} }} }} }}"""


async def test_no_list_of_rooms_has_the_room_for_an_outsider(outsider: Visitor) -> None:
    for path in ("/chat/", "/chat/?q=priv"):
        client = AsyncClient(headers={"cookie": outsider.headers[0][1].decode()})
        assert NAME not in (await client.get(path)).content.decode()
    found = (await Doors(outsider, "http").ask(LISTS))["data"]
    assert [edge for part in found.values() for edge in part["edges"]] == []


async def test_no_page_of_the_room_tells_an_outsider_anything(outsider: Visitor) -> None:
    client = Client(headers={"cookie": outsider.headers[0][1].decode()})  # AsyncClient knows no names but ASCII
    for query in ("", "?at=3", "?at=999", "?before=5", "?after=1"):
        answer = await sync_to_async(client.get)(f"{ROOM.get_absolute_url()}{query}")
        assert answer.status_code == 403
        assert keeps(answer.content.decode())
    answer = await sync_to_async(client.get)("/rooms/members/", {"room": NAME})
    assert keeps(answer.content.decode())


SUBSCRIPTIONS = [
    "roomPresence(roomName: $room) { count people { name } }",
    "roomTyping(roomName: $room) { people { name } }",
    f"roomMessages(rooms: [{{roomName: $room, after: 0}}], kinds: [EDIT]) {{ {NODE} }}",
    f"roomMessages(rooms: [{{roomName: $room, after: 0}}], kinds: [MESSAGE, REACTION]) {{ {NODE} }}",
    f'joinChatRooms(rooms: [{{roomName: $room}}], user: "foo", kinds: [EDIT, REACTION]) {{ {NODE} }}',
]


async def test_no_subscription_to_the_room_gives_an_outsider_anything(outsider: Visitor, subprotocol: str) -> None:
    socket = GraphQLSocket(application, "/graphql", headers=outsider.headers, protocol=subprotocol, subprotocols=[])
    await socket.gql_init()
    try:
        for field in SUBSCRIPTIONS:
            await socket.start(f"subscription ($room: String!) {{ {field} }}", {"room": NAME}, id=field)
            frame = await socket.receive_json_from(timeout=5)
            assert (frame["type"], frame["id"]) == ("error", field), frame
            assert keeps(frame)
    finally:
        await close(socket)


@pytest.mark.parametrize(
    "frame",
    [{"involvement": "all", "room": NAME}, {"leave": NAME}, {"read": 1}, {"read_all": True}, {"complete": "o"}],
    ids=lambda frame: next(iter(frame)),
)
async def test_frames_in_another_room_tell_nothing_of_the_private_one(
    frame: dict[str, Any],
    outsider: Visitor,
    owner: Visitor,  # noqa: F811
) -> None:
    """An owner who is not in that other room says something here, which changes nothing there."""
    wishes = "?with=edits,reactions,presence,typing,html,rooms"
    socket = ChatSocket(application, f"/ws/chat/elsewhere/{wishes}", outsider.headers)
    await socket.connect(timeout=5)
    try:
        await socket.send_json_to({**frame, "request": "r1"})
        await posting.post(room=ROOM, message="a secret for @member and @room", person=owner.person)
        await posting.post(room=find("elsewhere"), message="the end", person=outsider.person)
        heard = []
        while not heard or heard[-1].get("message") != "the end":
            heard.append(await socket.receive_json_from(timeout=5))
        await asyncio.sleep(0)
        told = [one for one in heard if one["kind"] != "rooms" or any(room["involvement"] for room in one["rooms"])]
        assert NAME not in json.dumps([one for one in told if one["kind"] == "rooms"], ensure_ascii=False)
        assert keeps(heard)
    finally:
        await close(socket)
