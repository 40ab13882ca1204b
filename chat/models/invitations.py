"""Invitations: links by which people make an account, or become members of a room."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from chat.models.rooms import Room


class Invitation(models.Model):
    """A link that some people may use, for some time. Its secret isn't stored: see `chat.storage.invitations`."""

    # Without constraints, which would keep an instance of the version before from deleting a user or a room.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="chat_invitations", db_constraint=False
    )
    room = models.ForeignKey(
        Room,
        models.CASCADE,
        null=True,
        related_name="invitations",
        db_constraint=False,
        help_text="The room that one becomes a member of; null: to the site alone.",
    )
    digest = models.CharField(max_length=64, unique=True, help_text="As chat.domain.tokens.digest.")
    made_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    uses = models.PositiveIntegerField(help_text="How many people may use it.")
    used = models.PositiveIntegerField(db_default=0, help_text="How many have used it.")

    def __str__(self) -> str:
        return f"Invitation {self.pk} to {self.room or 'the site'}"
