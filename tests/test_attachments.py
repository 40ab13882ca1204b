"""Files, from their upload to everybody who gets the message that they belong to."""

from collections.abc import Awaitable, Callable

import pytest

from tests.conftest import ChatSocket
from tests.test_private_rooms import Visitor, guest
from tests.uploads import upload

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
