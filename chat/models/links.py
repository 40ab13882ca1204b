"""Pages that messages link to."""

from uuid import uuid4

from django.db import models


class LinkPreview(models.Model):
    """A page's description of itself, asked for once for everybody who links to it.

    A process that asks claims the row first. A row that isn't `found` says that the page couldn't be shown.
    """

    key = models.CharField(max_length=64, primary_key=True, help_text="As chat.domain.links.key_of the URL.")
    url = models.TextField()
    claimed_at = models.DateTimeField(null=True, help_text="When a process began to ask; null once it is done.")
    fetched_at = models.DateTimeField(null=True, help_text="When it was asked last; null before the first answer.")
    found = models.BooleanField(default=False, db_default=False)
    title = models.TextField(blank=True, default="", db_default="")
    description = models.TextField(blank=True, default="", db_default="")
    site_name = models.TextField(blank=True, default="", db_default="")
    picture_id = models.UUIDField(default=uuid4, help_text="Of its picture's file. It stays, as messages name it.")
    picture_width = models.PositiveIntegerField(null=True, help_text="In pixels; null where it has no picture.")
    picture_height = models.PositiveIntegerField(null=True)
    used_at = models.DateTimeField(db_index=True, help_text="When a message that links to it was stored last.")

    def __str__(self) -> str:
        return self.url
