"""How far the index of what was said has come. The index itself, `chat_search`, is no model: see migration 0017."""

from django.db import models


class SearchProgress(models.Model):
    """One row. All messages with keys above `low` up to `high` are indexed, those in SearchPending aside.

    Messages above `high` may be indexed or not. All that were under way when `coming_high` was the highest key have
    ended a while after `coming_at`, and are seen then.
    """

    low = models.BigIntegerField()
    high = models.BigIntegerField()
    coming_high = models.BigIntegerField()
    coming_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.low} to {self.high}"


class SearchPending(models.Model):
    """A message that got another text and isn't indexed again; its primary key. Triggers make the rows."""

    message_id = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return str(self.message_id)
