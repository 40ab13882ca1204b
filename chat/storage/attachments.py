"""Files of messages, in the database: which message has a file, and who may get it.

A message's row and its event describe its files, for whoever shows it; `chat.storage.uploads` has where they come from.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain.events import Kind
from chat.domain.files import Attachment, Preview
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.file_errors import NoSuchFile
from chat.models import AttachmentState
from chat.storage import permissions
from chat.storage.drafts import Draft

Free = dict[UUID, models.Attachment]
"""Files that no message has, by their ids."""


def find_free(drafts: Iterable[Draft]) -> Free:
    """The files that are to be attached, and that no message has. One query, if there are any.

    The rooms are locked by the running transaction: a file is attached in its room only, so nobody else takes them.
    """
    ids = {id for draft in drafts for id in draft.files}
    if not ids:
        return {}
    found = models.Attachment.objects.select_for_update().filter(id__in=ids, offset=None, state=AttachmentState.READY)
    return {row.id: row for row in found}


def take(draft: Draft, free: Free) -> tuple[Attachment, ...] | None:
    """Takes the files of `draft` out of those that are free; None, and nothing is taken, if one isn't its sender's."""
    rows = [free.get(id) for id in draft.files]
    mine = [row for row in rows if row and (row.room_name, row.person_id) == (draft.room.name, draft.person.id)]
    if len(mine) < len(rows):
        return None
    for row in mine:
        del free[row.id]
    return tuple(as_attachment(row) for row in mine)


def attach(attachments: Sequence[Attachment], room_id: int, offset: int) -> None:
    """Gives the files to the message at `offset`."""
    ids = [UUID(attachment.id) for attachment in attachments]
    models.Attachment.objects.filter(id__in=ids).update(room=room_id, offset=offset)


def give_up_of_message(room_id: int, offset: int) -> None:
    """Nobody gets the files of the message at `offset` any more."""
    models.Attachment.objects.filter(room=room_id, offset=offset).update(state=AttachmentState.GONE)


def give_up_until(room_id: int, offset: int) -> None:
    """Nobody gets the files of the messages up to `offset` any more."""
    models.Attachment.objects.filter(room=room_id, offset__lte=offset).update(state=AttachmentState.GONE)


def find(room: Room, id: UUID, *, person: Person) -> Attachment:
    """A file that `person` may get now: of a message that is not deleted, or one of their own that no message has yet.

    Raises NoSuchFile, Banned or NotAMember.
    """
    row = models.Attachment.objects.filter(id=id, room_name=room.name, state=AttachmentState.READY).first()
    if row is not None and row.offset is None:
        is_there = row.person_id == person.id
    else:
        is_there = row is not None and _has_message(row)
    # Asked last: somebody who was removed while this was read is told nothing, nor whether there is such a file.
    permissions.check(room, person)
    if row is None or not is_there:
        raise NoSuchFile(_("There is no such file here."))
    return as_attachment(row)


def _has_message(row: models.Attachment) -> bool:
    messages = models.Message.objects.filter(room=row.room_id, kind=Kind.MESSAGE, deletion=None)
    return row.offset is not None and messages.filter(offset=row.offset).exists()


def as_attachment(row: models.Attachment) -> Attachment:
    preview = None
    if row.preview_width is not None and row.preview_height is not None:
        preview = Preview(row.preview_width, row.preview_height)
    return Attachment(id=row.id.hex, name=row.name, type=row.type, size=row.size, preview=preview)
