"""How much waits to be done, as the database has it: notifications, webhooks, messages to be indexed, files."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import F, Sum
from django.utils import timezone

from chat.models import DueMessage, DueRetry, SearchPending, Webhook, WebhookPosition
from chat.storage import file_usage, search_feed
from chat.storage.database import reads_long


@dataclass(frozen=True, slots=True)
class Queues:
    """`push_overdue` and the like are seconds since the oldest should have been done; 0 where all is in time."""

    push_due: int
    push_overdue: float
    push_retries: int
    search_unindexed: int
    """Keys below which no message is indexed yet."""
    search_pending: int
    """Edited messages that are to be indexed again."""
    webhooks: int
    """Those that are on."""
    webhooks_behind: int
    """Entries of which they haven't been told yet, each counted for each webhook."""
    webhooks_failing: int
    """Those whose last attempt failed."""
    webhooks_off: int
    """Those that were switched off."""
    files: int
    """Bytes."""
    files_max: int


@reads_long
def queues() -> Queues:
    """A query for each, none of which reads many rows but the queues' own."""
    due = DueMessage.objects.order_by("due_at").values_list("due_at", flat=True)
    oldest: datetime | None = due.first()
    on = Webhook.objects.filter(off_since=None)
    positions = WebhookPosition.objects.filter(webhook__off_since=None, room__last_offset__gt=F("offset"))
    behind = positions.aggregate(entries=Sum(F("room__last_offset") - F("offset")))["entries"]
    return Queues(
        push_due=due.count(),
        push_overdue=0 if oldest is None else max(0.0, (timezone.now() - oldest).total_seconds()),
        push_retries=DueRetry.objects.count(),
        search_unindexed=search_feed.remaining(),
        search_pending=SearchPending.objects.count(),
        webhooks=on.count(),
        webhooks_behind=behind or 0,
        webhooks_failing=on.exclude(failing_since=None).count(),
        webhooks_off=Webhook.objects.exclude(off_since=None).count(),
        files=file_usage.total(),
        files_max=settings.CHAT_FILES_TOTAL,
    )


def database_name() -> str:
    return connection.display_name
