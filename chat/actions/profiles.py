"""Changing one's profile. Later messages have the new name, on all connections that are open."""

from dataclasses import asdict
from functools import partial

from asgiref.sync import async_to_sync
from django.db import transaction

from chat.actions import rate_limits
from chat.delivery.login_hints import hint
from chat.delivery.rooms import followers
from chat.domain.grants import Scope
from chat.domain.people import Person
from chat.domain.profiles import Profile, ProfileChange
from chat.models import Verb
from chat.storage import audit, direct_rooms, profiles
from chat.storage.database import in_database


async def update(change: ProfileChange, *, by: Person) -> Profile:
    """Changes the profile of `by`. Raises InsufficientScope, LoginRequired, NameTaken, RateLimited or Unavailable."""
    by.require(Scope.WRITE)
    by.require_all_rooms()
    await rate_limits.spend(by, on="profile")
    profile = await in_database(profiles.update, by, change)
    if profile.person.name != by.name:
        await _tell(by)
    return profile


def update_on_commit(change: ProfileChange, *, of: Person) -> None:
    """The same as the site's staff does it, which has no limit; others are told once it is committed.

    To be called in a transaction, which has the record in the audit log, too.
    """
    profiles.update(of, change)
    changed = [name for name, value in asdict(change).items() if value is not None]
    audit.record(None, Verb.PROFILE_CHANGED, target=of, fields=changed)
    transaction.on_commit(partial(async_to_sync(_tell), of), robust=True)


async def _tell(person: Person) -> None:
    """Their connections, and those whose direct rooms are called after them."""
    await hint(users=[person.user_id])
    await followers.tell(await in_database(direct_rooms.fellows, person))
