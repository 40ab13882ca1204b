"""Links in e-mails that log in."""

from django.conf import settings
from django.db import models


class LoginLink(models.Model):
    """A link that was sent to an address, and hasn't been used. The secret in it isn't stored.

    See `chat.storage.login_links`.
    """

    # Without a constraint, which would keep an instance of the version before from deleting a user.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        related_name="chat_login_links",
        db_constraint=False,
        help_text="The account that it logs in to; null: it makes one.",
    )
    email = models.EmailField(db_index=True, help_text="In lower case.")
    digest = models.CharField(max_length=64, unique=True, help_text="As chat.domain.tokens.digest.")
    session_hash = models.CharField(
        max_length=128, blank=True, help_text="Of the user's password then: another password ends the link."
    )
    next_path = models.CharField(max_length=500, blank=True, help_text="Where it leads to.")
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"For user {self.user_id}" if self.user_id else "For a new account"
