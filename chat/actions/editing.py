"""Editing: the author of a message gives it another text."""

from chat.actions.link_previews import LinkingMessage, LinkPreviews
from chat.actions.moderation import carry_out
from chat.domain.events import Event
from chat.domain.grants import Scope
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.domain.texts import clean_text
from chat.storage import edits


async def edit(*, room: Room, offset: int, message: object, person: Person) -> Event | None:
    """Gives the message at `offset` the text `message`, which may be blank if the message has files.

    When this returns it is stored, and everyone hears it.

    Returns the entry; None if that is the text that it has.

    Raises NoSuchMessage, NotAllowed, InvalidMessage, BlankMessage, MessageTooLong, InsufficientScope, RateLimited,
    Banned, NotAMember or Unavailable.
    """
    person.require(Scope.WRITE)
    text = clean_text(message, may_be_blank=True)
    edit = await carry_out(edits.edit_message, room, offset, text, by=person)
    if edit is not None:
        LinkPreviews.here().consider(LinkingMessage(room, offset, text, person))
    return edit
