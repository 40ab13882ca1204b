"""Ends all logins of a person: their connections close within seconds, and nobody can log in as them."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth import SESSION_KEY as USER_KEY
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session

from chat.domain import people
from chat.domain.people import Person

BATCH_SIZE = 500  # sessions that are read at once


def sessions_of(person: Person) -> Iterator[Session]:
    """The sessions of the person. All that are in the database are read, since none says whose it is."""
    for session in Session.objects.order_by("pk").iterator(BATCH_SIZE):
        if _is_of(session.get_decoded(), person):
            yield session


def _is_of(data: dict[str, Any], person: Person) -> bool:
    if person.is_guest:
        guest = data.get(people.SESSION_KEY)
        return isinstance(guest, dict) and guest.get("id") == person.id
    return bool(str(data.get(USER_KEY)) == person.user_id)


def end_all(person: Person) -> int:
    """Returns how many logins were ended: sessions, and the account."""
    closed = 0
    if not person.is_guest:
        for user in get_user_model()._default_manager.filter(pk=person.user_id, is_active=True):
            closed += 1
            user.is_active = False
            user.set_unusable_password()
            user.save(update_fields=["is_active", "password"])
    keys = [session.pk for session in sessions_of(person)]
    for first in range(0, len(keys), BATCH_SIZE):
        Session.objects.filter(pk__in=keys[first : first + BATCH_SIZE]).delete()
    return closed + len(keys)
