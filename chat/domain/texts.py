"""The texts of messages, and the ids that clients give them."""

from django.conf import settings

from chat.errors import BlankMessage, InvalidClientId, InvalidMessage, MessageTooLong

CLIENT_ID_MAX = 100  # characters


def check_text(message: object) -> str:
    """`message`, if it is a text that people can read and databases can keep. Raises InvalidMessage, BlankMessage or
    MessageTooLong."""
    if not isinstance(message, str):
        raise InvalidMessage("A message has to be a text.")
    if not message.strip():
        raise BlankMessage("The message is empty.")
    if len(message) > settings.CHAT_MESSAGE_MAX:
        raise MessageTooLong(
            f"The message is too long: {len(message):,} characters, {settings.CHAT_MESSAGE_MAX:,} are allowed."
        )
    if not is_storable(message):
        raise InvalidMessage("The message contains characters that no text can have.")
    return message


def check_client_id(client_id: object) -> str | None:
    """A client's own id of a message: a text of 1 to CLIENT_ID_MAX characters, or none. Raises InvalidClientId."""
    if client_id is None:
        return None
    if isinstance(client_id, str) and 0 < len(client_id) <= CLIENT_ID_MAX and is_storable(client_id):
        return client_id
    raise InvalidClientId(f"A client's id of a message has to be a text of 1 to {CLIENT_ID_MAX} characters.")


def is_storable(text: str) -> bool:
    """Whether both databases can keep the text."""
    # JSON can spell half a character, which no UTF-8 can; PostgreSQL keeps no NUL.
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
