import pytest

from chat.domain import texts
from chat.errors import BlankMessage, InvalidMessage, MessageTooLong

FAMILY = "👨\u200d👩\u200d👧\u200d👦"


@pytest.mark.parametrize(
    "message",
    ["hi", " hi ", "a\nb\tc", "a\n\n\nb", "\n\nhi", "x" * 4000, "🍓" * 4000, "\u200bx", "<b>&amp;"]
    + ["می‌خواهم", "👨‍👩‍👧‍👦", "❤️", "a\u202eb"],
)
def test_clean_text_keeps_valid_messages_unchanged(message: str) -> None:
    assert texts.clean_text(message) == message


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("a\r\nb\rc\n", "a\nb\nc"),
        ("a\n\n \n\t\n", "a"),
        ("a\r\n\r\n", "a"),
        ("a\n\u200b\n\u2800\u3164\n", "a"),
        ("a  \n", "a  "),
        ("\x1b[2Ja\x07", "␛[2Ja␇"),
        ("a\x7fb\x85c\x9b", "a␡b\ufffdc\ufffd"),
        ("\x07", "␇"),
        ("x" * 4000 + "\n" * 100, "x" * 4000),
    ],
)
def test_clean_text_normalises_line_ends_and_replaces_control_characters(message: str, text: str) -> None:
    assert texts.clean_text(message) == text


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
        ("\x0b\x0c\x1f\x85\u2028\u3000", BlankMessage),
        *[
            (character * 3, BlankMessage)
            for character in "\u200b\u2800\ufffc\u034f\ufe0f\u00ad\u180b\u17b4\u3164\U000e0100"
        ],
        (" \u200b\n\u2800 \u2060", BlankMessage),
        ("x" * 4001, MessageTooLong),
        ("a\0b", InvalidMessage),
        ("\0", InvalidMessage),
        ("a\ud800b", InvalidMessage),
        ("\udfff", InvalidMessage),
    ],
)
def test_clean_text_rejects_invalid_messages(message: object, error: type[InvalidMessage]) -> None:
    with pytest.raises(error) as caught:
        texts.clean_text(message)
    assert caught.type is error


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("hi", "hi"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "…"),
        ("1\n2\n3", "1\n2\n3"),
        ("1\n2\n3\n4", "1\n2\n3…"),
        ("\n\n1\n \n2\n\n3", "1\n2\n3"),
        ("\n" * 500, "…"),
        ("x" * 198 + FAMILY + "y", "x" * 198 + "…"),
        ("x" * 198 + "e\u0301y", "x" * 198 + "…"),
        ("e" + "\u0301" * 4000, "e" + "\u0301" * 198 + "…"),
        (FAMILY * 100, FAMILY * 28 + "…"),
    ],
)
def test_beginning_is_cut_after_three_lines_or_200_characters_and_within_no_grapheme(text: str, quoted: str) -> None:
    assert texts.beginning(text) == quoted
