"""Ignoring people for oneself. All devices of the person who ignores are told, and nobody else is."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from chat.actions import rate_limits
from chat.delivery.rooms import followers
from chat.domain.grants import Scope
from chat.domain.people import Person
from chat.errors import NoSuchPerson, NotAllowed
from chat.storage import ignoring
from chat.storage.database import in_database


async def set_ignored(ignored_id: object, on: bool, *, person: Person) -> Sequence[Person]:
    """Has `person` ignore the one with that id, or no longer. Returns all whom they ignore then, the last one first.

    Raises InsufficientScope, NoSuchPerson, NotAllowed, TooManyIgnored, RateLimited or Unavailable.
    """
    person.require(Scope.WRITE)
    person.require_all_rooms()
    if not isinstance(ignored_id, str):
        raise NoSuchPerson(_("There is nobody with that id."))
    if not person.lasting:
        raise NotAllowed(_("Your browser keeps no cookies for this site, so nothing can be remembered for you."))
    await rate_limits.spend(person, on="room")
    await in_database(ignoring.set_ignored, person, ignored_id, on)
    await followers.tell_of_ignoring(person)
    return await in_database(ignoring.ignored, person)
