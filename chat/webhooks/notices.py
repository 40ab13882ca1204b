"""Tells the owners of a room that one of its webhooks was switched off."""

import logging
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from chat.actions import posting
from chat.domain.people import Person
from chat.domain.webhooks import OffReason, Webhook
from chat.errors import ChatError
from chat.storage import notices, webhooks
from chat.storage.database import in_database

logger = logging.getLogger(__name__)

CALLED_MAX = 5  # owners
TEXTS = {
    OffReason.FAILED: _(
        "{owners} A webhook of this room was switched off: it couldn’t be delivered for three days. "
        "You find it among the room’s members, under “Webhooks”."
    ),
    OffReason.GONE: _(
        "{owners} A webhook of this room was switched off: its receiver says that it is gone for good. "
        "You find it among the room’s members, under “Webhooks”."
    ),
    OffReason.EXCLUDED: _(
        "{owners} A webhook of this room was switched off: the person in charge of it may not read this room any more. "
        "You find it among the room’s members, under “Webhooks”. Who switches it on is in charge of it."
    ),
}


async def tell_of_end(webhook: Webhook, reason: OffReason, since: datetime) -> None:
    """Says so in the room, calling its owners. Of the site's bots, the log and the page say it."""
    if webhook.room is None:
        return
    try:
        owners = await in_database(webhooks.owners, webhook.room, CALLED_MAX)
        await posting.post(
            room=webhook.room,
            message=notices.for_all(TEXTS[reason], owners=" ".join(f"@{name}" for name in owners)).strip(),
            person=Person(id=f"webhook-{webhook.id}", name=notices.for_all(_("Webhooks"))),
            client_id=f"off-{since.timestamp():.0f}",
            trusted=True,
        )
    except ChatError as error:  # the page says it, too
        logger.warning("Nobody could be told that webhook %d was switched off: %s", webhook.id, error.code)
