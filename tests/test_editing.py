"""Editing at both doors, by the contract in docs/protocol.md."""

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from chat.domain.people import of_user
from chat.domain.rooms import find
from chat.models import Role
from chat.storage import log, moderation
from chat.storage.database import in_database
from mysite.graphql import schema
from tests.gqlchat.schema.test_loaders import Request
from tests.gqlchat.transport.test_http import request

ROOM = find("edits")
EDIT = """mutation ($input: EditMessageInput!) {
    editMessage(input: $input) { entry { kind target offset message user { name } } error { code message } }
}"""
HEARD = """subscription {
    roomMessages(rooms: [{roomName: "edits", after: 0}], kinds: [MESSAGE, EDIT, DELETION]) {
        kind offset target message editedAt deleted
    }
}"""
VERSIONS = 'query ($offset: Int!) { messageVersions(roomName: "edits", offset: $offset) { message since } }'


async def frame(socket, **expected: object) -> dict:
    """The next frame that has these values."""
    while True:
        found = await socket.receive_json_from(timeout=5)
        if found.items() >= expected.items():
            return found


async def test_edit_is_heard_at_both_doors_by_those_who_ask_and_nobody_else(open_chat, open_graphql) -> None:
    author = await open_chat("/ws/chat/edits/?with=edits")
    plain = await open_chat("/ws/chat/edits/")
    graphql = await open_graphql()
    await graphql.subscribe(HEARD)
    await author.say("old")
    assert (await frame(author))["message"] == "old"
    await author.send_json_to({"edit": 1, "message": "new\r\n"})
    edit = await frame(author, kind="edit")
    assert (edit["target"], edit["offset"], edit["message"]) == (1, 2, "new")
    await author.say("next")
    assert [await plain.hear() for _ in range(2)] == ["old", "next"]
    heard = [(await graphql.result())["data"]["roomMessages"] for _ in range(3)]
    assert [(one["kind"], one["target"], one["message"]) for one in heard] == [
        ("MESSAGE", None, "old"),
        ("EDIT", 1, "new"),
        ("MESSAGE", None, "next"),
    ]


async def test_history_has_the_last_text_and_when_it_was_given(open_chat) -> None:
    author = await open_chat("/ws/chat/edits/?with=edits")
    await author.say("old")
    await author.send_json_to({"edit": 1, "message": "new"})
    edit = await frame(author, kind="edit")
    await author.send_json_to({"before": 99})
    (message,) = (await frame(author, kind="history"))["messages"]
    assert (message["message"], message["edited_at"]) == ("new", edit["sent_at"])
    page = '{ room(name: "edits") { messages { edges { node { message editedAt } } } } }'
    _, answer = await request({"query": page})
    ((node,),) = [[edge["node"] for edge in answer["data"]["room"]["messages"]["edges"]]]
    assert (node["message"], node["editedAt"]) == ("new", edit["sent_at"])


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"edit": 1}, "invalid_message"),
        ({"edit": 1, "message": 7}, "invalid_message"),
        ({"edit": 1, "message": " "}, "blank_message"),
        ({"edit": 1, "message": "x" * 4001}, "message_too_long"),
        ({"edit": None, "message": "new"}, "invalid_position"),
        ({"edit": -1, "message": "new"}, "invalid_position"),
        ({"edit": [1], "message": "new"}, "invalid_position"),
        ({"edit": 2**63, "message": "new"}, "invalid_position"),
        ({"edit": 7, "message": "new"}, "no_such_message"),
        ({"edit": 0, "message": "new"}, "no_such_message"),
        ({"versions": 1}, "not_allowed"),
        ({"versions": "x"}, "invalid_position"),
    ],
)
async def test_bad_edit_is_answered_with_an_error_and_nothing_is_said(open_chat, asked: dict, code: str) -> None:
    author = await open_chat("/ws/chat/edits/?with=edits")
    await author.say("old")
    assert (await frame(author))["offset"] == 1
    await author.send_json_to(asked | {"client_id": "c1"})
    error = await frame(author)
    assert (error["kind"], error["error"]["code"], error["client_id"]) == ("error", code, "c1")
    await author.say("next")
    assert (await frame(author))["offset"] == 2


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"roomName": ""}, "invalid_room_name"),
        ({"offset": -1}, "invalid_position"),
        ({"offset": 99}, "no_such_message"),
        ({"message": ""}, "blank_message"),
        ({"message": "\0"}, "invalid_message"),
        ({}, "not_allowed"),  # another's
    ],
)
async def test_edit_message_answers_with_the_error(open_chat, given: dict, code: str) -> None:
    author = await open_chat("/ws/chat/edits/")
    await author.say("old")
    await author.hear()
    _, answer = await request(
        {"query": EDIT, "variables": {"input": {"roomName": "edits", "offset": 1, "message": "new"} | given}}
    )
    payload = answer["data"]["editMessage"]
    assert (payload["entry"], payload["error"]["code"]) == (None, code)


@pytest.mark.django_db(transaction=True)
async def test_edit_message_and_message_versions_as_author_and_owner() -> None:
    owner = of_user(await sync_to_async(User.objects.create_user)(username="owner"))
    author = of_user(await sync_to_async(User.objects.create_user)(username="author"))
    await in_database(moderation.create, ROOM, private=True, by=owner)
    await in_database(moderation.set_role, ROOM, "author", Role.MEMBER, by=owner)
    (said,) = await in_database(log.append, [log.Draft(room=ROOM, text="old", person=author)])

    async def ask(query: str, person: str, **variables: object):
        user = await User.objects.aget(username=person)
        return await schema.execute(query, variables, {"request": Request(user)})

    asked = {"roomName": "edits", "offset": said.event.offset, "message": "new"}
    entry = (await ask(EDIT, "author", input=asked)).data["editMessage"]["entry"]
    assert entry == {
        "kind": "EDIT", "target": 3, "offset": 4, "message": "new", "user": {"name": "author"}
    }  # fmt: skip
    again = (await ask(EDIT, "author", input=asked)).data["editMessage"]
    assert again == {"entry": None, "error": None}
    found = (await ask(VERSIONS, "owner", offset=said.event.offset)).data["messageVersions"]
    assert [version["message"] for version in found] == ["old", "new"]
    (error,) = (await ask(VERSIONS, "author", offset=said.event.offset)).errors
    assert error.extensions["code"] == "not_allowed"
