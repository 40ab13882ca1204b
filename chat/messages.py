"""The only way into a room: every door, and every program beside them, posts here."""

from django.conf import settings

from chat import broker, events
from chat.errors import BlankMessage, InvalidMessage, MessageTooLong
from chat.events import Event
from chat.people import Person
from chat.rooms import Room


async def post(*, room: Room, message: object, person: Person) -> Event:
    """Says `message` in `room`; everyone who listens there hears it. Returns what they hear.

    `message` is whatever a client sent in its place. Raises InvalidMessage, BlankMessage or MessageTooLong, and
    Unavailable when it could not be passed on.
    """
    event = events.build(room=room, message=check(message), person=person)
    await broker.publish(event)
    return event


def check(message: object) -> str:
    """`message`, if it is a text that people can read and databases can keep. Raises as `post` does."""
    if not isinstance(message, str):
        raise InvalidMessage("A message has to be a text.")
    if not message.strip():
        raise BlankMessage("The message is empty.")
    if len(message) > settings.CHAT_MESSAGE_MAX:
        raise MessageTooLong(
            f"The message is too long: {len(message):,} characters, {settings.CHAT_MESSAGE_MAX:,} are allowed."
        )
    # JSON can spell half a character, which no UTF-8 can; PostgreSQL keeps no NUL.
    if "\0" in message or any("\ud800" <= character <= "\udfff" for character in message):
        raise InvalidMessage("The message contains characters that no text can have.")
    return message
