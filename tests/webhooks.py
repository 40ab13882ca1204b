"""A webhook whose page shows all that it can."""

from datetime import timedelta

from django.utils import timezone

from chat.domain.rooms import Room
from chat.models import Webhook
from chat.storage import webhook_outcomes, webhooks
from chat.storage.webhook_outcomes import Delivery, Outcome
from chat.storage.webhooks import WebhookRequest


def delivery(offset: int, **known: object) -> Delivery:
    said = {
        "message_id": f"msg_{offset}",
        "type": "message.created",
        "room": None,
        "offset": offset,
        "attempts": 1,
        "at": timezone.now(),
        "took": 12,
        "status": 200,
        "problem": "",
        "answer": "",
        "reply": "",
        "delivered": True,
    }
    return Delivery(**{**said, **known})  # type: ignore[arg-type]


def failing_webhook(room: Room, *, author_id: int) -> Webhook:
    """One that was delivered something, answered it, and fails by now."""
    url = "https://hooks.example.org/services/0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef"
    request = WebhookRequest(url=url, author_id=author_id)
    webhook = webhooks.make(room=room, request=request, by=None)
    deliveries = [
        delivery(1, room=room, answer='{"text": "I heard you"}', reply="2"),
        delivery(3, room=room, type="message.edited", answer="<html>No", status=404, delivered=False, attempts=3),
        delivery(4, room=room, reply="too_many_answers", answer="once more"),
        delivery(5, room=room, status=None, problem="no_answer_in_time", delivered=False),
    ]
    outcomes = [Outcome(webhook_id=webhook.pk, courier="", delivery=one) for one in deliveries]
    webhook_outcomes.store_all(outcomes=outcomes)
    now = timezone.now()
    failing = {"attempts": 3, "failing_since": now, "due_at": now + timedelta(hours=1)}
    Webhook.objects.filter(pk=webhook.pk).update(**failing)
    webhooks.ask_for_test(webhook_id=webhook.pk)
    return webhook
