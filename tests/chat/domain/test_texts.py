import pytest

from chat.domain import texts
from chat.errors import BlankMessage, InvalidMessage, MessageTooLong


@pytest.mark.parametrize("message", ["hi", " hi ", "a\nb\tc", "x" * 4000, "🍓" * 4000, "\u200bx", "<b>&amp;"])
def test_a_message_is_said_as_it_is(message: str) -> None:
    assert texts.check_text(message) == message


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
        texts.check_text(message)
    assert caught.type is error
