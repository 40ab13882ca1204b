"""Files, from their upload to everybody who gets the message that they belong to."""

import json
from collections.abc import Awaitable, Callable

import pytest

from tests.conftest import ChatSocket
from tests.test_private_rooms import Visitor, guest
from tests.uploads import ask, picture, upload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def ann() -> Visitor:
    return await guest()


async def test_uploaded_file_is_heard_with_its_message(
    ann: Visitor, open_chat: Callable[..., Awaitable[ChatSocket]]
) -> None:
    file = await upload(ann, b"some bytes", "notes.txt")
    poster, listener = await open_chat("/ws/chat/room1/", headers=ann.headers), await open_chat("/ws/chat/room1/")
    await poster.send_json_to({"message": "here", "attachments": [file["id"]]})
    heard = await listener.receive_json_from(timeout=5)
    assert heard["message"] == "here"
    assert heard["attachments"] == [file]
    assert file == {
        "id": file["id"],
        "name": "notes.txt",
        "type": "application/octet-stream",
        "size": 10,
        "url": f"/chat/room1/files/{file['id']}/notes.txt",
        "preview": None,
    }


@pytest.mark.parametrize(
    ("attachments", "error"),
    [
        ("x", "invalid_attachments"),
        (["0" * 32], "no_such_file"),
        (["x"], "no_such_file"),
        ([[]], "invalid_attachments"),
    ],
)
async def test_attachments_that_are_none_are_answered_by_an_error(
    open_chat: Callable[..., Awaitable[ChatSocket]], attachments: object, error: str
) -> None:
    socket = await open_chat("/ws/chat/room1/")
    await socket.send_json_to({"message": "x", "attachments": attachments, "client_id": "1"})
    frame = await socket.frame("error")
    assert (frame["error"]["code"], frame["client_id"]) == (error, "1")


@pytest.mark.parametrize("attachments", [None, []])
async def test_blank_message_needs_a_file(open_chat: Callable[..., Awaitable[ChatSocket]], attachments: object) -> None:
    socket = await open_chat("/ws/chat/room1/")
    await socket.send_json_to({"message": " ", "attachments": attachments})
    assert (await socket.frame("error"))["error"]["code"] == "blank_message"


async def test_files_without_a_text_are_heard_read_and_recovered_the_same(
    ann: Visitor, open_chat: Callable[..., Awaitable[ChatSocket]]
) -> None:
    files = [await upload(ann, b"1", "one.txt"), await upload(ann, b"2", "two.txt")]
    poster = await open_chat("/ws/chat/room1/", headers=ann.headers)
    await poster.send_json_to({"message": "", "attachments": [file["id"] for file in files]})
    heard = await poster.receive_json_from(timeout=5)
    assert (heard["message"], heard["attachments"]) == ("one.txt\ntwo.txt", files)
    recovered = await (await open_chat("/ws/chat/room1/?after=0")).receive_json_from(timeout=5)
    await poster.send_json_to({"before": 9})
    (read,) = (await poster.frame("history"))["messages"]
    for other in (recovered, read):
        assert (other["message"], other["attachments"]) == (heard["message"], files)


async def test_edit_to_an_empty_text_leaves_the_files_and_tells_their_names(
    ann: Visitor, open_chat: Callable[..., Awaitable[ChatSocket]]
) -> None:
    files = [await upload(ann, b"1", "one.txt"), await upload(ann, b"2", "two.txt")]
    poster = await open_chat("/ws/chat/room1/?with=edits", headers=ann.headers)
    await poster.send_json_to({"message": "words", "attachments": [file["id"] for file in files]})
    assert await poster.hear() == "words"
    await poster.send_json_to({"edit": 1, "message": " \n"})
    heard = await poster.frame("edit")
    assert (heard["target"], heard["message"], heard["attachments"]) == (1, "one.txt\ntwo.txt", files)
    await poster.send_json_to({"message": "see", "reply_to": 1})
    assert (await poster.receive_json_from(timeout=5))["reply_to"]["message"] == "one.txt\ntwo.txt"
    await poster.send_json_to({"before": 9})
    message, _ = (await poster.frame("history"))["messages"]
    assert (message["message"], message["attachments"], "edited_at" in message) == ("one.txt\ntwo.txt", files, True)
    late = await open_chat("/ws/chat/room1/?with=edits&after=1")
    recovered = await late.frame("edit")
    assert (recovered["message"], recovered["attachments"]) == (heard["message"], files)
    await poster.send_json_to({"delete": 1})
    await poster.frame("deletion")
    later = await open_chat("/ws/chat/room1/?with=edits&after=1")
    assert "attachments" not in await later.frame("edit")


POST = """mutation ($input: PostMessageInput!) { postMessage(input: $input) {
    message { message attachments { id name type size url preview { url width height } } } error { code }
} }"""


async def test_graphql_posts_files_and_tells_them(ann: Visitor) -> None:
    file = await upload(ann, picture("PNG"), "a.png")
    variables = {"input": {"roomName": "room1", "message": "", "attachmentIds": [file["id"]]}}
    headers = {"content-type": "application/json"}
    body = json.dumps({"query": POST, "variables": variables}).encode()
    answers = [(await ask("POST", "/graphql", ann, headers, [body])).json["data"]["postMessage"] for _ in range(2)]
    assert answers[0] == {"message": {"message": "a.png", "attachments": [file]}, "error": None}
    assert file["preview"]["width"] == 8
    assert answers[1] == {"message": None, "error": {"code": "no_such_file"}}


EDIT = """mutation ($input: EditMessageInput!) { editMessage(input: $input) {
    entry { target message attachments { id } } error { code }
} }"""


@pytest.mark.parametrize("message", ["", " \n", "\u200b"])
async def test_graphql_edits_to_an_empty_text_where_there_are_files(
    ann: Visitor, open_chat: Callable[..., Awaitable[ChatSocket]], message: str
) -> None:
    file = await upload(ann, b"1", "one.txt")
    poster = await open_chat("/ws/chat/room1/", headers=ann.headers)
    for text, ids in (("with a file", [file["id"]]), ("without one", [])):
        await poster.send_json_to({"message": text, "attachments": ids})
        assert await poster.hear() == text

    async def edit(offset: int) -> dict:
        variables = {"input": {"roomName": "room1", "offset": offset, "message": message}}
        body = json.dumps({"query": EDIT, "variables": variables}).encode()
        answer = await ask("POST", "/graphql", ann, {"content-type": "application/json"}, [body])
        return answer.json["data"]["editMessage"]

    entry = {"target": 1, "message": "one.txt", "attachments": [{"id": file["id"]}]}
    assert await edit(1) == {"entry": entry, "error": None}
    assert await edit(1) == {"entry": None, "error": None}
    assert await edit(2) == {"entry": None, "error": {"code": "blank_message"}}
