"""The texts of messages, and the ids that clients give them."""

import regex
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chat.domain import unseen
from chat.errors import BlankMessage, InvalidClientId, InvalidMessage, InvalidReason, MessageTooLong, grouped

CLIENT_ID_MAX = 100  # characters
QUOTE_MAX = 200  # characters
QUOTE_LINES = 3
REASON_MAX = 500  # characters

LINE_END = regex.compile(r"\r\n?")
GRAPHEME = regex.compile(r"\X")
# Control characters but for newline and tab, and the signs that Unicode has for them. Those from U+0080 on have none.
PICTURES = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"}
PICTURES |= {0x7F: "\u2421"} | dict.fromkeys(range(0x80, 0xA0), "\ufffd")


def clean_text(message: object, *, may_be_blank: bool = False) -> str:
    """`message` as it is stored: with newlines as line ends, without blank lines at its end, and with pictures of
    control characters (U+2400 …) in their place, so that they do nothing to a terminal or a page. A blank text is empty
    where it may be.

    Raises InvalidMessage, BlankMessage or MessageTooLong.
    """
    if not isinstance(message, str):
        raise InvalidMessage(_("A message has to be a text."))
    if unseen.is_blank(message):
        if may_be_blank:
            return ""
        raise BlankMessage(_("The message is empty."))
    if not is_storable(message):
        raise InvalidMessage(_("The message contains characters that no text can have."))
    text = _without_blank_end(LINE_END.sub("\n", message)).translate(PICTURES)
    if len(text) > settings.CHAT_MESSAGE_MAX:
        raise MessageTooLong(
            _("The message is too long: {length} characters, {longest} are allowed."),
            length=grouped(len(text)),
            longest=grouped(settings.CHAT_MESSAGE_MAX),
        )
    return text


def clean_reason(reason: object) -> str:
    """The reason of a report as it is stored; it may be empty. Raises InvalidReason."""
    if not isinstance(reason, str) or not is_storable(reason):
        raise InvalidReason(_("The reason of a report has to be a text."))
    text: str = LINE_END.sub("\n", reason).translate(PICTURES).strip()
    if len(text) > REASON_MAX:
        raise InvalidReason(
            _("The reason is too long: {length} characters, {longest} are allowed."),
            length=grouped(len(text)),
            longest=REASON_MAX,
        )
    return text


def _without_blank_end(text: str) -> str:
    lines = text.split("\n")
    while unseen.is_blank(lines[-1]):
        lines.pop()
    return "\n".join(lines)


def beginning(text: str) -> str:
    """The beginning of a text, as it is quoted: QUOTE_LINES lines in which there is something to be seen, and QUOTE_MAX
    characters at most. An ellipsis at its end stands for the rest.
    """
    lines = [line for line in text.split("\n") if not unseen.is_blank(line)]
    begun = "\n".join(lines[:QUOTE_LINES])
    if len(begun) > QUOTE_MAX:
        begun = _whole_graphemes(begun, QUOTE_MAX - 1)
    elif lines and len(lines) <= QUOTE_LINES:
        return begun
    return f"{begun}…"


def _whole_graphemes(text: str, length: int) -> str:
    """The first `length` characters, without a part of an emoji or of a letter with its marks at their end."""
    ends = [one.end() for one in GRAPHEME.finditer(text, endpos=length + 1)]
    return text[: max((end for end in ends if end <= length), default=length)]


def check_client_id(client_id: object) -> str | None:
    """A client's own id of a message: a text of 1 to CLIENT_ID_MAX characters, or none. Raises InvalidClientId."""
    if client_id is None:
        return None
    if isinstance(client_id, str) and 0 < len(client_id) <= CLIENT_ID_MAX and is_storable(client_id):
        return client_id
    raise InvalidClientId(
        _("A client’s id of a message has to be a text of 1 to {longest} characters."), longest=CLIENT_ID_MAX
    )


def is_storable(text: str) -> bool:
    """Whether both databases can keep the text."""
    # JSON can spell half a character, which no UTF-8 can; PostgreSQL keeps no NUL.
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
