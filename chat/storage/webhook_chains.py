"""Chains of answers: how many replies of webhooks led to a message, each answering the one before."""

from chat.domain.events import Event
from chat.domain.webhooks import is_any_reply
from chat.storage import history

CHAIN_MAX = 3  # replies that webhooks give to each other, after something that was no such reply


def is_too_long(message: Event) -> bool:
    """Whether a reply of a webhook to the message would make the chain longer than CHAIN_MAX."""
    length, found = 0, message
    while is_any_reply(found) and length < CHAIN_MAX:
        length += 1
        before = history.find(found.room, found.reply_to.offset) if found.reply_to else None
        if before is None:
            break
        found = before
    return length >= CHAIN_MAX
