"""Moderation by owners and moderators, and deletion by authors. Each act is an entry of the room's log.

So it has a place in the order of the messages, reaches all listeners, and recovery brings it. A person who is excluded
by an entry hears nothing that comes after it.

`by` is the person who acts; None is the site itself, as in the admin pages, and may do anything. These functions are
synchronous, like the database, and each is one transaction, which has a record in the audit log, too. They return the
entry, or None where nothing had to be done. `chat.actions.moderation` runs them and publishes the entry.
"""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain import people
from chat.domain.events import Change, Event, Kind
from chat.domain.grants import Scope
from chat.domain.people import GUEST_ID, USER_ID, Person
from chat.domain.rooms import NO_DIRECT_NAME, Room
from chat.domain.texts import is_storable
from chat.errors import (
    InvalidRoomName,
    LastOwner,
    LoginRequired,
    NoSuchPerson,
    NotAllowed,
    RoomExists,
)
from chat.models import Role, Verb
from chat.storage import accounts, audit, entries, history, notices, permissions, readings, tokens
from chat.storage.database import writes
from chat.storage.permissions import Permission
from chat.storage.readings import Mark
from chat.storage.statements import Place

DELETED = _("A message was deleted.")
MADE = {
    Role.MEMBER: _("{person} was made a member by {by}."),
    Role.MODERATOR: _("{person} was made a moderator by {by}."),
    Role.OWNER: _("{person} was made an owner by {by}."),
}
"""Notices of a role that is another one from then on."""
RECENT = 1000  # entries that are searched for the name of a guest who is banned


@writes
def create(room: Room, *, private: bool, by: Person | None) -> Event:
    """Creates a room that has no entries yet, and makes `by` its owner.

    Raises RoomExists, LoginRequired or InvalidRoomName.
    """
    with transaction.atomic():
        if by is not None and by.is_guest:
            raise LoginRequired(_("Log in to create a room."))
        if room.is_direct:
            raise InvalidRoomName(NO_DIRECT_NAME)
        place = entries.take_offset(room)
        if place.offset > 1:
            raise RoomExists(_("There is a room “{room}” already. Choose another name."), room=room.name)
        here = models.Room.objects.get(pk=place.room_id)
        if by is not None:
            here.members.create(user_id=by.user_id, role=Role.OWNER)
            readings.enter([Mark(room, by)])
        _restrict(here, private)
        audit.record(by, Verb.ROOM_CREATED, room=room, private=private)
        text = _("This private room was created by {by}.") if private else _("This room was created by {by}.")
        return notices.write(place, text, by, Change.CLOSED if private else Change.ADDED, by, Role.OWNER)


@writes
def delete_message(room: Room, offset: int, *, by: Person | None) -> Event:
    """Deletes the text at `offset`: from the database here, from screens by the entry that is returned.

    The message keeps its place, its author and its time. For one that is deleted already, the first deletion is
    returned. Raises NoSuchMessage, NotAllowed, InsufficientScope, Banned or NotAMember.
    """
    with transaction.atomic():
        place = entries.take_offset(room)
        permissions.check(room, by)
        message = history.message(room, offset)
        own = by is not None and message.person is not None and message.person.id == by.id
        if by is not None and not (own or permissions.permission(room, by).may_moderate):
            by.require(Scope.MODERATE)
            raise NotAllowed(_("You can delete what you said yourself. The rest is up to the moderators of the room."))
        if message.deleted:
            first = history.deletion_of(room, offset)
            transaction.set_rollback(True)
            return first
        entries.blank(place, offset)
        if not own:
            audit.record(by, Verb.MESSAGE_DELETED, room=room, target=message.person, offset=offset)
        return entries.write(place, kind=Kind.DELETION, text=notices.for_all(DELETED), by=by, target=offset)


@writes
def set_role(room: Room, username: str, role: Role, *, by: Person | None) -> Event | None:
    """Makes the user a member, a moderator or an owner. Raises NoSuchPerson, NotAllowed or LastOwner."""
    with transaction.atomic():
        place, here, actor = notices.begin(room, by)
        person = _user(username)
        permission = permissions.permission(room, person)
        if permission.role == role:
            transaction.set_rollback(True)
            return None
        if {permission.role, role} - {None, Role.MEMBER} and not actor.owns:
            raise NotAllowed(_("Only an owner of the room can make and unmake moderators and owners."))
        if permission.banned:
            raise NotAllowed(_("{person} is banned from this room. Lift the ban first."), person=person.name)
        _keep_an_owner(here, permission, by)
        here.members.update_or_create(user_id=person.user_id, defaults={"role": role})
        readings.enter([Mark(room, person)])
        _record_role(room, person, role, before=permission.role, by=by)
        is_new = permission.role is None and role is Role.MEMBER
        text = _("{person} was added by {by}.") if is_new else MADE[role]
        return notices.write(place, text, by, Change.CHANGED if permission.role else Change.ADDED, person, role)


@writes
def remove_member(room: Room, username: str, *, by: Person | None) -> Event | None:
    """Takes the user off the members; members can take themselves off. Raises NoSuchPerson, NotAllowed or LastOwner."""
    with transaction.atomic():
        place, here, actor = notices.begin(room, by, anybody=True)
        person = _user(username)
        leaves = by is not None and by.id == person.id
        if not (actor.may_moderate or leaves):
            raise NotAllowed(notices.MODERATORS_ONLY)
        permission = permissions.permission(room, person)
        if permission.role is None:
            transaction.set_rollback(True)
            return None
        if permission.role is not Role.MEMBER and not (actor.owns or leaves):
            raise NotAllowed(_("Only an owner of the room can remove moderators and owners."))
        _keep_an_owner(here, permission, by)
        here.members.filter(user_id=person.user_id).delete()
        tokens.delete_of_bot(person, room_id=here.pk, by=by)
        if leaves or here.is_private:
            readings.leave(room, person)
        if not leaves or permission.role is not Role.MEMBER:
            verb = Verb.MEMBER_LEFT if leaves else Verb.MEMBER_REMOVED
            audit.record(by, verb, room=room, target=person, role=permission.role)
        text = _("{person} left.") if leaves else _("{person} was removed by {by}.")
        return notices.write(place, text, by, Change.REMOVED if here.is_private else Change.CHANGED, person)


@writes
def ban(room: Room, person_id: str, *, by: Person | None) -> Event | None:
    """Bans a person, who is no member any more either. Raises NoSuchPerson or NotAllowed."""
    with transaction.atomic():
        place, here, actor = notices.begin(room, by)
        person = _person(place, person_id)
        permission = permissions.permission(room, person)
        if permission.banned:
            transaction.set_rollback(True)
            return None
        if by is not None and by.id == person.id:
            raise NotAllowed(_("You can’t ban yourself."))
        if permission.role is Role.OWNER or (permission.role is Role.MODERATOR and not actor.owns):
            raise NotAllowed(_("An owner can’t be banned, and a moderator only by an owner."))
        here.members.filter(user_id=person.user_id).delete()
        tokens.delete_of_bot(person, room_id=here.pk, by=by)
        readings.leave(room, person)
        here.bans.create(person_id=person.id, person_name=person.name, by=by.name if by else "")
        _restrict(here, here.is_private)
        audit.record(by, Verb.MEMBER_BANNED, room=room, target=person, role=permission.role)
        return notices.write(place, _("{person} was banned by {by}."), by, Change.BANNED, person)


@writes
def unban(room: Room, person_id: str, *, by: Person | None) -> Event | None:
    """Lifts a ban. Raises NotAllowed."""
    with transaction.atomic():
        place, here, _actor = notices.begin(room, by)
        banned = here.bans.filter(person_id=person_id).first() if is_storable(person_id) else None
        if banned is None:
            transaction.set_rollback(True)
            return None
        banned.delete()
        _restrict(here, here.is_private)
        person = Person(id=person_id, name=banned.person_name or banned.person_id)
        audit.record(by, Verb.MEMBER_UNBANNED, room=room, target=person)
        return notices.write(place, _("The ban on {person} was lifted by {by}."), by, Change.UNBANNED, person)


@writes
def set_private(room: Room, private: bool, *, by: Person | None) -> Event | None:
    """Closes the room to all but its members, or opens it to everybody. Raises NotAllowed."""
    with transaction.atomic():
        place, here, actor = notices.begin(room, by)
        if not actor.owns:
            raise NotAllowed(_("Only an owner of the room can make it private or public."))
        if here.is_private == private:
            transaction.set_rollback(True)
            return None
        _restrict(here, private)
        audit.record(by, Verb.ROOM_PRIVACY_CHANGED, room=room, private=private)
        text = _("This room was made private by {by}.") if private else _("This room was made public by {by}.")
        return notices.write(place, text, by, Change.CLOSED if private else Change.OPENED, None)


def _record_role(room: Room, person: Person, role: Role, *, before: Role | None, by: Person | None) -> None:
    if before is None:
        audit.record(by, Verb.MEMBER_ADDED, room=room, target=person, role=role)
    else:
        audit.record(by, Verb.MEMBER_ROLE_CHANGED, room=room, target=person, role=role, before=before)


def _restrict(here: models.Room, private: bool) -> None:
    here.is_private = private
    here.restricted = private or here.bans.exists()
    here.save(update_fields=["is_private", "restricted"])


def _keep_an_owner(here: models.Room, leaving: Permission, by: Person | None) -> None:
    """Raises LastOwner if nobody would be left who could change anything; the site itself can."""
    if by is not None and leaving.role is Role.OWNER and here.members.filter(role=Role.OWNER).count() == 1:
        raise LastOwner(_("A room needs an owner. Make somebody else one first."))


def _user(username: str) -> Person:
    user = accounts.users().filter(username=username).first() if is_storable(username) else None
    if user is None:
        raise NoSuchPerson(_("Nobody has an account by the name of “{name}”."), name=username)
    return people.of_user(user)


def _person(place: Place, person_id: str) -> Person:
    """The person with that id: a user, or a guest by the name that their last entry here has."""
    person = Person(id=person_id, name=notices.for_all(_("A guest")))
    if not person.is_guest:
        user = accounts.users().filter(pk=person.user_id).first() if USER_ID.fullmatch(person_id) else None
        if user is not None:
            return people.of_user(user)
    elif GUEST_ID.fullmatch(person_id):
        return history.last_name(place.room, person, after=place.offset - RECENT)
    raise NoSuchPerson(_("There is nobody with that id."))
