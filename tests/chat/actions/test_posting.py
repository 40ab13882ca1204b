import pytest

from chat.actions import posting
from chat.domain import people
from chat.domain.rooms import find
from chat.errors import BlankMessage, InvalidMessage, MessageTooLong


@pytest.mark.parametrize("message", ["hi", " hi ", "a\nb\tc", "x" * 4000, "🍓" * 4000, "\u200bx", "<b>&amp;"])
def test_a_message_is_said_as_it_is(message: str) -> None:
    assert posting.check(message) == message


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (None, InvalidMessage),
        (1, InvalidMessage),
        (True, InvalidMessage),
        (["hi"], InvalidMessage),
        ({"text": "hi"}, InvalidMessage),
        ("", BlankMessage),
        (" \n\t", BlankMessage),
        ("x" * 4001, MessageTooLong),
        ("a\0b", InvalidMessage),
        ("a\ud800b", InvalidMessage),
        ("\udfff", InvalidMessage),
    ],
)
def test_what_is_no_message_is_refused(message: object, error: type[InvalidMessage]) -> None:
    with pytest.raises(error) as caught:
        posting.check(message)
    assert caught.type is error


async def test_a_post_returns_what_everyone_hears(open_chat) -> None:
    socket = await open_chat("/ws/chat/post/")
    entry = await posting.post(room=find("post"), message="hi", person=people.new_guest("Ann"))
    frame = await socket.receive_json_from(timeout=5)
    assert (frame["message"], frame["user"], frame["id"], frame["offset"]) == ("hi", "Ann", entry.event.id, 1)
