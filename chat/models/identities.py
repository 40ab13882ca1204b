"""Identities of users at the provider at which they log in."""

from django.conf import settings
from django.db import models


class ProviderIdentity(models.Model):
    """The person at a provider of OpenID Connect who logs in as a user. A user may have several."""

    # Without a constraint, which would keep an instance of the version before from deleting a user.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="chat_identities", db_constraint=False
    )
    issuer = models.CharField(max_length=255, help_text="The address of the provider.")
    subject = models.CharField(
        max_length=255, help_text="The person there: they keep it for ever, and nobody else has it."
    )
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="one_user_per_identity")]

    def __str__(self) -> str:
        return f"User {self.user_id} at {self.issuer}"
