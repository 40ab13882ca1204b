"""The audit log: `record` is called by whatever does something that only some people may do, in the same transaction.

So there is no deed without its record, and no record without its deed. It says who did what, where and to whom. It has
no words of people's messages, and no secrets.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from chat.domain import people
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.models import AuditRecord, Verb
from chat.storage import accounts

COMMAND = "manage.py "
ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Actor:
    """The person behind what the site itself does, and the way it is done."""

    person: Person | None
    via: str


_behind: ContextVar[Actor | None] = ContextVar("audit_actor", default=None)


@contextmanager
def by_staff(person: Person) -> Iterator[None]:
    """Deeds of the site itself in here are those of `person`, on the admin pages."""
    with _acting(Actor(person, ADMIN)):
        yield


@contextmanager
def by_command(name: str) -> Iterator[None]:
    """Deeds of the site itself in here are those of the management command of that name."""
    with _acting(Actor(None, COMMAND + name)):
        yield


@contextmanager
def _acting(actor: Actor) -> Iterator[None]:
    token = _behind.set(actor)
    try:
        yield
    finally:
        _behind.reset(token)


def record(
    by: Person | None, verb: Verb, *, room: Room | None = None, target: Person | None = None, **details: Any
) -> None:
    """Records that `by` has done something, in the transaction in which that is done. One statement.

    `by` None is the site itself: the person of `by_staff`, or the command of `by_command`, as far as there is one. What
    a command does in the name of a person has both.
    `target` is the person to whom it is done. `details` are JSON without texts of people and
    without secrets.

    Raises TransactionManagementError where there is no transaction.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError(f"“{verb}” is to be recorded in the transaction in which it is done.")
    via, actor = "", _behind.get()
    if actor is not None and (by is None or actor.person is None):
        by, via = by or actor.person, actor.via
    elif by is not None and by.grant is not None:
        via = f"token {by.grant.token_id}"
    AuditRecord.objects.create(
        at=timezone.now(),
        person_id=by.id if by else "",
        person_name=by.name if by else "",
        via=via,
        verb=verb,
        room_name=room.name if room else "",
        target_id=target.id if target else "",
        target_name=target.name if target else "",
        details=details,
    )


@dataclass(frozen=True, slots=True)
class Filter:
    """The records to read; None and "" stand for all.

    `person` is the id or the name of somebody who did it, or to whom it was done. `since` and `until` are times, of
    which the second one isn't part any more.
    """

    room: Room | None = None
    person: str = ""
    verb: str = ""
    since: datetime | None = None
    until: datetime | None = None


def read(wanted: Filter, *, size: int, before: int | None = None) -> list[AuditRecord]:
    """The last `size` records before the one numbered `before`, the last one first."""
    return list((_matching(wanted) if before is None else _matching(wanted).filter(pk__lt=before))[:size])


def read_all(wanted: Filter) -> Iterator[AuditRecord]:
    """All of them, the oldest first."""
    return _matching(wanted).order_by("pk").iterator()


def _matching(wanted: Filter) -> QuerySet[AuditRecord]:
    found = AuditRecord.objects.order_by("-pk")
    if wanted.room is not None:
        found = found.filter(room_name=wanted.room.name)
    if wanted.person:
        found = found.filter(_is_about(wanted.person))
    if wanted.verb:
        found = found.filter(verb=wanted.verb)
    if wanted.since is not None:
        found = found.filter(at__gte=wanted.since)
    if wanted.until is not None:
        found = found.filter(at__lt=wanted.until)
    return found


def _is_about(name_or_id: str) -> Q:
    """By the id, and by the id of the user who has that name; by the names in the records where there is none."""
    user = accounts.users().filter(username=name_or_id).first()
    if user is not None:
        ids = {name_or_id, people.of_user(user).id}
        return Q(person_id__in=ids) | Q(target_id__in=ids)
    same_name = Q(person_name=name_or_id) | Q(target_name=name_or_id)
    return Q(person_id=name_or_id) | Q(target_id=name_or_id) | same_name


def as_json(row: AuditRecord) -> dict[str, Any]:
    """A record for programs."""
    return {
        "id": row.pk,
        "at": row.at.isoformat(),
        "verb": row.verb,
        "person": {"id": row.person_id, "name": row.person_name} if row.person_id else None,
        "via": row.via or None,
        "room": row.room_name or None,
        "target": {"id": row.target_id, "name": row.target_name} if row.target_id else None,
        "details": row.details,
    }


def prune() -> int:
    """Deletes the records that are older than CHAT_AUDIT_DAYS. Returns how many."""
    if not settings.CHAT_AUDIT_DAYS:
        return 0
    before = timezone.now() - timedelta(days=settings.CHAT_AUDIT_DAYS)
    return AuditRecord.objects.filter(at__lt=before).delete()[0]
