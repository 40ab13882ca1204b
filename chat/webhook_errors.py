"""Errors of outgoing webhooks, each with a stable code, as those in `chat.errors`."""

from chat.errors import ChatError


class InvalidWebhook(ChatError):
    """A webhook that can't be: its URL, say, is none that requests may be sent to."""

    code = "invalid_webhook"


class TooManyWebhooks(ChatError):
    """There are CHAT_WEBHOOKS_MAX already."""

    code = "too_many_webhooks"
