"""Subscriptions: the browsers and apps that notifications are sent to, each for the last user who asked for them there.

A subscription lasts as long as the login by which it was made. It goes with a logout; where the login ended otherwise,
it goes when something is to be sent to it next. Guests have none: nobody could log a guest out.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain import people
from chat.domain.people import Person
from chat.domain.subscriptions import BrowserKeys
from chat.errors import LoginRequired, NotAllowed
from chat.storage import visitors
from chat.storage.database import reads_long, writes

DEVICES_MAX = 20  # of one person; with one more, the one that was used longest ago goes


@dataclass(frozen=True, slots=True)
class Subscription:
    """A browser or an app of a person. `label` says which, as "Firefox – Android"; `keys` are its own."""

    id: int
    person_id: str
    endpoint: str
    keys: BrowserKeys
    session_key: str
    label: str
    language: str
    created_at: datetime
    used_at: datetime | None


@writes
def subscribe(
    person: Person, endpoint: str, keys: BrowserKeys, *, session_key: str, label: str = "", language: str = ""
) -> Subscription:
    """Has notifications of `person` sent to a browser, and none any more of somebody else who used it before.

    The endpoint and the keys are as `chat.domain.subscriptions` leaves them. Raises LoginRequired for guests, and
    NotAllowed where somebody names an endpoint without knowing its keys.
    """
    if person.is_guest:
        raise LoginRequired(_("Log in to be notified on this device."))
    with transaction.atomic():
        known = models.PushSubscription.objects.select_for_update().filter(endpoint=endpoint).first()
        if known is not None and known.person_id != person.id and not constant_time_compare(known.auth, keys.auth):
            raise NotAllowed(_("This browser’s notifications are somebody else’s."))
        given: dict[str, Any] = {"person_id": person.id, "p256dh": keys.p256dh, "auth": keys.auth}
        given |= {"session_key": session_key, "label": label, "language": language}
        row, _made = models.PushSubscription.objects.update_or_create(endpoint=endpoint, defaults=given)
        _forget_retries_of_another(known, row)
        used_last = _of(person).order_by(Coalesce("used_at", "created_at").desc(), "-pk").values_list("pk", flat=True)
        models.PushSubscription.objects.filter(pk__in=[*used_last[DEVICES_MAX:]]).delete()
    return _subscription(row)


def _forget_retries_of_another(known: models.PushSubscription | None, row: models.PushSubscription) -> None:
    if known is not None and known.person_id != row.person_id:
        models.DueRetry.objects.filter(subscription=row).delete()


def devices(person: Person) -> list[Subscription]:
    """The subscriptions of `person`, the latest first."""
    return [_subscription(row) for row in _of(person).order_by("-created_at", "-pk")]


def by_person(person_ids: Collection[str]) -> dict[str, list[Subscription]]:
    """The subscriptions of each person who has some. One query."""
    found: dict[str, list[Subscription]] = {}
    for row in models.PushSubscription.objects.filter(person_id__in=person_ids).order_by("pk"):
        found.setdefault(row.person_id, []).append(_subscription(row))
    return found


@writes
def remove(person: Person, *, id: int | None = None, endpoint: str | None = None) -> bool:
    """Ends a subscription of `person`, by its id or its endpoint. Returns whether there was one."""
    mine = _of(person).filter(endpoint=endpoint) if id is None else _of(person).filter(pk=id)
    return bool(mine.delete()[0])


@writes
def move(person: Person, *, before: str, endpoint: str, keys: BrowserKeys) -> bool:
    """A browser has given a subscription of `person` another endpoint. Returns whether it was there."""
    if models.PushSubscription.objects.filter(endpoint=endpoint).exists():
        return False
    given = {"endpoint": endpoint, "p256dh": keys.p256dh, "auth": keys.auth}
    return bool(_of(person).filter(endpoint=before).update(**given))


@writes
def drop(*, ids: Collection[int]) -> None:
    """Forgets subscriptions that are gone, with what was due for them."""
    models.PushSubscription.objects.filter(pk__in=ids).delete()


@writes
def note_used(*, ids: Collection[int]) -> None:
    models.PushSubscription.objects.filter(pk__in=ids).update(used_at=timezone.now())


@reads_long
def ended(subscriptions: Sequence[Subscription]) -> list[Subscription]:
    """Those whose login has ended: by a logout elsewhere, another password, its time, or the account's end."""
    keys = [one.session_key for one in subscriptions]
    found = visitors.visitors(keys)
    return [
        one
        for one, visitor in zip(subscriptions, found, strict=True)
        if not visitor.user.is_authenticated or people.of_user(visitor.user).id != one.person_id
    ]


@receiver(user_logged_out)
def logging_out(request: HttpRequest | None, **_others: Any) -> None:
    """At a logout, nothing more is shown in that browser: others may use it. The session is still there now."""
    if request is not None and request.session.session_key:
        models.PushSubscription.objects.filter(session_key=request.session.session_key).delete()


@receiver(post_delete, sender=settings.AUTH_USER_MODEL)
def account_deleted(instance: Any, **_others: Any) -> None:
    _of(people.of_user(instance)).delete()


def _of(person: Person) -> QuerySet[models.PushSubscription]:
    return models.PushSubscription.objects.filter(person_id=person.id)


def _subscription(row: models.PushSubscription) -> Subscription:
    return Subscription(
        id=row.pk,
        person_id=row.person_id,
        endpoint=row.endpoint,
        keys=BrowserKeys(row.p256dh, row.auth),
        session_key=row.session_key,
        label=row.label,
        language=row.language,
        created_at=row.created_at,
        used_at=row.used_at,
    )
