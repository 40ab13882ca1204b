"""Rooms, their members and bans."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Room(models.Model):
    """A room's row: its log's last offset, and the lock that puts what is said there into one order."""

    name = models.CharField(max_length=100, unique=True)
    last_offset = models.PositiveBigIntegerField(default=0)
    pruned_to = models.PositiveBigIntegerField(default=0, help_text="The last offset that is no longer kept.")

    is_private = models.BooleanField("private", default=False, db_default=False, help_text="Only members may enter.")
    restricted = models.BooleanField(
        default=False, db_default=False, help_text="Private, or somebody is banned: who comes has to be looked up."
    )
    read_only = models.BooleanField(default=False, db_default=False, help_text="Only owners and moderators may post.")
    slow_mode = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Seconds from one message of a person to their next; 0 is as they like."
    )
    link_previews = models.BooleanField(
        null=True,
        help_text="Whether previews of links are shown; null: in public rooms, not in private ones.",
    )
    # To the minute. A value that stays the same leaves the index alone, so that most posts cost the directory nothing.
    active_at = models.DateTimeField(db_default=Now(), help_text="The minute of the last entry.")
    search_name = models.TextField(blank=True, db_default="", help_text="As chat.domain.rooms.folded.")

    class Meta:
        # Without `last_offset` in its condition, or each post would be one to the index.
        indexes = [models.Index(fields=["-active_at"], name="public_room_by_activity", condition=Q(is_private=False))]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """The role of a member. An owner may do all that a moderator may, a moderator all that a member may."""

    MEMBER = "member", _("Member")
    MODERATOR = "moderator", _("Moderator")
    OWNER = "owner", _("Owner")


class RoomMember(models.Model):
    """A user who belongs to a room."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="chat_rooms")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "user"], name="one_role_per_room")]

    def __str__(self) -> str:
        return f"{self.user} in {self.room}"


class Ban(models.Model):
    """A person, with an account or without one, who may not be in a room."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="bans")
    person_id = models.CharField(max_length=100, help_text="Who: user-1, guest-4f…")
    person_name = models.CharField(max_length=150, blank=True, help_text="The name they had then.")
    by = models.CharField(max_length=150, blank=True, help_text="The name of who banned them; empty for the site.")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "person_id"], name="one_ban_per_person")]

    def __str__(self) -> str:
        return f"{self.person_name or self.person_id} in {self.room}"
