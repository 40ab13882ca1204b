"""What is kept: rooms and what was said in them. Fields and constraints; `chat.messages` writes and reads."""

from django.db import models


class Room(models.Model):
    """A room's row: its log's last offset, and the lock that puts what is said there into one order."""

    name = models.CharField(max_length=100, unique=True)
    last_offset = models.PositiveBigIntegerField(default=0)
    pruned_to = models.PositiveBigIntegerField(default=0, help_text="The last offset that is no longer kept.")

    def __str__(self) -> str:
        return self.name


class Message(models.Model):
    """Something said in a room."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="messages")
    offset = models.PositiveBigIntegerField(help_text="1, 2, 3 … without holes, in the order of the transactions.")
    text = models.TextField()
    person_id = models.CharField(max_length=100, help_text="Who said it: user-1, guest-4f…")
    person_name = models.CharField(max_length=150, help_text="The name they had when they said it.")
    sender = models.CharField(max_length=100, blank=True, help_text="Whose client ids are told apart; may be nobody's.")
    client_id = models.CharField(max_length=100, null=True, help_text="Made by the client, the same for each retry.")  # noqa: DJ001 - null is unique as often as one likes
    sent_at = models.DateTimeField()
    process = models.PositiveBigIntegerField(help_text="Where it entered the site.")
    thread = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "offset"], name="one_message_per_offset"),
            models.UniqueConstraint(fields=["room", "sender", "client_id"], name="one_message_per_client_id"),
        ]
        indexes = [models.Index(fields=["room", "sent_at", "offset"], name="message_by_age")]
        ordering = ["room", "offset"]

    def __str__(self) -> str:
        return f"{self.room} {self.offset}"
