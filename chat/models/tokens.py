"""Bots, and the tokens with which programs act as a user or a bot."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from chat.models.rooms import Room


class Bot(models.Model):
    """A user who is a program: one without a password, who can't log in."""

    # Without constraints, which would keep an instance of the version before from deleting a user or a room.
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="chat_bot", db_constraint=False
    )
    room = models.ForeignKey(
        Room,
        models.CASCADE,
        null=True,
        related_name="bots",
        db_constraint=False,
        help_text="The room whose owners made it, in which alone it can be; null: of the site.",
    )
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Bot {self.user_id}"


class Token(models.Model):
    """A secret by which a program acts as a user. The secret itself isn't stored: see `chat.domain.tokens`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="chat_tokens", db_constraint=False)
    digest = models.CharField(max_length=64, unique=True, help_text="As chat.domain.tokens.digest.")
    name = models.CharField(max_length=100)
    scopes = models.CharField(max_length=100, help_text="Values of chat.domain.grants.Scope, with spaces between.")
    rooms = models.JSONField(null=True, help_text="The names of the rooms that it is for; null for all.")
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, help_text="Null: it doesn't.")
    used_at = models.DateTimeField(null=True, help_text="About when it was used last.")

    def __str__(self) -> str:
        return f"{self.name} of user {self.user_id}"

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()
