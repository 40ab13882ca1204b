"""Making and managing webhooks: in a room, as its owner; of the site's bots, as the staff does it.

The processes that deliver are told of each change by a control message. It may be lost: they look by themselves.
"""

from chat.actions.bots import check_owner
from chat.delivery import hub
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.models import Webhook
from chat.outgoing.addresses import RECEIVERS_PORTS, early_objection
from chat.outgoing.client import Refused, checked
from chat.outgoing.problems import TEXTS
from chat.storage import webhooks
from chat.storage.database import in_database
from chat.storage.webhooks import WebhookRequest
from chat.webhook_errors import InvalidWebhook

SUBJECT = "webhooks"  # of the control messages


async def make(room: Room | None, request: WebhookRequest, *, by: Person) -> Webhook:
    """Makes a webhook. Raises InvalidWebhook, NotAllowed, TooManyWebhooks or Unavailable."""
    await _check(room, by)
    _check_url(request.url)
    webhook = await in_database(webhooks.make, room=room, request=request, by=by)
    await _tell(webhook)
    return webhook


async def rotate_secret(webhook: Webhook, room: Room | None, *, by: Person) -> str:
    """Gives the webhook another secret and returns it. Raises NotAllowed or Unavailable; so do those that follow."""
    await _check(room, by)
    secret = await in_database(webhooks.rotate_secret, webhook_id=webhook.pk, room=room, by=by)
    await _tell(webhook)
    return secret


async def switch(webhook: Webhook, room: Room | None, *, on: bool, by: Person) -> None:
    await _check(room, by)
    await in_database(webhooks.switch, webhook_id=webhook.pk, on=on, room=room, by=by)
    await _tell(webhook)


async def delete(webhook: Webhook, room: Room | None, *, by: Person) -> None:
    await _check(room, by)
    id = webhook.pk
    await in_database(webhooks.delete, webhook_id=id, room=room, by=by)
    await hub.send_control(SUBJECT, {"ids": [id]})


async def send_again(webhook: Webhook, room: Room | None, delivery_id: int, *, by: Person) -> None:
    await _check(room, by)
    await in_database(webhooks.ask_for_another, webhook_id=webhook.pk, delivery_id=delivery_id)
    await _tell(webhook)


async def send_test(webhook: Webhook, room: Room | None, *, by: Person) -> None:
    await _check(room, by)
    await in_database(webhooks.ask_for_test, webhook_id=webhook.pk)
    await _tell(webhook)


async def try_now(webhook: Webhook, room: Room | None, *, by: Person) -> None:
    """Has what failed be tried at once, and not when that is due."""
    await _check(room, by)
    await in_database(webhooks.try_now, webhook_id=webhook.pk)
    await _tell(webhook)


async def _check(room: Room | None, by: Person) -> None:
    """Raises NotAllowed. Of the site's, the page has checked that it is its staff who asks."""
    if room is not None:
        await check_owner(room, by)


def _check_url(url: str) -> None:
    """Raises InvalidWebhook for an address to which nothing can be sent, as far as it tells by itself."""
    try:
        address = checked(url)
    except Refused as refused:
        raise InvalidWebhook(TEXTS[refused.problem]) from None
    host, port = address.host or "", address.port or 0
    if problem := early_objection(host, port, RECEIVERS_PORTS):
        raise InvalidWebhook(TEXTS[problem], host=host, port=port)


async def _tell(webhook: Webhook) -> None:
    await hub.send_control(SUBJECT, {"ids": [webhook.pk]})
