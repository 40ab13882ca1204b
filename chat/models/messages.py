"""The entries of rooms, and what people say about a message without a word."""

from typing import Any
from uuid import UUID

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler

from chat.models.rooms import Room


class RandomId(models.Func):
    """A random UUID, made by the database: so it has one for what an instance of the version before writes, too."""

    output_field = models.UUIDField()

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="gen_random_uuid()", **context)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="lower(hex(randomblob(16)))", **context)


class Message(models.Model):
    """An entry of a room's log: something said there, or a later change to that or to who may be there."""

    # Without an index of its own: those of the constraints begin with the room.
    room = models.ForeignKey(Room, models.CASCADE, related_name="messages", db_index=False)
    offset = models.PositiveBigIntegerField(help_text="1, 2, 3 … without holes, in the order of the transactions.")
    uid = models.UUIDField(  # beside the primary key, which a database that was set back gives again
        null=True, db_default=RandomId(), editable=False, help_text="Its own for ever; rows from before have none."
    )
    text = models.TextField()
    person_id = models.CharField(max_length=100, help_text="Who said it: user-1, guest-4f…")
    person_name = models.CharField(max_length=150, help_text="The name they had when they said it.")
    sender = models.CharField(max_length=100, blank=True, help_text="Whose client ids are told apart; may be nobody's.")
    client_id = models.CharField(max_length=100, null=True, help_text="Made by the client, the same for each retry.")  # noqa: DJ001 - null is unique as often as one likes
    sent_at = models.DateTimeField()
    process = models.PositiveBigIntegerField(help_text="Where it entered the site.")
    thread = models.CharField(max_length=100)
    kind = models.CharField(
        max_length=10, default="message", db_default="message", help_text="As chat.domain.events.Kind."
    )
    target = models.PositiveBigIntegerField(null=True, help_text="The offset of the message that this one changes.")
    deletion = models.PositiveBigIntegerField(null=True, help_text="The offset of the entry that deleted this one.")
    subject = models.CharField(
        max_length=100, blank=True, default="", db_default="", help_text="Of a notice: the id of whom it is about."
    )
    change = models.CharField(
        max_length=10,
        blank=True,
        default="",
        db_default="",
        db_column="access",
        help_text="Of a notice: as chat.domain.events.Change.",
    )
    role = models.CharField(
        max_length=10,
        blank=True,
        default="",
        db_default="",
        help_text="Of a notice: the subject's role after it, as chat.domain.events.NewRole.",
    )
    reply_to = models.PositiveBigIntegerField(null=True, help_text="The offset of the message that this one quotes.")
    edited_at = models.DateTimeField(null=True, help_text="When it got its text, if that isn't its first.")
    original_text = models.TextField(null=True, help_text="Of a message that was edited: its first text.")  # noqa: DJ001 - a text may be empty
    mentions = models.JSONField(null=True, help_text="The people whom the text names, as Person.as_json.")
    reactions = models.JSONField(null=True, help_text="All that there are to the message, as Reaction.as_json.")
    attachments = models.JSONField(null=True, help_text="The files of the message, as Attachment.as_json.")

    links = models.JSONField(null=True, help_text="What is shown of the pages it links to, as Link.as_json.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "offset"], name="one_message_per_offset"),
            models.UniqueConstraint(fields=["room", "sender", "client_id"], name="one_message_per_client_id"),
        ]
        indexes = [
            models.Index(fields=["room", "target"], name="message_by_target", condition=models.Q(target__isnull=False)),
        ]
        ordering = ["room", "offset"]

    def __str__(self) -> str:
        return f"{self.room} {self.offset}"

    @property
    def entry_id(self) -> str:
        """The entry's id as everybody gets it."""
        return entry_id(self.pk, self.uid)


class Mention(models.Model):
    """That a message mentions somebody: how many a person has not read is counted by these."""

    # Without a constraint, which would keep an instance of the version before from deleting a room.
    room = models.ForeignKey(Room, models.CASCADE, related_name="mentions", db_constraint=False, db_index=False)
    offset = models.PositiveBigIntegerField()
    person_id = models.CharField(max_length=100, help_text="Who is called: user-1, guest-4f…; `room` for everybody.")
    caller_id = models.CharField(max_length=100, help_text="Who says so.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "person_id", "offset"], name="one_mention_per_person")]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.room} {self.offset}"


class MessageReaction(models.Model):
    """A person reacts to a message with an emoji. The message has the sum of them in its `reactions`."""

    # Without a constraint, which would keep an instance of the version before from deleting a room.
    room = models.ForeignKey(Room, models.CASCADE, related_name="reactions", db_constraint=False, db_index=False)
    offset = models.PositiveBigIntegerField(help_text="The offset of the message.")
    emoji = models.CharField(max_length=32, help_text="As chat.domain.emoji.clean_emoji.")
    person_id = models.CharField(max_length=100, db_index=True, help_text="user-1, guest-4f…")
    person_name = models.CharField(max_length=150, help_text="The name they had when they reacted.")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "offset", "emoji", "person_id"], name="one_reaction_per_person")
        ]

    def __str__(self) -> str:
        return f"{self.emoji} by {self.person_name} to {self.room_id}/{self.offset}"


class LastPost(models.Model):
    """When a person last posted in a room that is in slow mode. Written with the message, in one transaction."""

    # Without a constraint, which would keep an instance of the version before from deleting a room.
    room = models.ForeignKey(Room, models.CASCADE, related_name="last_posts", db_constraint=False, db_index=False)
    person_id = models.CharField(max_length=100, help_text="user-1, guest-4f…")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "person_id"], name="one_last_post_per_person")]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.room_id}"


class Report(models.Model):
    """A person finds that the moderators of a room should look at a message. Dismissing it deletes the row."""

    # Without a constraint, which would keep an instance of the version before from deleting a room.
    room = models.ForeignKey(Room, models.CASCADE, related_name="reports", db_constraint=False, db_index=False)
    offset = models.PositiveBigIntegerField(help_text="The offset of the message.")
    person_id = models.CharField(max_length=100, db_index=True, help_text="The reporter: user-1, guest-4f…")
    person_name = models.CharField(max_length=150, help_text="The name they had when they reported it.")
    reason = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "offset", "person_id"], name="one_report_per_person"),
        ]
        indexes = [models.Index(fields=["room", "-id"], name="report_by_room")]

    def __str__(self) -> str:
        return f"{self.room_id}/{self.offset} by {self.person_name}"


def entry_id(pk: int, uid: UUID | str | None) -> str:
    """An entry's id by its columns. Never given twice: rows without `uid` are older than all that have one."""
    return without_hyphens(str(uid)) if uid else str(pk)


def without_hyphens(id: str) -> str:
    """The id of an entry that is read as text: PostgreSQL writes a UUID with hyphens."""
    return id.replace("-", "")
