"""Sentences for a webhook's page: what became of its deliveries, and of what its receiver answered."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from chat.errors import grouped
from chat.models import Webhook, WebhookDelivery
from chat.outgoing.problems import Problem, text_of
from chat.webhooks.replies import NotPosted
from chat.webhooks.runner import NOT_KEPT

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

REPLY_TEXTS: dict[str, "StrOrPromise"] = {
    NotPosted.TOO_LONG: _("it has more than {longest} bytes"),
    NotPosted.INCOMPLETE: _("it broke off or came too slowly, or isn’t what its head says"),
    NotPosted.TOO_MANY: _("three webhooks have answered each other already"),
    "unsupported_type": _("by its “Content-Type”, it is neither JSON nor plain text"),
    "invalid_hook": _("it is no message: JSON with a “text”, or plain text"),
    "blank_message": _("it has no text that can be seen"),
    "message_too_long": _("its text is longer than a message may be"),
    "invalid_message": _("its text has characters that can’t be stored"),
    "invalid_name": _("its “username” is no name that one may have"),
    "name_taken": _("its “username” looks like the name of another account, or of the site itself"),
    "rate_limited": _("there were too many in a short time"),
    "slow_mode": _("the room’s slow mode would have held it up for too long"),
    "read_only": _("the room is read-only"),
    "banned": _("its author is banned from the room"),
    "not_a_member": _("the room is private, and its author isn’t a member"),
    "no_such_message": _("the message that it answers isn’t there any more"),
}


def problem_of(webhook: Webhook, delivery: WebhookDelivery) -> str:
    """Why a delivery had no answer, or one that is none; empty where it had one."""
    if delivery.requested:
        return ""
    if delivery.status is not None:
        return _t("redirects aren’t followed") if 300 <= delivery.status < 400 else ""
    if delivery.problem == NOT_KEPT:
        return _t("it isn’t kept any more, and can’t be sent again")
    known = delivery.problem in Problem.__members__.values()
    address = urlsplit(webhook.url)
    return text_of(
        Problem(delivery.problem) if known else Problem.OTHER,
        host=address.hostname or "",
        port=address.port or {"http": 80}.get(address.scheme, 443),
        seconds=settings.CHAT_WEBHOOK_TIMEOUT,
    )


def reply_of(delivery: WebhookDelivery) -> dict[str, str]:
    """The offset of the answer as a message, or why it wasn't posted; empty if it wasn't to be."""
    if not delivery.reply:
        return {}
    if delivery.reply.isdigit():
        return {"offset": delivery.reply}
    text = REPLY_TEXTS.get(delivery.reply, _("its author may not post it there"))
    return {"reason": str(text).format(longest=grouped(settings.CHAT_BODY_MAX))}
