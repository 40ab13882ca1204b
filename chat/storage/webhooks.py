"""Webhooks as those see them who manage them: a room's, or those of the site's bots."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain import people, webhook_secrets
from chat.domain.people import PROFILE, Person
from chat.domain.rooms import Room
from chat.domain.webhooks import TEST_TYPE, OffReason
from chat.models import AuditRecord, Verb, Webhook, WebhookDelivery, WebhookPosition
from chat.storage import accounts, audit, history
from chat.storage.database import writes
from chat.storage.webhook_outcomes import DELIVERIES_KEPT
from chat.storage.webhook_work import is_there
from chat.webhook_errors import TooManyWebhooks

FORMER_SECRET_HOLDS = timedelta(days=1)  # after it was replaced


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A webhook that is to be. With `bot_id`, the primary key of a bot's user, it hears mentions of that bot.

    `author_id` is the primary key of the user as whom answers are posted.
    """

    url: str
    bot_id: int | None = None
    author_id: int | None = None


def of(room: Room | None) -> list[Webhook]:
    """The webhooks of a room, or of the site's bots, the oldest first."""
    return list(_of(room).select_related(f"bot__user__{PROFILE}", f"author__{PROFILE}").order_by("pk"))


def find(room: Room | None, id: str) -> Webhook | None:
    """The webhook of the room, or of a bot of the site, that has this primary key."""
    if not (id.isascii() and id.isdigit() and len(id) < 19):
        return None
    return _of(room).filter(pk=int(id)).first()


def in_trouble(room: Room) -> int:
    """Number of the room's webhooks that fail, or were switched off by nobody."""
    off = [OffReason.FAILED, OffReason.GONE, OffReason.EXCLUDED]
    return _of(room).filter(Q(attempts__gt=0) | Q(off_reason__in=off)).count()


def _of(room: Room | None) -> QuerySet[Webhook]:
    # A room's name is another room's once the first is deleted, but its row isn't.
    return Webhook.objects.filter(room=None) if room is None else Webhook.objects.filter(room__name=room.name)


def maker_of(webhook: Webhook) -> str:
    """The name that the person had who made it; empty if that isn't known."""
    records = AuditRecord.objects.filter(verb=Verb.WEBHOOK_MADE, details__webhook=webhook.pk)
    return records.order_by("-pk").values_list("person_name", flat=True).first() or ""


def in_charge_of(webhook: Webhook) -> str:
    """The name of the person in charge of it; empty if that is the site, or nobody who is still there."""
    if not people.USER_ID.fullmatch(webhook.person_id):
        return ""
    user = accounts.users().filter(pk=webhook.person_id.removeprefix(people.USER)).first()
    return "" if user is None else people.of_user(user).name


def without_bot(some: Iterable[Webhook]) -> set[int]:
    """The primary keys of those that hear nothing, as their bot may not be in its room."""
    return {webhook.pk for webhook in some if webhook.bot is not None and not is_there(webhook.bot)}


def last_deliveries(webhook: Webhook) -> list[WebhookDelivery]:
    """The newest first."""
    return list(webhook.deliveries.order_by("-pk")[:DELIVERIES_KEPT])


@writes
def make(*, room: Room | None, request: WebhookRequest, by: Person | None) -> Webhook:
    """Makes a webhook, which hears what is stored from now on. Raises TooManyWebhooks."""
    with transaction.atomic():
        row = None if room is None else models.Room.objects.select_for_update().get(name=room.name)
        there = _of(room) if room is not None else _of(room).filter(bot=request.bot_id)
        if there.count() >= settings.CHAT_WEBHOOKS_MAX:
            raise TooManyWebhooks(
                _("There are {most} webhooks already. Remove one first."), most=settings.CHAT_WEBHOOKS_MAX
            )
        webhook = Webhook.objects.create(
            room=row,
            bot_id=request.bot_id,
            author_id=request.author_id,
            person_id=by.id if by else "",
            url=request.url,
            secret=webhook_secrets.make(),
        )
        if room is not None and row is not None:
            end = history.heads([room])[room].position
            WebhookPosition.objects.create(webhook=webhook, room=row, offset=end.offset, entry_id=end.id or "")
        audit.record(by, Verb.WEBHOOK_MADE, room=room, webhook=webhook.pk)
    return webhook


@writes
def rotate_secret(*, webhook_id: int, room: Room | None, by: Person | None) -> str:
    """Makes another secret and returns it. The former one signs as well for FORMER_SECRET_HOLDS."""
    with transaction.atomic():
        webhook = Webhook.objects.select_for_update().get(pk=webhook_id)
        webhook.former_secret, webhook.secret = webhook.secret, webhook_secrets.make()
        webhook.former_until = timezone.now() + FORMER_SECRET_HOLDS
        webhook.save(update_fields=["former_secret", "secret", "former_until"])
        audit.record(by, Verb.WEBHOOK_CHANGED, room=room, webhook=webhook_id, rotated=True)
    return webhook.secret


@writes
def switch(*, webhook_id: int, on: bool, room: Room | None, by: Person | None) -> None:
    """Switches a webhook on, from where it was; or off. Nothing happens if it is so already.

    Who switches it on is in charge of it from then on.
    """
    with transaction.atomic():
        webhook = Webhook.objects.filter(pk=webhook_id, off_since__isnull=not on)
        if on:
            changed = webhook.update(
                off_since=None,
                off_reason="",
                person_id=by.id if by else "",
                attempts=0,
                failing_since=None,
                due_at=None,
            )
        else:
            changed = webhook.update(off_since=timezone.now(), off_reason=OffReason.BY_HAND)
        if changed:
            audit.record(by, Verb.WEBHOOK_CHANGED, room=room, webhook=webhook_id, on=on)


@writes
def delete(*, webhook_id: int, room: Room | None, by: Person | None) -> None:
    with transaction.atomic():
        if Webhook.objects.filter(pk=webhook_id).delete()[0]:
            audit.record(by, Verb.WEBHOOK_DELETED, room=room, webhook=webhook_id)


@writes
def ask_for_another(*, webhook_id: int, delivery_id: int) -> None:
    """Has a delivery sent once more, as soon as its process looks."""
    WebhookDelivery.objects.filter(webhook=webhook_id, pk=delivery_id).update(requested=True)


@writes
def ask_for_test(*, webhook_id: int) -> None:
    """Has a test sent, one at a time."""
    waiting = WebhookDelivery.objects.filter(webhook=webhook_id, type=TEST_TYPE, requested=True)
    if not waiting.exists():
        WebhookDelivery.objects.create(
            webhook_id=webhook_id,
            message_id=f"msg_{webhook_id}_test_{uuid.uuid4().hex}",
            type=TEST_TYPE,
            at=timezone.now(),
            requested=True,
        )


@writes
def try_now(*, webhook_id: int) -> None:
    """Has a webhook whose attempts fail make the next one at once."""
    Webhook.objects.filter(pk=webhook_id, off_since=None).update(due_at=None)


def owners(room: Room, most: int) -> Sequence[str]:
    """The usernames of owners of the room."""
    found = models.RoomMember.objects.filter(room__name=room.name, role=models.Role.OWNER, user__is_active=True)
    return [member.user.get_username() for member in found.select_related("user").order_by("pk")[:most]]
