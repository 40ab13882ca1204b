"""The audit log: deeds of owners, moderators and the site's staff."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Verb(models.TextChoices):
    """The kinds of deeds. The values are stable: programs read them in exports. New ones may come."""

    ROOM_CREATED = "room.created", _("Room created")
    ROOM_IMPORTED = "room.imported", _("Room imported")
    ROOM_PRIVACY_CHANGED = "room.privacy_changed", _("Room made private or public")
    ROOM_READ_ONLY_CHANGED = "room.read_only_changed", _("Read-only switched on or off")
    ROOM_SLOW_MODE_CHANGED = "room.slow_mode_changed", _("Slow mode changed")
    ROOM_LINK_PREVIEWS_CHANGED = "room.link_previews_changed", _("Previews of links switched on or off")
    MEMBER_ADDED = "member.added", _("Member added")
    MEMBER_ROLE_CHANGED = "member.role_changed", _("Role changed")
    MEMBER_REMOVED = "member.removed", _("Member removed")
    MEMBER_LEFT = "member.left", _("Owner or moderator left")
    MEMBER_BANNED = "member.banned", _("Person banned")
    MEMBER_UNBANNED = "member.unbanned", _("Ban lifted")
    MESSAGE_DELETED = "message.deleted", _("Message of somebody else deleted")
    MESSAGES_PRUNED = "messages.pruned", _("Old messages deleted")
    PREVIEW_REMOVED = "preview.removed", _("Preview of a link removed")
    REPORTS_DISMISSED = "reports.dismissed", _("Reports dismissed")
    BOT_MADE = "bot.made", _("Bot made")
    BOT_DELETED = "bot.deleted", _("Bot deleted")
    TOKEN_MADE = "token.made", _("Token made")
    TOKEN_REVOKED = "token.revoked", _("Token revoked")
    WEBHOOK_MADE = "webhook.made", _("Webhook made")
    WEBHOOK_CHANGED = "webhook.changed", _("Webhook changed")
    WEBHOOK_DELETED = "webhook.deleted", _("Webhook deleted")
    STAFF_CHANGED = "staff.changed", _("Staff by a group at the login service, or no longer")
    IDENTITY_LINKED = "identity.linked", _("Linked to the login service by the e-mail address")
    INVITATION_MADE = "invitation.made", _("Invitation made")
    INVITATION_REVOKED = "invitation.revoked", _("Invitation revoked")
    INVITATION_USED = "invitation.used", _("Invitation used")
    PROFILE_CHANGED = "profile.changed", _("Profile changed by the staff")
    PERSON_ERASED = "person.erased", _("Person erased")
    ADMIN_ADDED = "admin.added", _("Added on the admin pages")
    ADMIN_CHANGED = "admin.changed", _("Changed on the admin pages")
    ADMIN_DELETED = "admin.deleted", _("Deleted on the admin pages")


class AuditRecord(models.Model):
    """A deed of a person who may do more than others, or of the site itself. `chat.storage.audit` writes it.

    Rooms and people go by their names and ids, so that it stays when they are gone.
    """

    at = models.DateTimeField(db_default=Now(), db_index=True)
    person_id = models.CharField(
        max_length=100, db_default="", help_text="The person who did it: user-1, guest-4f…; empty for the site itself."
    )
    person_name = models.CharField(max_length=150, db_default="", help_text="The name they had then.")
    via = models.CharField(
        max_length=100, db_default="", help_text="“admin”, “manage.py erase_person”, “token 5”; empty for the chat."
    )
    verb = models.CharField(max_length=60, help_text="A value of Verb, or one of another release.")
    room_name = models.CharField(max_length=100, db_default="", help_text="Empty where it was done in no room.")
    target_id = models.CharField(max_length=100, db_default="", help_text="The person to whom it was done, if any.")
    target_name = models.CharField(max_length=150, db_default="", help_text="The name they had then.")
    details = models.JSONField(default=dict, help_text="What else there is to say; no texts of people, no secrets.")

    class Meta:
        indexes = [
            models.Index(fields=["room_name", "-id"], name="audit_by_room"),
            models.Index(fields=["person_id", "-id"], name="audit_by_person"),
            models.Index(fields=["target_id", "-id"], name="audit_by_target"),
            models.Index(fields=["verb", "-id"], name="audit_by_verb"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} by {self.person_name or 'the site'}"
