"""People: what users tell of themselves, the looks of names, whom they ignore, and how far they have read."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class AccountSkeleton(models.Model):
    """The look of an account's name, for comparing; an account may have several. See `chat.domain.skeletons`."""

    # Without a constraint, which would keep an instance of the version before from deleting a user.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="chat_skeletons", db_constraint=False
    )
    skeleton = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["skeleton", "user"], name="one_skeleton_per_account")]

    def __str__(self) -> str:
        return self.skeleton


class Profile(models.Model):
    """A user's own words about themselves, by the rules of `chat.domain.profiles`. Empty where they tell nothing."""

    # Without a constraint, as in AccountSkeleton.
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="chat_profile", db_constraint=False
    )
    display_name = models.CharField(max_length=40, blank=True, default="", db_default="")
    about = models.CharField(max_length=160, blank=True, default="", db_default="")
    time_zone = models.CharField(max_length=100, blank=True, default="", db_default="", help_text="Europe/Berlin")
    avatar = models.CharField(max_length=32, blank=True, default="", db_default="", help_text="A file's id: 32 digits.")

    def __str__(self) -> str:
        return self.display_name or str(self.user_id)


class DisplayNameSkeleton(models.Model):
    """The look of a display name, which no two users have; a name may have several. See `chat.domain.skeletons`."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="chat_display_skeletons", db_constraint=False
    )
    skeleton = models.CharField(max_length=200, unique=True)

    def __str__(self) -> str:
        return self.skeleton


class IgnoredPerson(models.Model):
    """A person whom another one ignores."""

    person_id = models.CharField(max_length=100, help_text="The person who ignores: user-1, guest-4f…")
    ignored_id = models.CharField(max_length=100, db_index=True, help_text="The person who is ignored.")
    ignored_name = models.CharField(max_length=150, help_text="The name they had then.")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person_id", "ignored_id"], name="ignored_once")]

    def __str__(self) -> str:
        return f"{self.ignored_id} by {self.person_id}"


class Involvement(models.TextChoices):
    """The messages that a person wants to be told of in one of their rooms."""

    ALL = "all"
    MENTIONS = "mentions"
    NOTHING = "nothing"


class Reading(models.Model):
    """How far a person has read a room, and what they want to be told of. It makes the room one of theirs.

    The room goes by its name: people may be in one before anything is said there.
    """

    person_id = models.CharField(max_length=100, help_text="user-1, guest-4f…")
    room_name = models.CharField(max_length=100)
    read_offset = models.PositiveBigIntegerField(db_default=0, help_text="The last entry that they have read.")
    involvement = models.CharField(max_length=10, choices=Involvement, db_default=Involvement.ALL)
    entered_at = models.DateTimeField(help_text="When they last opened the room.")
    changes = models.PositiveBigIntegerField(db_default=0, help_text="How often this was changed.")
    pushes_all = models.BooleanField(
        default=False, db_default=False, help_text="Whether their devices are told of every message."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person_id", "room_name"], name="one_reading_per_room")]
        indexes = [models.Index(fields=["room_name"], name="reading_with_pushes", condition=Q(pushes_all=True))]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.room_name}"
