"""Web Push: the site's keys, the devices that people want to be notified on, and what is due to be sent."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from chat.models.rooms import Room


class VapidKey(models.Model):
    """The key pair by which push services know this site (RFC 8292). There is one row, which has 1 for its key."""

    private_key = models.TextField(help_text="As PEM, PKCS #8.")
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Made at {self.made_at}"


class PushSubscription(models.Model):
    """A browser, or an app, that shows notifications to a user, as long as the login lasts by which it asked for them.

    A browser has one subscription, whoever uses it: the endpoint is that of the last person who asked.
    """

    person_id = models.CharField(max_length=100, db_index=True, help_text="user-1")
    endpoint = models.CharField(max_length=1000, unique=True, help_text="The address of the push service.")
    p256dh = models.CharField(max_length=100, help_text="The browser's public key, in URL-safe base64.")
    auth = models.CharField(max_length=50, help_text="The browser's secret, in URL-safe base64.")
    session_key = models.CharField(max_length=100, db_index=True, help_text="Of the login.")
    label = models.CharField(max_length=100, blank=True, db_default="", help_text="Firefox – Android")
    language = models.CharField(max_length=10, blank=True, db_default="", help_text="Of its notifications.")
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, help_text="When the push service last took something for it.")

    def __str__(self) -> str:
        return f"{self.label} of {self.person_id}"


class DueMessage(models.Model):
    """A message that people may have to be told of: one that mentions somebody, or one in a direct room.

    Written in the transaction that stores the message, and deleted once everybody is told. A process that takes it
    moves `due_at` on, so that another one takes it after that if the first one is gone.
    """

    # Without a constraint, which would keep an instance of the version before from deleting a room.
    room = models.ForeignKey(Room, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    offset = models.PositiveBigIntegerField()
    due_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "offset"], name="one_due_per_message")]

    def __str__(self) -> str:
        return f"{self.room_id}/{self.offset}"


class PushedRoom(models.Model):
    """How far people are told of all messages of a room, if there are some who want that.

    The room goes by its name, as in a Reading. `due_at` is moved on as that of a DueMessage.
    """

    room_name = models.CharField(max_length=100, unique=True)
    offset = models.PositiveBigIntegerField(help_text="The last entry of which everybody is told.")
    due_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.room_name} {self.offset}"


class DueRetry(models.Model):
    """A push that failed for now: a device that is to be told of a room later."""

    subscription = models.ForeignKey(PushSubscription, models.CASCADE, related_name="retries", db_index=False)
    room = models.ForeignKey(Room, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    offset = models.PositiveBigIntegerField(help_text="The message of which the device was to be told.")
    reason = models.CharField(max_length=10, help_text="As chat.domain.alerts.Reason.")
    attempts = models.PositiveIntegerField(default=1)
    due_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscription", "room"], name="one_retry_per_device")]

    def __str__(self) -> str:
        return f"{self.subscription_id}: {self.room_id}/{self.offset}"


class Detail(models.TextChoices):
    """How much a notification, or a digest, says of a message."""

    NAMES = "names"
    TEXT = "text"


class NotificationChoice(models.Model):
    """A user's choices about being notified. Without a row, all is as by default, and there is no digest."""

    # Without a constraint, as in AccountSkeleton.
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="chat_notification_choice",
        db_constraint=False,
    )
    detail = models.CharField(max_length=10, choices=Detail, db_default=Detail.NAMES, default=Detail.NAMES)
    digest = models.BooleanField(db_default=False, default=False, help_text="Whether digests are sent by e-mail.")
    email = models.EmailField(blank=True, db_default="", default="")
    is_confirmed = models.BooleanField(
        db_default=False, default=False, help_text="Whether somebody who reads the mail there has said so."
    )
    language = models.CharField(max_length=10, blank=True, db_default="", default="", help_text="Of the digests.")
    digest_at = models.DateTimeField(null=True, help_text="When the last digest was begun.")
    told_until = models.DateTimeField(null=True, help_text="The time of the newest message that a digest told of.")

    class Meta:
        # For looking up the user by the address that somebody types to log in.
        indexes = [models.Index(Lower("email"), name="confirmed_addresses", condition=Q(is_confirmed=True))]

    def __str__(self) -> str:
        return f"Notifications of user {self.user_id}"
