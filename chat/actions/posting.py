"""The only way into a room: every door, and every program beside them, posts here."""

from django.conf import settings

from chat import metrics
from chat.actions import rate_limits
from chat.actions.group_commit import GroupCommit
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import BlankMessage, ChatError, InvalidClientId, InvalidMessage, MessageTooLong
from chat.storage.log import Draft, Entry

CLIENT_ID_MAX = 100  # characters


async def post(
    *, room: Room, message: object, person: Person, client_id: object = None, trusted: bool = False
) -> Entry:
    """Says `message` in `room`. When this returns it is stored, and everyone who listens there hears it.

    `message` and `client_id` are whatever a client sent in their place. With a `client_id` that the same sender has
    used in this room before, it is the first message that comes back, and nobody hears it twice. With `trusted` it is
    the site itself that speaks, which may in any room.

    Raises InvalidMessage, BlankMessage, MessageTooLong, InvalidClientId, RateLimited, Banned, NotAMember or
    Unavailable.
    """
    try:
        text, client_id = check(message), check_client_id(client_id)
        draft = Draft(room=room, text=text, person=person, client_id=client_id, trusted=trusted)
        await rate_limits.spend(person)
        entry = await GroupCommit.here().store(draft)
    except ChatError as error:
        metrics.POSTS.labels(error.code).inc()
        raise
    metrics.POSTS.labels("repeated" if entry.repeated else "stored").inc()
    return entry


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
    if not is_storable(message):
        raise InvalidMessage("The message contains characters that no text can have.")
    return message


def check_client_id(client_id: object) -> str | None:
    if client_id is None:
        return None
    if isinstance(client_id, str) and 0 < len(client_id) <= CLIENT_ID_MAX and is_storable(client_id):
        return client_id
    raise InvalidClientId(f"A client's id of a message has to be a text of 1 to {CLIENT_ID_MAX} characters.")


def is_storable(text: str) -> bool:
    # JSON can spell half a character, which no UTF-8 can; PostgreSQL keeps no NUL.
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
