"""Uploads, in the database: each has the row of an attachment, from before its first byte until somebody attaches it.

A row is there before anything is stored, and until the last byte is deleted. So a process may die at any point, and
`chat.storage.file_cleaning` finds what it left. `chat.storage.file_store` has the bytes.
"""

from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from chat import models
from chat.domain.files import OCTETS, Attachment, Preview
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.file_errors import NOT_ATTACHABLE, NoSuchFile
from chat.models import AttachmentState
from chat.storage import file_usage, permissions, posting_limits
from chat.storage.attachments import as_attachment
from chat.storage.database import writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that has come in whole, by what is known of it. `size` is in bytes."""

    name: str
    type: str
    size: int
    preview: Preview | None = None
    preview_content: bytes | None = None
    """WebP, where there is a preview."""


@writes
def begin(room: Room, *, by: Person, announced: int) -> UUID:
    """Makes the row of a file that is about to come, of so many bytes at least, and returns its id.

    In slow mode a person may upload; the message has to wait. Raises Banned, NotAMember, ReadOnly, DailyFilesExceeded
    or StorageFull.
    """
    permission = permissions.permission(room, by)
    if problem := permissions.problem_with(room, permission):
        raise problem
    posting_limits.check_read_only(room, permission)
    with transaction.atomic():
        row = models.Attachment.objects.create(
            id=uuid4(),
            room_name=room.name,
            person_id=by.id,
            type=OCTETS,
            size=announced,
            created_at=timezone.now(),
        )
        file_usage.add(by.id, row.created_at, announced)
    return row.id


@writes
def check_fits(room: Room, id: UUID, size: int) -> None:
    """Counts the upload as one of `size` bytes from now on.

    Raises DailyFilesExceeded or StorageFull, and NoSuchFile if the upload was given up meanwhile.
    """
    with transaction.atomic():
        row = _uploading(room, id)
        file_usage.add(row.person_id, row.created_at, size - row.size)
        row.size = size
        row.save(update_fields=["size"])


@writes
def finish(room: Room, id: UUID, upload: Upload) -> Attachment:
    """Makes a file, whose bytes are stored, one that its uploader can attach. Raises as `check_fits`."""
    with transaction.atomic():
        row = _uploading(room, id)
        file_usage.add(row.person_id, row.created_at, upload.size - row.size)
        row.name, row.type, row.size = upload.name, upload.type, upload.size
        if upload.preview is not None:
            row.preview_width, row.preview_height = upload.preview.width, upload.preview.height
        row.state = AttachmentState.READY
        row.save()
    return as_attachment(row)


@writes
def give_up(room: Room, id: UUID) -> None:
    """Nobody gets the file of this upload, which doesn't count for its person's day; its bytes have to be deleted."""
    with transaction.atomic():
        row = models.Attachment.objects.select_for_update().filter(id=id, state=AttachmentState.UPLOADING).first()
        if row is not None:
            row.state = AttachmentState.GONE
            row.save(update_fields=["state"])
            file_usage.refund(row.person_id, row.created_at, row.size)


@writes
def discard(room: Room, id: UUID, *, by: Person) -> None:
    """Takes back a file that no message has yet. Raises NoSuchFile if it isn't one of the person's own."""
    mine = models.Attachment.objects.filter(id=id, room_name=room.name, person_id=by.id, offset=None)
    if not mine.filter(state=AttachmentState.READY).update(state=AttachmentState.GONE):
        raise NoSuchFile(NOT_ATTACHABLE)


def _uploading(room: Room, id: UUID) -> models.Attachment:
    found = models.Attachment.objects.select_for_update().filter(id=id, room_name=room.name)
    row = found.filter(state=AttachmentState.UPLOADING).first()
    if row is None:
        raise NoSuchFile(NOT_ATTACHABLE)
    return row
