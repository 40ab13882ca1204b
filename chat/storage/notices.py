"""Notices: entries that tell everybody in a room what an owner, a moderator or the site has changed there."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain.events import Change, Event, Kind, NewRole
from chat.domain.languages import in_language_of_site
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import NotAllowed
from chat.models import Role
from chat.storage import entries, permissions
from chat.storage.permissions import Permission
from chat.storage.statements import Place

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

SAME_PEOPLE = _("A direct room always has the same people. To leave others alone, leave it: then it is hidden.")
MODERATORS_ONLY = _("That is up to the owners and moderators of the room.")


def begin(room: Room, by: Person | None, *, anybody: bool = False) -> tuple[Place, models.Room, Permission]:
    """The place of the entry, the room (locked from here on), and the permissions of `by`.

    Raises NotAllowed unless `by` is a moderator, or it is for `anybody` who may be there; and for a direct room.
    """
    if room.is_direct:
        raise NotAllowed(SAME_PEOPLE)
    place = entries.take_offset(room)
    permissions.check(room, by)
    actor = permissions.permission(room, by) if by else Permission(role=Role.OWNER)
    if not (actor.may_moderate or anybody):
        raise NotAllowed(MODERATORS_ONLY)
    return place, models.Room.objects.get(pk=place.room_id), actor


def write(
    place: Place,
    text: "StrPromise",
    by: Person | None,
    change: Change,
    subject: Person | None,
    role: Role | None = None,
    **parameters: object,
) -> Event:
    """Stores a notice of what has changed. `role` is what the subject, if there is one, is from then on.

    `text` may name them as `{person}`, the person who acts as `{by}`, and the `parameters`.
    """
    actor = by.name if by else _("the site’s staff")
    said = for_all(text, person=subject.name if subject else "", by=actor, **parameters)
    new_role = NewRole(role or NewRole.NONE) if subject else None
    subject_id = subject.id if subject else ""
    return entries.write(place, kind=Kind.NOTICE, text=said, by=by, change=change, subject=subject_id, role=new_role)


def for_all(text: "StrPromise", **parameters: object) -> str:
    """A text as it is stored: all who are in the room read the same one."""
    with in_language_of_site():
        return text.format(**parameters)
