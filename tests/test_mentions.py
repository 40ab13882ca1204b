"""Mentions at both doors, by the contract in docs/protocol.md."""

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from chat.domain.people import of_user
from chat.domain.rooms import find
from chat.storage import moderation
from chat.storage.database import in_database
from mysite.graphql import schema
from tests.gqlchat.schema.test_loaders import Request
from tests.gqlchat.transport.test_http import request
from tests.test_private_rooms import user

HEARD = """subscription { roomMessages(rooms: [{roomName: "names"}], kinds: [MESSAGE, EDIT]) {
    kind message mentions { id name username } mentionsRoom
} }"""
POST = """mutation ($message: String!) { postMessage(input: {roomName: "names", message: $message}) {
    message { mentions { name } mentionsRoom } error { code }
} }"""


@pytest.fixture
async def ann(transactional_db: None) -> User:
    return await sync_to_async(User.objects.create_user)(username="Ann")


async def test_mention_is_told_at_both_doors_live_in_edits_and_in_history(open_chat, open_graphql, ann: User) -> None:
    socket, graphql = await open_chat("/ws/chat/names/?with=edits"), await open_graphql()
    await graphql.subscribe(HEARD)
    await socket.say("hello @ann")
    frame = await socket.receive_json_from(timeout=5)
    assert frame["mentions"] == [f"user-{ann.pk}"]
    called = [{"id": f"user-{ann.pk}", "name": "Ann", "username": "Ann"}]
    heard = (await graphql.result())["data"]["roomMessages"]
    assert heard == {"kind": "MESSAGE", "message": "hello @ann", "mentions": called, "mentionsRoom": False}
    await socket.say("nobody")
    assert "mentions" not in await socket.receive_json_from(timeout=5)
    assert (await graphql.result())["data"]["roomMessages"]["mentions"] == []
    await socket.send_json_to({"edit": 2, "message": "@Ann after all"})
    assert (await socket.receive_json_from(timeout=5))["mentions"] == [f"user-{ann.pk}"]
    assert (await graphql.result())["data"]["roomMessages"]["mentions"] == called
    await socket.send_json_to({"before": 99})
    history = (await socket.receive_json_from(timeout=5))["messages"]
    assert [message.get("mentions") for message in history] == [[f"user-{ann.pk}"]] * 2


async def test_mention_of_the_room_is_told_where_an_owner_calls_it(open_chat, ann: User) -> None:
    await in_database(moderation.create, find("names"), private=False, by=of_user(ann))
    socket = await open_chat("/ws/chat/names/")
    result = await schema.execute(POST, {"message": "@room: @Ann says so"}, {"request": Request(ann)})
    assert result.data["postMessage"] == {"message": {"mentions": [], "mentionsRoom": True}, "error": None}
    assert (await socket.receive_json_from(timeout=5))["mentions"] == ["room"]
    await socket.say("@room me too")  # a guest
    assert "mentions" not in await socket.receive_json_from(timeout=5)


@pytest.mark.parametrize(("beginning", "people"), [("", ["Ann"]), ("an", ["Ann"]), ("b", []), ("x" * 40, [])])
async def test_completion_is_asked_for_at_both_doors(open_chat, ann: User, beginning: str, people: list) -> None:
    await in_database(moderation.create, find("names"), private=False, by=of_user(ann))
    socket = await open_chat("/ws/chat/names/")
    await socket.send_json_to({"complete": beginning, "request": "q1"})
    answer = await socket.receive_json_from(timeout=5)
    assert (answer["kind"], answer["request"]) == ("completion", "q1")
    assert answer["people"] == [{"id": f"user-{ann.pk}", "name": name} for name in people]
    _, found = await request(
        {
            "query": 'query ($b: String!) { mentionable(roomName: "names", matching: $b) { name } }',
            "variables": {"b": beginning},
        }
    )
    assert [person["name"] for person in found["data"]["mentionable"]] == people


async def test_user_who_is_here_and_has_said_nothing_is_offered_in_completion(open_chat) -> None:
    silent = await user("Silent Mo")
    await open_chat("/ws/chat/names/", headers=silent.headers)
    socket = await open_chat("/ws/chat/names/")
    await socket.send_json_to({"complete": "mo"})
    answer = await socket.receive_json_from(timeout=5)
    assert answer["people"] == [{"id": silent.person.id, "name": "Silent Mo"}]
    query = 'query { mentionable(roomName: "names", matching: "Silent") { name } }'
    _, found = await request({"query": query})
    assert found["data"]["mentionable"] == [{"name": "Silent Mo"}]


@pytest.mark.parametrize("beginning", [None, 7, ["a"], "x" * 41, "\0"])
async def test_completion_of_what_is_no_beginning_is_an_error(open_chat, beginning: object) -> None:
    socket = await open_chat("/ws/chat/names/")
    await socket.send_json_to({"complete": beginning, "request": "q1"})
    answer = await socket.receive_json_from(timeout=5)
    assert (answer["error"]["code"], answer["request"]) == ("invalid_frame", "q1")
