"""Digests: what people who haven't been here for long are told by e-mail, and who gets one now.

A digest is begun by one statement, which another process finds done: so two that send at once send each once, and a
person gets one in DAY at most, even if a process is killed in the middle. What it then told nobody, the next one tells:
`told_until` moves on once the e-mail is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Q
from django.utils import timezone

from chat import models
from chat.domain import people
from chat.domain.alerts import Alert, Reason
from chat.domain.events import Kind
from chat.domain.mentions import EVERYBODY
from chat.domain.people import Person
from chat.models import Detail, Involvement
from chat.storage import accounts, own_rooms
from chat.storage.own_rooms import OwnRoom

DAY = timedelta(hours=23)  # a command that runs once a day isn't always as late
ROOMS_MAX = 20  # in one digest


@dataclass(frozen=True, slots=True)
class Digest:
    """An e-mail to `email`, in `language`, about the rooms in `alerts`, the last active one first."""

    person: Person
    email: str
    language: str
    detail: Detail
    alerts: Sequence[Alert]
    newest: datetime


def candidates() -> list[int]:
    """The primary keys of the users who may be due."""
    since = timezone.now() - DAY
    rows = models.NotificationChoice.objects.filter(Q(digest_at=None) | Q(digest_at__lt=since))
    return [*rows.filter(digest=True, is_confirmed=True).exclude(email="").order_by("pk").values_list("pk", flat=True)]


def begin(user_id: int, *, after: timedelta) -> Digest | None:
    """The digest of a user, if one is due, which from then on no other process sends.

    One is due where a mention or a direct message is unread for longer than `after`, which no digest told of, and the
    user has opened no room since.
    """
    found = look(user_id, after=after)
    if found is None:
        return None
    now = timezone.now()
    free = models.NotificationChoice.objects.filter(Q(digest_at=None) | Q(digest_at__lt=now - DAY), pk=user_id)
    return found if free.filter(digest=True, is_confirmed=True, email=found.email).update(digest_at=now) else None


def look(user_id: int, *, after: timedelta) -> Digest | None:
    """The digest that is due, as `begin` says."""
    row = models.NotificationChoice.objects.get(pk=user_id)
    user = accounts.users().filter(pk=user_id, is_active=True).first()
    if user is None:
        return None
    person = people.of_user(user)
    alerts = [alert for own in own_rooms.own_rooms(person, size=own_rooms.ROOMS_MAX) if (alert := _alert(own, person))]
    newest = max((alert.sent_at for alert in alerts), default=None)
    if newest is None or (row.told_until is not None and newest <= row.told_until):
        return None
    seen = models.Reading.objects.filter(person_id=person.id).aggregate(last=Max("entered_at"))["last"]
    waiting = [alert.sent_at for alert in alerts if row.told_until is None or alert.sent_at > row.told_until]
    if min(waiting) > timezone.now() - after or (seen is not None and seen > max(waiting)):
        return None
    language = row.language
    return Digest(person, row.email, language, Detail(row.detail), alerts[:ROOMS_MAX], newest)


def finish(digest: Digest) -> None:
    """The e-mail is sent."""
    models.NotificationChoice.objects.filter(pk=digest.person.user_id).update(told_until=digest.newest)


def undo(digest: Digest) -> None:
    """The e-mail couldn't be sent; the next run tries again."""
    models.NotificationChoice.objects.filter(pk=digest.person.user_id).update(digest_at=None)


def _alert(own: OwnRoom, person: Person) -> Alert | None:
    """The news of one room: unread direct messages, or mentions."""
    if own.involvement is Involvement.NOTHING:
        return None
    direct = own.room.is_direct and own.involvement is Involvement.ALL and own.unread > 0
    if not direct and not own.mentions_unread:
        return None
    messages = models.Message.objects.filter(
        room__name=own.room.name, offset__gt=own.read_offset, kind=Kind.MESSAGE, deletion=None
    ).exclude(person_id=person.id)
    ignored = models.IgnoredPerson.objects.filter(person_id=person.id).values("ignored_id")
    messages = messages.exclude(person_id__in=ignored)
    if not direct:
        called = models.Mention.objects.filter(
            room__name=own.room.name, person_id__in=[person.id, EVERYBODY.id], offset__gt=own.read_offset
        )
        messages = messages.filter(offset__in=called.values("offset"))
    newest = messages.order_by("-offset").first()
    if newest is None:
        return None
    return Alert(
        person=person,
        room=own.room,
        display_name=own.display_name,
        reason=Reason.DIRECT if direct else Reason.MENTION,
        count=own.unread if direct else own.mentions_unread,
        author=newest.person_name,
        text=newest.text,
        offset=newest.offset,
        sent_at=newest.sent_at,
    )
