"""People whom a person ignores: what they say alerts that person of nothing, and isn't counted as unread.

Only the person knows of it. As readings are, it is kept for users, and for guests while their session lasts.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain import people
from chat.domain.people import GUEST, GUEST_ID, USER_ID, Person
from chat.errors import NoSuchPerson, NotAllowed, TooManyIgnored
from chat.storage import accounts
from chat.storage.database import writes

IGNORED_MAX = 500  # people whom one person ignores
RECENT = 5000  # entries of the whole log that are searched for the name of a guest


def ignored(person: Person) -> list[Person]:
    """The people whom `person` ignores, the last one first."""
    return ignored_by([person])[person.id]


def ignored_by(persons: Iterable[Person]) -> dict[str, list[Person]]:
    """The same for many people, by their ids: users by the name that they have now. At most two queries."""
    found: dict[str, list[Person]] = {person.id: [] for person in persons}
    rows = models.IgnoredPerson.objects.filter(person_id__in=found).order_by("-pk")
    known = [*rows.values_list("person_id", "ignored_id", "ignored_name")]
    people_there = [Person(id=id, name=name) for _, id, name in known]
    users = accounts.users().in_bulk({one.user_id for one in people_there if not one.is_guest})
    now = {one.id: one for one in map(people.of_user, users.values())}
    for (person_id, _id, _name), one in zip(known, people_there, strict=True):
        found[person_id].append(now.get(one.id, one))
    return found


@writes
def set_ignored(person: Person, ignored_id: str, on: bool) -> None:
    """Has `person` ignore the one with that id, or no longer. Setting what is set changes nothing.

    Raises NoSuchPerson, NotAllowed or TooManyIgnored.
    """
    with transaction.atomic():
        rows = models.IgnoredPerson.objects.filter(person_id=person.id)
        if on:
            if ignored_id == person.id:
                raise NotAllowed(_("You can’t ignore yourself."))
            name = _person(ignored_id).name
            if rows.exclude(ignored_id=ignored_id).count() >= IGNORED_MAX:
                raise TooManyIgnored(
                    _("You ignore {most} people already. First hear one of them again."), most=IGNORED_MAX
                )
            rows.get_or_create(
                ignored_id=ignored_id,
                defaults={"person_id": person.id, "ignored_name": name, "at": timezone.now()},
            )
        elif not _is_id(ignored_id) or not rows.filter(ignored_id=ignored_id).delete()[0]:
            return
        # The counts of unread messages change in all rooms. By this other processes notice even if they aren't told.
        models.Reading.objects.filter(person_id=person.id).update(changes=F("changes") + 1)


def prune_guests(older_than: datetime) -> int:
    """Forgets whom guests ignore who have no rooms any more, if that was before `older_than`. Returns how many."""
    here = models.Reading.objects.values("person_id")
    gone = models.IgnoredPerson.objects.filter(person_id__startswith=GUEST, at__lt=older_than)
    return gone.exclude(person_id__in=here).delete()[0]


def _is_id(person_id: str) -> bool:
    return bool(USER_ID.fullmatch(person_id) or GUEST_ID.fullmatch(person_id))


def _person(person_id: str) -> Person:
    """The person with that id: a user, or a guest by the name that their last entry has, if that isn't long ago."""
    person = Person(id=person_id, name="A guest")
    if not _is_id(person_id):
        raise NoSuchPerson(_("There is nobody with that id."))
    if person.is_guest:
        newest = models.Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        lately = models.Message.objects.filter(pk__gt=newest - RECENT, person_id=person_id).order_by("-pk")
        name = lately.values_list("person_name", flat=True).first()
        return Person(id=person_id, name=name) if name else person
    user = accounts.users().filter(pk=person.user_id).first()
    if user is None:
        raise NoSuchPerson(_("There is nobody with that id."))
    return people.of_user(user)


@receiver(post_delete, sender=settings.AUTH_USER_MODEL)
def account_deleted(instance: Any, **others: Any) -> None:
    id = people.of_user(instance).id
    models.IgnoredPerson.objects.filter(Q(person_id=id) | Q(ignored_id=id)).delete()
