"""Profiles of users, and what two people have in common."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain import people
from chat.domain.people import USER, USER_ID, Person
from chat.domain.profiles import Profile, ProfileChange
from chat.domain.texts import is_storable
from chat.errors import LoginRequired, NameTaken
from chat.storage import accounts, own_rooms, permissions
from chat.storage.database import reads_long, writes
from chat.storage.own_rooms import ROOMS_MAX, OwnRoom


def by_username(username: str) -> Profile | None:
    """The profile of the active account of that name. One query."""
    return _first(Q(**{accounts.users().model.USERNAME_FIELD: username})) if is_storable(username) else None


def by_id(person_id: str) -> Profile | None:
    """The profile of the person with that id, if it is one of an active account. One query."""
    return by_ids([person_id]).get(person_id)


def by_ids(person_ids: Iterable[str]) -> dict[str, Profile]:
    """The profiles of active accounts by their people's ids. Guests, and who is unknown, have none. One query."""
    keys = [id.removeprefix(USER) for id in person_ids if USER_ID.fullmatch(id)]
    found = accounts.users().filter(pk__in=keys, is_active=True) if keys else ()
    return {profile.person.id: profile for profile in map(_profile, found)}


def people_by_ids(person_ids: Iterable[str]) -> dict[str, Person]:
    """The people of active accounts by their ids, by the names that they have now. One query."""
    return {id: profile.person for id, profile in by_ids(person_ids).items()}


@writes
def update(person: Person, change: ProfileChange) -> Profile:
    """Changes the profile of `person`. Raises LoginRequired for guests, NameTaken."""
    if person.is_guest:
        raise LoginRequired(_("Log in to have a profile."))
    if change.display_name is None:
        return _store(person, change)
    with accounts.names_locked():
        if change.display_name and accounts.is_taken(change.display_name, besides=person.user_id):
            raise NameTaken(_("Somebody else has that name, or one that looks like it. Please choose another one."))
        return _store(person, change)


def _store(person: Person, change: ProfileChange) -> Profile:
    given = {"display_name": change.display_name, "about": change.about, "time_zone": change.time_zone}
    new = {name: text for name, text in given.items() if text is not None}
    user = accounts.users().filter(pk=person.user_id, is_active=True).first()
    if user is None:
        raise LoginRequired(_("Your account is gone."))
    if new:
        user.chat_profile = models.Profile.objects.update_or_create(user_id=user.pk, defaults=new)[0]
    return _profile(user)


@reads_long
def rooms_in_common(person: Person, other: Person) -> list[OwnRoom]:
    """The rooms of `person` that are `other`'s too, the last active one first; no direct ones. Four queries.

    They are rooms that `person` may enter now, and `other` as well.
    """
    own = [one for one in own_rooms.own_rooms(person, size=ROOMS_MAX) if not one.room.is_direct]
    names = {one.room.name for one in own}
    theirs = models.Reading.objects.filter(person_id=other.id, room_name__in=names).values_list("room_name", flat=True)
    shared = [one for one in own if one.room.name in set(theirs)]
    allowed = permissions.by_room([one.room for one in shared], other)
    return [one for one in shared if allowed[one.room].may_enter]


def _first(condition: Q) -> Profile | None:
    user = accounts.users().filter(condition, is_active=True).first()
    return _profile(user) if user is not None else None


def _profile(user: Any) -> Profile:
    stored = getattr(user, people.PROFILE, None)
    person, since = people.of_user(user), getattr(user, "date_joined", None)
    if stored is None:
        return Profile(person, since=since)
    return Profile(person, stored.display_name, stored.about, stored.time_zone, since, stored.avatar)
