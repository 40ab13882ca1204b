"""Couriers: the processes that deliver webhooks, each webhook by one of them.

A courier says again and again that it is there. The webhooks of one that has been silent for LEASE are free, and the
next courier that looks takes them. So one row is written in all that time, however many webhooks a courier has.
"""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from chat.models import Courier, Webhook
from chat.storage.database import writes
from chat.storage.leases import lease

LEASE = timedelta(seconds=15)
KEPT = timedelta(hours=1)  # the row of a courier that is silent
TAKEN_MAX = 500  # webhooks that are taken together; others get theirs


def any_is_on() -> bool:
    """Whether there is a webhook to deliver, for whichever courier."""
    return Webhook.objects.filter(off_since=None).exists()


@writes
def attend(*, courier: str) -> set[int]:
    """Says that the courier is there for another LEASE, and takes webhooks that are free.

    Returns the ids of all its own.
    """
    now = timezone.now()
    Courier.objects.update_or_create(id=courier, defaults={"until": now + LEASE})
    Courier.objects.filter(until__lt=now - KEPT).delete()
    there = Courier.objects.filter(until__gte=now).values("pk")
    lease(_on().exclude(courier__in=there).order_by("pk"), most=TAKEN_MAX, courier=courier)
    return {*_on().filter(courier=courier).values_list("pk", flat=True)}


@writes
def leave(*, courier: str) -> None:
    """The courier delivers nothing any more: its webhooks are free at once."""
    Courier.objects.filter(pk=courier).delete()


def _on() -> QuerySet[Webhook]:
    return Webhook.objects.filter(off_since=None)
