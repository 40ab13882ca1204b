"""Outgoing webhooks, how far each has been told of its rooms, and what was delivered last."""

from django.conf import settings
from django.db import models

from chat.models.rooms import Room
from chat.models.tokens import Bot


class Courier(models.Model):
    """A process that delivers webhooks. They are its own until then, unless it says so again."""

    id = models.CharField(primary_key=True, max_length=32)
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.id} until {self.until}"


class Webhook(models.Model):
    """A URL to which the entries of a room are posted, or mentions of a bot."""

    # Without constraints, which would keep an instance of the version before from deleting a user or a room.
    room = models.ForeignKey(
        Room,
        models.CASCADE,
        null=True,
        related_name="webhooks",
        db_constraint=False,
        help_text="The room that it hears; null: all rooms that a bot of the site may read.",
    )
    bot = models.ForeignKey(
        Bot,
        models.CASCADE,
        null=True,
        related_name="webhooks",
        db_constraint=False,
        help_text="The bot whose mentions it hears; null: it hears all entries.",
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        db_constraint=False,
        help_text="The user as whom the receiver's answers are posted; null: they aren't posted.",
    )
    person_id = models.CharField(
        max_length=100,
        blank=True,
        db_default="",
        default="",
        help_text="The person in charge, who made it or switched it on last: user-1; empty: the site itself.",
    )
    url = models.TextField()
    secret = models.CharField(max_length=100, help_text="The key that signs, as Standard Webhooks writes it.")
    former_secret = models.CharField(
        max_length=100, blank=True, db_default="", default="", help_text="The key before that, which signs as well."
    )
    former_until = models.DateTimeField(null=True, help_text="Until when the former key signs.")
    made_at = models.DateTimeField(auto_now_add=True)
    off_since = models.DateTimeField(null=True, help_text="Null: it is on.")
    off_reason = models.CharField(
        max_length=10, blank=True, db_default="", default="", help_text="As chat.domain.webhooks.OffReason."
    )
    failing_since = models.DateTimeField(null=True, help_text="When the first of the failed attempts was.")
    attempts = models.PositiveIntegerField(default=0, db_default=0, help_text="Attempts that failed in a row.")
    due_at = models.DateTimeField(null=True, help_text="When the next attempt is, after a failed one.")
    swept_at = models.DateTimeField(null=True, help_text="Without a room: up to when all rooms were looked through.")
    courier = models.ForeignKey(
        Courier, models.SET_NULL, null=True, related_name="webhooks", db_constraint=False, help_text="Its process."
    )

    def __str__(self) -> str:
        return f"Webhook {self.pk}"


class WebhookPosition(models.Model):
    """How far a webhook has been told of a room: its position in the room's log."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="positions", db_index=False)
    room = models.ForeignKey(Room, models.CASCADE, related_name="+", db_constraint=False)
    offset = models.PositiveBigIntegerField()
    entry_id = models.CharField(max_length=40, blank=True, help_text="The entry's id; empty where nothing proves it.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["webhook", "room"], name="one_position_per_webhook")]

    def __str__(self) -> str:
        return f"{self.webhook_id} at {self.room_id}/{self.offset}"


class WebhookDelivery(models.Model):
    """The outcome of one event. Of each webhook, the last ones are kept. The body that was sent isn't."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries", db_index=False)
    message_id = models.CharField(max_length=100, help_text="As the header webhook-id has it.")
    type = models.CharField(max_length=30, help_text="message.created …")
    room_name = models.CharField(max_length=100, blank=True)
    offset = models.PositiveBigIntegerField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(help_text="Of the last attempt, or of the request for one.")
    took = models.PositiveIntegerField(null=True, help_text="Milliseconds.")
    status = models.PositiveIntegerField(null=True, help_text="Of the answer, by HTTP; null: there was none.")
    problem = models.CharField(max_length=200, blank=True, help_text="Why there was none.")
    answer = models.CharField(max_length=500, blank=True, help_text="How the answer's body begins.")
    reply = models.CharField(max_length=200, blank=True, help_text="What became of the answer as a message.")
    delivered = models.BooleanField(default=False)
    requested = models.BooleanField(default=False, help_text="Somebody has asked for it to be sent once more.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["webhook", "message_id"], name="one_delivery_per_message")]
        indexes = [
            models.Index(fields=["webhook"], name="requested_delivery", condition=models.Q(requested=True)),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} {self.status}"
