"""Attachments of messages, and how much they take up. Their bytes are in a storage of Django's: see STORAGES."""

import uuid

from django.db import models
from django.db.models import Q

from chat.models.rooms import Room


class AttachmentState(models.TextChoices):
    UPLOADING = "uploading"  # its bytes may be there, or some of them
    READY = "ready"
    GONE = "gone"  # nobody gets it any more; its bytes are being deleted, and then the row


class Attachment(models.Model):
    """A file that a person has uploaded to a room: its bytes are kept as long as this row is, and never without it.

    It belongs to its uploader alone until a message has it, which is then at `room` and `offset`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    room_name = models.CharField(max_length=100, help_text="A room has a row once something is said there.")
    # Without a constraint, which would keep an instance of the version before from deleting a room. And it stays when
    # the room is deleted: `chat.storage.file_cleaning` finds it then, and deletes the bytes.
    room = models.ForeignKey(
        Room, models.DO_NOTHING, null=True, related_name="attachments", db_constraint=False, db_index=False
    )
    offset = models.PositiveBigIntegerField(null=True, help_text="The offset of the message; null while there is none.")
    person_id = models.CharField(max_length=100, help_text="The uploader: user-1, guest-4f…")
    name = models.CharField(
        max_length=255, db_default="", help_text="As chat.domain.files.clean_file_name; 255 bytes at most."
    )
    type = models.CharField(max_length=100, help_text="By the content; application/octet-stream unless it is shown.")
    size = models.PositiveBigIntegerField(help_text="Bytes; while it is being uploaded, so many as are announced.")
    preview_width = models.PositiveIntegerField(null=True, help_text="Pixels; null where there is no preview.")
    preview_height = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=10, choices=AttachmentState, default=AttachmentState.UPLOADING)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["room", "offset"], name="attachment_by_message", condition=Q(offset__isnull=False)),
            models.Index(fields=["created_at"], name="unattached_by_age", condition=Q(offset__isnull=True)),
            models.Index(fields=["id"], name="attachment_gone", condition=Q(state="gone")),
        ]

    def __str__(self) -> str:
        return self.name


class FileUsage(models.Model):
    """How many bytes of attachments are kept by the site, or were uploaded by a person on a day."""

    key = models.CharField(max_length=150, unique=True, help_text="“site”, or “2026-01-31 user-1”, a day in UTC.")
    bytes = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.key}: {self.bytes}"
