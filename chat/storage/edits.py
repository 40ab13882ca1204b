"""Edits: other texts for messages. Each is an entry of the room's log; the message's row has the last text.

The earlier texts are kept for the room's owners: the first in the message's row, each later one in its edit. They are
gone when the message is deleted, and pruned as all entries are.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain.events import Event, Kind
from chat.domain.links import MessageLinks
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import BlankMessage, NoSuchMessage, NotAllowed
from chat.storage import entries, history, mentions, permissions, posting_limits
from chat.storage.database import reads_long, writes

VERSIONS_MAX = 100  # texts of a message that are shown


@dataclass(frozen=True, slots=True)
class Version:
    """A text that a message has, or had, and since when."""

    text: str
    since: datetime | None


@writes
def edit_message(room: Room, offset: int, text: str, *, by: Person) -> Event | None:
    """Gives the message at `offset` another text. Returns the entry; None if that is the text that it has.

    The text may be empty if the message has files. Their names stand for it then, also where the entry is told: so that
    has the files, too.

    Raises NoSuchMessage, NotAllowed, BlankMessage, ReadOnly, Banned or NotAMember.
    """
    with transaction.atomic():
        place = entries.take_offset(room)
        permissions.check(room, by)
        if place.limits_posts:
            posting_limits.check_read_only(room, permissions.permission(room, by))
        row = history.message_row(room, offset)
        message = history.as_event(row, room)
        if message.deleted:
            raise NoSuchMessage(_("That message is deleted, so it can’t be edited."))
        if not text and not message.attachments:
            raise BlankMessage(_("The message is empty."))
        if message.person is None or message.person.id != by.id:
            raise NotAllowed(_("You can edit what you said yourself, and nothing else."))
        if message.message == text:
            transaction.set_rollback(True)
            return None
        called = mentions.resolve(room, text, by=by)
        files = () if text else message.attachments
        edit = entries.write(place, kind=Kind.EDIT, text=text, by=by, target=offset, called=called, files=files)
        models.Message.objects.filter(room=place.room_id, offset=offset).update(
            original_text=Coalesce("original_text", F("text")),
            text=text,
            edited_at=edit.sent_at,
            mentions=[person.as_json() for person in called] or None,
            links=MessageLinks.from_json(row.links).with_shown(()).as_json(),  # those of the new text come later
        )
        mentions.forget(place.room_id, offset)
        mentions.record({(place.room_id, offset): called}, by={(place.room_id, offset): by})
        return edit


@reads_long
def versions(room: Room, offset: int, *, by: Person) -> list[Version]:
    """The last VERSIONS_MAX texts of the message at `offset`, the one that it has at the end.

    Raises NoSuchMessage, NotAllowed, Banned or NotAMember.
    """
    row = history.rows(room).filter(offset=offset, kind=Kind.MESSAGE, deletion=None).first()
    edits = history.rows(room).filter(target=offset, kind=Kind.EDIT).order_by("-offset")[:VERSIONS_MAX]
    later = [Version(edit.text, edit.sent_at) for edit in edits][::-1]
    # Asked last: somebody who was removed while this was read is told nothing.
    permissions.check(room, by)
    if not permissions.permission(room, by).owns:
        raise NotAllowed(_("Only an owner of the room can see the earlier texts of a message."))
    if row is None:
        raise NoSuchMessage(_("There is no message {offset} here."), offset=offset)
    first = row.text if row.original_text is None else row.original_text
    return [Version(first, row.sent_at), *later][-VERSIONS_MAX:]
