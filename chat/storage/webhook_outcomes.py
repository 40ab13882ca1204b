"""The outcomes of deliveries: how far a webhook was told, and what its page shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from chat import models
from chat.domain.positions import Position
from chat.domain.rooms import Room
from chat.domain.webhooks import OffReason
from chat.models import Verb
from chat.storage import audit
from chat.storage.database import writes

DELIVERIES_KEPT = 50  # of each webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An attempt, as the page shows it."""

    message_id: str
    type: str
    room: Room | None
    offset: int | None
    attempts: int
    at: datetime
    took: int  # milliseconds
    status: int | None
    problem: str
    answer: str
    reply: str
    delivered: bool


@dataclass(frozen=True, slots=True)
class Failing:
    """A webhook whose attempts fail: how many in a row, since when, and when the next one is."""

    attempts: int
    since: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The work of a courier for a webhook. It has been told of `room` up to `position`, if these are given.

    `failing` is None if it isn't; `off` is why it is switched off. With `is_extra`, it was sent beside the log, by
    somebody's request, and says nothing of all this.
    """

    webhook_id: int
    courier: str
    delivery: Delivery | None = None
    room: Room | None = None
    position: Position | None = None
    failing: Failing | None = None
    off: OffReason | None = None
    swept_at: datetime | None = None
    is_extra: bool = False


@writes
def store_all(*, outcomes: Sequence[Outcome]) -> list[bool]:
    """Stores them in one transaction. Returns for each whether the webhook was on, and still the courier's.

    Nothing is stored of one that wasn't, but for the delivery.
    """
    with transaction.atomic():
        return [_store(outcome) for outcome in outcomes]


def _store(outcome: Outcome) -> bool:
    own = models.Webhook.objects.filter(pk=outcome.webhook_id, courier=outcome.courier, off_since=None)
    changes = _changes(outcome)
    is_own = bool(own.update(**changes)) if changes else own.exists()
    if is_own and outcome.off is not None:
        row = models.Webhook.objects.select_related("room").get(pk=outcome.webhook_id)
        room = Room(row.room.name) if row.room else None
        audit.record(None, Verb.WEBHOOK_CHANGED, room=room, webhook=row.pk, on=False, reason=outcome.off)
    if is_own and outcome.room is not None and outcome.position is not None:
        _move(outcome.webhook_id, outcome.room, outcome.position)
    if outcome.delivery is not None and models.Webhook.objects.filter(pk=outcome.webhook_id).exists():
        _record(outcome.webhook_id, outcome.delivery)
    return is_own


def _changes(outcome: Outcome) -> dict[str, object]:
    changes: dict[str, object] = {}
    if outcome.swept_at is not None:
        changes["swept_at"] = outcome.swept_at
    if outcome.delivery is not None and not outcome.is_extra:
        failing = outcome.failing
        changes["attempts"] = failing.attempts if failing else 0
        changes["failing_since"] = failing.since if failing else None
        changes["due_at"] = failing.due_at if failing else None
    if outcome.off is not None:
        changes |= {"off_since": timezone.now(), "off_reason": outcome.off}
    return changes


def _move(webhook_id: int, room: Room, position: Position) -> None:
    changed = {"offset": position.offset, "entry_id": position.id or ""}
    known = models.WebhookPosition.objects.filter(webhook=webhook_id, room__name=room.name)
    if not known.update(**changed):
        for row in models.Room.objects.filter(name=room.name):
            models.WebhookPosition.objects.create(webhook_id=webhook_id, room=row, **changed)


def _record(webhook_id: int, delivery: Delivery) -> None:
    _, is_new = models.WebhookDelivery.objects.update_or_create(
        webhook_id=webhook_id,
        message_id=delivery.message_id,
        defaults={
            "type": delivery.type,
            "room_name": delivery.room.name if delivery.room else "",
            "offset": delivery.offset,
            "attempts": delivery.attempts,
            "at": delivery.at,
            "took": delivery.took,
            "status": delivery.status,
            "problem": delivery.problem,
            "answer": delivery.answer,
            "reply": delivery.reply,
            "delivered": delivery.delivered,
            "requested": False,
        },
    )
    if is_new:
        _forget_old(webhook_id)


def _forget_old(webhook_id: int) -> None:
    deliveries = models.WebhookDelivery.objects.filter(webhook=webhook_id)
    for newest_of_old in deliveries.order_by("-pk").values_list("pk", flat=True)[DELIVERIES_KEPT:][:1]:
        deliveries.filter(pk__lte=newest_of_old).delete()
